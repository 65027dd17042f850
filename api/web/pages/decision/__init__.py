"""Deciding: what failed or waits, what a retry would find, the decision itself."""
