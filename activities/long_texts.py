"""Texts too long for JIRA: truncated visibly, and attached to the ticket in full."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activities.tickets import FilePart
from pao.clients.jira.limits import LINE_LIMIT, TEXT_LIMIT, cut_line, cut_wiki, first_units, units

_KIND = "text/plain"
# Between the text and the footer or note below it.
_BREAK = "\n\n"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text for its field, and a file with all of it if it was truncated."""

    shown: str
    file: FilePart | None = None


def fit_summary(text: str) -> Fitted:
    """Make a text fit JIRA's summary."""
    line = flatten(text)
    if units(line) <= LINE_LIMIT:
        return Fitted(line)
    return Fitted(cut_line(line), _file("summary.txt", line))


def fit_description(text: str, footer: str, *, name: str = "description.txt") -> Fitted:
    """Make wiki markup fit JIRA's description; the footer always stays."""
    whole = f"{text.rstrip()}{_BREAK}{footer}".lstrip()
    if units(whole) <= TEXT_LIMIT:
        return Fitted(whole)
    most = TEXT_LIMIT - units(footer) - len(_BREAK)
    shown = cut_wiki(text.rstrip(), _note("description", name), most)
    return Fitted(f"{shown}{_BREAK}{footer}", _file(name, text))


def fit_custom(
    fields: Mapping[str, Any], lines: Collection[str]
) -> tuple[dict[str, Any], list[FilePart]]:
    """Truncate long texts of custom fields; return the fields and the files.

    ``lines`` are those that hold a single line.
    """
    found, files = dict(fields), list[FilePart]()
    for field, value in fields.items():
        if not isinstance(value, str):
            continue
        name = f"{field}.txt"
        if field in lines:
            fitted = cut_line(value)
        elif units(value) > TEXT_LIMIT:
            note = _BREAK + _note(field, name)
            fitted = first_units(value, TEXT_LIMIT - units(note)) + note
        else:
            continue
        if fitted != value:
            found[field] = fitted
            files.append(_file(name, value))
    return found, files


def may_exceed_line(fields: Mapping[str, Any]) -> bool:
    """Return whether a text of a custom field is too long for a single line."""
    return any(isinstance(value, str) and units(value) > LINE_LIMIT for value in fields.values())


def add_files(files: Sequence[FilePart], more: Sequence[FilePart | None]) -> tuple[FilePart, ...]:
    """Add files under unique names: a retry recognizes files by name and size."""
    return (*files, *_make_unique({file.name for file in files}, more))


def flatten(text: str) -> str:
    """Return a text on one line, without control characters."""
    shown = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    return " ".join(shown.split())


def one_line(text: str) -> str:
    """Return a text as one line that fits JIRA, truncated if necessary."""
    return cut_line(flatten(text))


def _make_unique(taken: set[str], more: Sequence[FilePart | None]) -> Iterator[FilePart]:
    for file in more:
        if file is None:
            continue
        name = file.name
        while name in taken:
            name = f"whole-{name}"
        yield FilePart(name, file.content, file.media_type)


def _note(what: str, name: str) -> str:
    return f"(This {what} was too long for JIRA and was truncated; see the attached {name}.)"


def _file(name: str, text: str) -> FilePart:
    return FilePart(name, text.encode(errors="replace"), _KIND)
