"""Kills parts of a running stack again and again, and counts what was lost or doubled."""
