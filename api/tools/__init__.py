"""Tools for platform teams: checks that submit nothing."""
