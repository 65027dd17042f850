"""Rules about markup: Markdown where JIRA reads wiki markup."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catalog.loading import Position
from catalog.validation.subject import Problem, Subject
from catalog.validation.templates import PlacedTemplate

# All of these search texts that anybody may send, so that their time must be linear: a part of a
# construct ends at the sign that would begin another one, and what may be long is matched once.
_CLOSERS = {"{{": "}}", "{%": "%}"}
_TAG = re.compile(r"\{\{|\{%")
_VERBATIM = re.compile(r"\{(code|noformat)(?::[^{}\n]*)?\}")
_ADDRESS = r"(?:https?://|mailto:|www\.|/|#|x)"
_SHOWN = 40
_NO_LINE_BREAK = re.compile(r"[^\n]")
# Wiki markup whatever else is known of the type.
_TICKET = ("jira-ticket", "ticket.descriptionTemplate")


@dataclass(frozen=True, slots=True)
class _MarkdownForm:
    """A Markdown construct, and what to write in wiki markup instead."""

    pattern: re.Pattern[str]
    hint: str


_LINE = re.MULTILINE
_FORMS = (
    _MarkdownForm(re.compile(r"^[ \t]*(?:```|~~~)", _LINE), "write {code} before and after"),
    _MarkdownForm(re.compile(r"(?<![*\w])\*\*(?=[^\s*])[^*\n]+\*\*(?![*\w])"), "write *bold*"),
    _MarkdownForm(re.compile(r"(?<![_\w])__(?=[^\s_])[^_\n]+__(?![_\w])"), "write *bold*"),
    _MarkdownForm(re.compile(r"(?<![~\w])~~(?=[^\s~])[^~\n]+~~(?![~\w])"), "write -struck-"),
    _MarkdownForm(
        re.compile(rf"!\[[^\[\]\n]*\]\({_ADDRESS}?[^)\s\[]*[)\[]"),
        "attach the file and write !name!",
    ),
    _MarkdownForm(
        re.compile(rf"(?<!!)\[[^\[\]\n|]+\]\({_ADDRESS}[^)\s\[]*[)\[]"), "write [text|address]"
    ),
    _MarkdownForm(
        re.compile(r"(?<![`\w])`[^`\n]+`(?![`\w])"), "leave the backticks out, or use {code}"
    ),
    _MarkdownForm(re.compile(r"^[ \t]*>[ \t]+\S", _LINE), "write bq. quoted, or {quote} around it"),
    _MarkdownForm(
        re.compile(r"^[ \t]*+\|?(?:[ \t]*+:?-{3,}+:?[ \t]*+\|)", _LINE), "write ||head||head||"
    ),
    _MarkdownForm(
        re.compile(r"^[ \t]*\d+[.)][ \t]+\S.*\n[ \t]*\d+[.)][ \t]+\S", _LINE), "write # item"
    ),
)
_HEADING = re.compile(r"(#{1,6})[ \t]+\S")
_ITEM = re.compile(r"[ \t]*[*#-]+[ \t]+\S")


def markdown(subject: Subject) -> Iterator[Problem]:
    """Warn about Markdown in a ticket's description, which JIRA shows as plain text.

    Write ``*bold*`` instead of ``**bold**``, ``h2. Title`` instead of ``## Title``,
    ``[text|address]`` instead of ``[text](address)``.
    """
    for placed in subject.templates:
        if not _is_wiki(subject, placed):
            continue
        for start, hint in markdown_in(placed.text):
            inside = _position(placed.text, start)
            line = placed.text[start:].lstrip("\n").partition("\n")[0].strip()
            message = f"{line[:_SHOWN]!r} is Markdown, but JIRA reads wiki markup"
            yield Problem(placed.path, message, hint, inside=inside)


def _is_wiki(subject: Subject, placed: PlacedTemplate) -> bool:
    if placed.action is None or not placed.place:
        return False
    schema = subject.known_actions.get(placed.action.type)
    place = ".".join(map(str, placed.place))
    if (placed.action.type, place) == _TICKET:
        return True
    return schema is not None and schema.targets.get(place) == "jira"


def markdown_in(text: str) -> list[tuple[int, str]]:
    """Return where the first of each Markdown construct is, and what to write instead."""
    masked = _mask_code(text)
    return sorted([*_forms(masked), *_headings(masked)])


def _mask_code(text: str) -> str:
    """Return the text with its tags and its code as letters, so that nothing in them counts."""
    without = _mask_spans(text, _VERBATIM, lambda found: f"{{{found[1]}}}")
    return _mask_spans(without, _TAG, lambda found: _CLOSERS[found[0]])


def _mask_spans(text: str, opener: re.Pattern[str], closer: Callable[[re.Match[str]], str]) -> str:
    parts, end = [], 0
    missing = set[str]()
    for found in opener.finditer(text):
        wanted = closer(found)
        if found.start() < end or wanted in missing:
            continue
        closed = text.find(wanted, found.end())
        if closed < 0:
            # Nor will one of the later openers find it.
            missing.add(wanted)
            continue
        parts.append(text[end : found.start()])
        end = closed + len(wanted)
        parts.append(_NO_LINE_BREAK.sub("x", text[found.start() : end]))
    return "".join((*parts, text[end:]))


def _forms(text: str) -> Iterator[tuple[int, str]]:
    for form in _FORMS:
        found = form.pattern.search(text)
        if found:
            yield found.start(), form.hint


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the first heading; items of a numbered list, which begin alike, are none."""
    lines = text.split("\n")
    # With nothing before the first line and after the last one.
    items = [False, *(_ITEM.match(line) is not None for line in lines), False]
    start = 0
    for number, line in enumerate(lines):
        heading = _HEADING.match(line)
        if heading and not items[number] and not items[number + 2]:
            yield start, f"write h{len(heading[1])}. Title"
            return
        start += len(line) + 1


def _position(text: str, start: int) -> Position:
    before = text[:start]
    return Position(before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1)
