"""Rules about markup: Markdown where JIRA reads wiki markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.loading import Position
from catalog.validation.subject import Problem, Subject
from catalog.validation.templates import PlacedTemplate

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_VERBATIM = re.compile(r"\{(code|noformat)(?::[^{}\n]*)?\}.*?\{\1\}", re.DOTALL)
_ADDRESS = r"(?:https?://|mailto:|www\.|/|#|x)"
_SHOWN = 40
# Wiki markup whatever else is known of the type.
_TICKET = ("jira-ticket", "ticket.descriptionTemplate")


@dataclass(frozen=True, slots=True)
class _MarkdownForm:
    """A Markdown construct, and what to write in wiki markup instead."""

    pattern: re.Pattern[str]
    hint: str


_LINE = re.MULTILINE
_FORMS = (
    _MarkdownForm(re.compile(r"^[ \t]*(?:```|~~~).*$", _LINE), "write {code} before and after"),
    _MarkdownForm(re.compile(r"(?<![*\w])\*\*(?=[^\s*])[^*\n]+\*\*(?![*\w])"), "write *bold*"),
    _MarkdownForm(re.compile(r"(?<![_\w])__(?=[^\s_])[^_\n]+__(?![_\w])"), "write *bold*"),
    _MarkdownForm(re.compile(r"(?<![~\w])~~(?=[^\s~])[^~\n]+~~(?![~\w])"), "write -struck-"),
    _MarkdownForm(
        re.compile(rf"!\[[^\]\n]*\]\({_ADDRESS}?[^)\s]*\)"), "attach the file and write !name!"
    ),
    _MarkdownForm(re.compile(rf"(?<!!)\[[^\]\n|]+\]\({_ADDRESS}[^)\s]*\)"), "write [text|address]"),
    _MarkdownForm(
        re.compile(r"(?<![`\w])`[^`\n]+`(?![`\w])"), "leave the backticks out, or use {code}"
    ),
    _MarkdownForm(
        re.compile(r"^[ \t]*>[ \t]+\S.*$", _LINE), "write bq. quoted, or {quote} around it"
    ),
    _MarkdownForm(
        re.compile(r"^[ \t]*\|?(?:[ \t]*:?-{3,}:?[ \t]*\|)+.*$", _LINE), "write ||head||head||"
    ),
    _MarkdownForm(
        re.compile(r"^[ \t]*\d+[.)][ \t]+\S.*\n[ \t]*\d+[.)][ \t]+\S.*$", _LINE), "write # item"
    ),
)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*)$", _LINE)
_ITEM = re.compile(r"^[ \t]*[*#-]+[ \t]+\S")


def markdown(subject: Subject) -> Iterator[Problem]:
    """Warn about Markdown in a ticket's description, which JIRA shows as plain text.

    Write ``*bold*`` instead of ``**bold**``, ``h2. Title`` instead of ``## Title``,
    ``[text|address]`` instead of ``[text](address)``.
    """
    for placed in subject.templates:
        if not _is_wiki(subject, placed):
            continue
        text = _blanked(placed.text)
        for start, hint in sorted([*_forms(text), *_headings(text)]):
            inside = _position(text, start)
            line = placed.text[start:].lstrip("\n").partition("\n")[0].strip()
            said = f"{line[:_SHOWN]!r} is Markdown, but JIRA reads wiki markup"
            yield Problem(placed.path, said, hint, inside=inside)


def _is_wiki(subject: Subject, placed: PlacedTemplate) -> bool:
    if placed.action is None or not placed.place:
        return False
    schema = subject.known_actions.get(placed.action.type)
    place = ".".join(map(str, placed.place))
    if (placed.action.type, place) == _TICKET:
        return True
    return schema is not None and schema.targets.get(place) == "jira"


def _blanked(text: str) -> str:
    """Return the text with its tags and its code as letters, so that nothing in them counts."""
    without = _VERBATIM.sub(lambda found: _letters(found[0]), text)
    return _TAG.sub(lambda found: _letters(found[0]), without)


def _letters(text: str) -> str:
    return "".join("\n" if letter == "\n" else "x" for letter in text)


def _forms(text: str) -> Iterator[tuple[int, str]]:
    """Yield the first place of each construct, and what to write instead."""
    for form in _FORMS:
        found = form.pattern.search(text)
        if found:
            yield found.start(), form.hint


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the first heading; items of a numbered list, which begin alike, are none."""
    lines = text.split("\n")
    for found in _HEADING.finditer(text):
        number = text.count("\n", 0, found.start())
        around = [lines[n] for n in (number - 1, number + 1) if 0 <= n < len(lines)]
        if not any(_ITEM.match(line) for line in around):
            yield found.start(), f"write h{len(found[1])}. Title"
            return


def _position(text: str, start: int) -> Position:
    before = text[:start]
    return Position(before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1)
