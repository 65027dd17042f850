"""Texts of several lines, old and new: which of them go, come and stay. Pure."""

import difflib

_KINDS = {"+": "added", "-": "removed", "@": "place"}
MOST = 5_000
"""So many lines of a text are compared."""

Lines = tuple[tuple[str, str], ...]
"""Lines with their kinds, which are the classes of the style sheet."""


def differing(old: str, new: str) -> Lines:
    """Return the lines by which two texts differ, each with its sign, and some around them."""
    before, after = old.splitlines()[:MOST], new.splitlines()[:MOST]
    lines = [*difflib.unified_diff(before, after, lineterm="")][2:]
    return tuple((_KINDS.get(line[:1], "same"), line) for line in lines)
