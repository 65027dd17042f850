"""White space around tags: what is removed with a tag that has no output."""

import re

from catalog.templating.tags import Tag

_SPACE = re.compile(r"\s*")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")


def after_space(source: str, position: int) -> int:
    """Return the offset behind the white space that begins here."""
    found = _SPACE.match(source, position)
    return found.end() if found else position


def line_of(source: str, tag: Tag) -> tuple[int, int]:
    """Return the bounds of the tag's line if the tag is alone on it, else those of the tag."""
    start = tag.start
    while start and source[start - 1] in " \t":
        start -= 1
    rest = _REST_OF_LINE.match(source, tag.end)
    if rest and (start == 0 or source[start - 1] == "\n"):
        return start, rest.end()
    return tag.start, tag.end
