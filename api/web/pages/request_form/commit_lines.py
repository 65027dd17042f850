"""The files of a commit as people read them: removed and added lines, conflicts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from api.web.line_diff import Lines, diff_lines
from api.web.words import _
from pao.core.payloads.files import FilesAnswer

MOST_LINES = 200
_OPERATIONS = {
    "create": _("a new file, which must not exist yet"),
    "update": _("replaces the content of the file"),
    "delete": _("removed"),
}


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A text to be read as it is: a body, or the lines that a commit adds and removes."""

    title: str
    text: str
    lines: Lines = ()
    warning: str = ""


def file_blocks(files: Iterable[Mapping[str, Any]], present: FilesAnswer | None) -> list[TextBlock]:
    """Return a block for each file; ``present`` is what they hold now, where that was read."""
    return [_file(one, present) for one in files]


def _file(one: Mapping[str, Any], present: FilesAnswer | None) -> TextBlock:
    path, operation = str(one.get("path", "")), str(one.get("operation") or "create")
    title = f"{path}: {_OPERATIONS.get(operation, operation)}"
    new = str(one.get("contentTemplate") or "")
    if one.get("encoding") == "base64":
        return TextBlock(title, _("Not shown as text."))
    is_read = present is not None and present.problem is None and path in present.texts
    old = present.texts[path] if present is not None and is_read else None
    if is_read and (old is None) != (operation == "create"):
        return _lines_block(title, _added(new), warning=_conflict_words(operation))
    if old is None:
        unread = present is not None and path in present.unread
        warning = (
            _("Its current content is not shown: it is too large, or not text.") if unread else ""
        )
        return _lines_block(title, _added(new), warning=warning)
    lines = diff_lines(old, new)
    same = _("It already has this content.") if old == new else _("Only line breaks differ.")
    return _lines_block(title, lines, warning="" if lines else same)


def _conflict_words(operation: str) -> str:
    if operation == "create":
        return _("It already exists, so this step would fail.")
    return _("There is no such file, so this step would fail.")


def _added(text: str) -> Lines:
    return tuple(("added", f"+{line}") for line in text.splitlines())


def _lines_block(title: str, lines: Lines, *, warning: str) -> TextBlock:
    more = len(lines) - MOST_LINES
    rest = _("and %(n)s more lines") % {"n": more} if more > 0 else ""
    return TextBlock(title, rest, lines[:MOST_LINES], warning)
