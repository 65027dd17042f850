"""The length limits of JIRA's texts, and how to truncate; in UTF-16 units, as Java counts."""

import re

TEXT_LIMIT = 32_767
LINE_LIMIT = 255
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
# The text is cut at the end of a line that is this close.
_LINE_END_WITHIN = 2_000
_MACRO = re.compile(
    r"(?<!\\)\{(code|noformat|quote|panel|info|note|warning|tip|color)(?::[^{}\n]*)?\}"
)
_VERBATIM = frozenset({"code", "noformat"})


def units(text: str) -> int:
    """Return the length of a text as JIRA counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def first_units(text: str, most: int) -> str:
    """Return the beginning of a text, at most that long as JIRA counts."""
    if units(text) <= most:
        return text
    cut = text.encode("utf-16-le", "surrogatepass")[: 2 * most].decode("utf-16-le", "replace")
    # Half of a character at the end became a replacement.
    return cut if text.startswith(cut) else cut[:-1]


def cut_line(text: str, most: int = LINE_LIMIT) -> str:
    """Return a line that fits, with an ellipsis where something is missing."""
    return text if units(text) <= most else first_units(text, most - 1).rstrip() + ELLIPSIS


def cut_wiki(text: str, note: str, most: int = TEXT_LIMIT) -> str:
    """Return a text in wiki markup that fits; ``note`` says where the rest is, at its end.

    It ends after a whole line if possible, and open macros are closed.
    """
    if units(text) <= most:
        return text
    closing = most - units(note) - _CLOSING_UNITS
    kept = first_units(text, max(closing, 0))
    line = kept.rfind("\n")
    if line > len(kept) - _LINE_END_WITHIN and line > 0:
        kept = kept[:line]
    # A lone backslash would escape what follows it.
    kept = kept.rstrip("\\")
    return f"{kept}{_closing_tags(kept)}\n\n{note}"


# For the end tags of two nested macros, and blank lines.
_CLOSING_UNITS = 40


def _closing_tags(text: str) -> str:
    """Return the tags that close the macros that are open at the end of a text."""
    open_: list[str] = []
    for found in _MACRO.finditer(text):
        name = found[1]
        if open_ and open_[-1] in _VERBATIM and open_[-1] != name:
            continue
        if name in open_:
            open_.remove(name)
        else:
            open_.append(name)
    return "".join(f"\n{{{name}}}" for name in reversed(open_[-2:]))
