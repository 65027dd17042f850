"""Differences between two texts, line by line: removed, added and unchanged. Pure."""

import difflib

from api.web.words import _

_KINDS = {"+": "added", "-": "removed", "@": "place"}
MOST = 2_000
"""How many lines are compared: the time grows with the square of their number."""

Lines = tuple[tuple[str, str], ...]
"""Lines with their kinds, which are the classes of the style sheet."""


def diff_lines(old: str, new: str) -> Lines:
    """Return the lines that differ between two texts, each with its sign, with some context.

    Takes up to half a second: call it in a thread.
    """
    before, after = old.splitlines(), new.splitlines()
    lines = [*difflib.unified_diff(before[:MOST], after[:MOST], lineterm="")][2:]
    marked = tuple((_KINDS.get(line[:1], "same"), line) for line in lines)
    if before[MOST:] == after[MOST:]:
        return marked
    return (*marked, ("place", _("Lines after the first %(n)s are not compared.") % {"n": MOST}))
