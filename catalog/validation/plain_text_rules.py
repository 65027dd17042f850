"""Rules about texts that look like templates and are none, here or in this language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catalog.config_texts import is_template
from catalog.forms import FieldType
from catalog.forms.conditions import leaves
from catalog.loading import Path, Position, walk_texts
from catalog.templating.foreign_names import path_meant
from catalog.templating.names import REQUEST_MEMBERS, SYSTEM_MEMBERS
from catalog.validation.form_rules import GROUPS, conditions_of, fields_of
from catalog.validation.subject import Problem, Subject

_SHOWN = 60
_WHERE_USED = "put the template where the value is used, into the config of an action"
_INSTEAD = {"default": 'write default: {template: "..."} to have it computed'}
_IN_RULE = (
    "a condition compares with a value; fields are compared in required: {when: ...} or rules"
)
# Parts of documents in which no template is read at all: of items, and the rows of lists.
_OTHERS = ("lifecycle", "rows")
_GITHUB_FILES = ("git-commit", "contentTemplate")
_KNOWN = (
    "data|each|env|fields|form|input|inputs|local|metadata|module|outputs|parameters|params"
    "|request|self|steps|system|user|values|var|vars"
)
_AS_HERE = frozenset({"env", "environment", "metadata", "request", "secrets", "system"})
_MEMBERS = {"request": REQUEST_MEMBERS, "system": SYSTEM_MEMBERS}
_ANY_VALUE = "{{fields.<id>}}, or another value of this request"
# Matched once: what follows it may hold the same signs.
_PATH = r"(?P<path>[\w.\[\]\"'-]++)"


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How another tool writes a value, and whose spelling it is."""

    pattern: re.Pattern[str]
    tool: str


_FOREIGN = (
    _Spelling(re.compile(rf"\$\{{\{{\s*{_PATH}[^{{}}]*+\}}\}}"), "Backstage or GitHub"),
    _Spelling(re.compile(rf"\$\{{\s*(?=(?:{_KNOWN})\.){_PATH}\s*\}}"), "Terraform or JavaScript"),
    _Spelling(re.compile(rf"\$\((?=(?:{_KNOWN})\.){_PATH}\)"), "Tekton"),
    _Spelling(re.compile(rf"<%=?\s*{_PATH}[^%]*+%>"), "ERB"),
    _Spelling(re.compile(rf"#\{{\s*(?=(?:{_KNOWN})\.){_PATH}\s*\}}"), "Ruby"),
    _Spelling(
        re.compile(rf"(?<![{{$#\\])\{{(?=(?:fields|metadata|request|system)\.){_PATH}\}}(?!\}})"),
        "Python",
    ),
)


_CODE = re.compile(r"`[^`]*`")
_IN_PLAIN = ("${", "$(", "<%", "#{")
_IN_PLAIN_BRACES = re.compile(r"(?<!\{)\{(?:fields|metadata|request|system)\.")
_SHOWS_ANYTHING = frozenset({"pattern", "description"})
_MAY_BE_FOREIGN = re.compile(r"[$#<]|(?<!\{)\{(?!\{)")


def unread(subject: Subject) -> Iterator[Problem]:
    """Require that text that is never rendered does not look like a template.

    Names, descriptions, tags, owners, addresses of documentation, placeholders, patterns, messages,
    plain defaults, values of conditions, rows of lists and keys are used literally:
    ``default: "{{fields.team}}-db"`` would become a database of that name. Templates are the texts
    in the ``config`` of actions and components, ``cleanup`` and ``when``. A description may show
    one as code, between backticks.
    """
    for path, text in _plain_texts(subject) if _may_hold_templates(subject) else ():
        found = _CODE.sub(_blank, text).find("{{") if path[-1] == "description" else text.find("{{")
        if found >= 0:
            what = _what(path)
            message = f"{what} is not a template: {text[:_SHOWN]!r} would be used literally"
            hint = _INSTEAD.get(str(path[-1]), _WHERE_USED)
            if "conditional" in path:
                hint = _IN_RULE
            yield Problem(path, message, hint, inside=_position(text, found))
    yield from _keys(subject)


def foreign(subject: Subject) -> Iterator[Problem]:
    """Warn about the templates of another tool, which are sent unchanged.

    ``${{ parameters.name }}``, ``${var.name}`` and the like mean nothing here: write
    ``{{fields.name}}``. The files of a ``git-commit`` are left out, because they may be meant for
    such a tool.
    """
    known = {field.id for field in subject.item.fields}
    for placed in subject.templates:
        kind = placed.action.type if placed.action else ""
        if placed.errors or (placed.place and (kind, placed.place[-1]) == _GITHUB_FILES):
            continue
        for spelling in _FOREIGN if _MAY_BE_FOREIGN.search(placed.text) else ():
            for found in spelling.pattern.finditer(placed.text):
                hint = f"write {_meant(found['path'], known)}"
                yield _foreign_problem(placed.path, placed.text, found, spelling, hint)
    yield from _plain_foreign(subject, known)


def _plain_foreign(subject: Subject, known: set[str]) -> Iterator[Problem]:
    """Yield the same in texts in which no template is read at all."""
    whole = subject.document.text
    if not any(mark in whole for mark in _IN_PLAIN) and not _IN_PLAIN_BRACES.search(whole):
        return
    for path, text in _plain_texts(subject):
        # Another rule reports braces; patterns and descriptions may show anything.
        if "{{" in text or path[-1] in _SHOWS_ANYTHING:
            continue
        for spelling in _FOREIGN:
            for found in spelling.pattern.finditer(text):
                computed = f'write default: {{template: "{_meant(found["path"], known)}"}}'
                hint = computed if path[-1] == "default" else _WHERE_USED
                yield _foreign_problem(path, text, found, spelling, hint)


def _foreign_problem(
    path: Path, text: str, found: re.Match[str], spelling: _Spelling, hint: str
) -> Problem:
    message = f"{found[0][:_SHOWN]} is {spelling.tool} syntax, not a template"
    return Problem(path, message, hint, inside=_position(text, found.start()))


def _may_hold_templates(subject: Subject) -> bool:
    """Return whether any text outside of the actions looks like a template, which is rare."""
    names = [action.name for _, action in subject.actions()]
    components = (component.name for _, component in subject.components())
    parts = (subject.document.data.get(key) for key in ("metadata", "presentation", *_OTHERS))
    texts = (text for part in parts for _, text in walk_texts(part))
    return any("{{" in text for text in (*names, *components, *texts))


def _plain_texts(subject: Subject) -> Iterator[tuple[Path, str]]:
    """Yield the texts that people see or that are compared, as they are written."""
    item = subject.item
    for key in ("name", "description", "tags", "owner", "access", "category", "sla"):
        yield from _texts(("metadata", key), subject)
    yield from _texts(("presentation", "display"), subject)
    for key in _OTHERS:
        yield from _texts((key,), subject)
    for g, group in enumerate(item.groups):
        yield (*GROUPS, g, "name"), group.name or ""
        yield (*GROUPS, g, "description"), group.description or ""
    yield from _texts_of_fields(subject)
    for path, condition in conditions_of(subject):
        for way, leaf in leaves(path, condition):
            yield from (((*way, "value", *at), text) for at, text in walk_texts(leaf.value))
    for r, rule in enumerate(item.presentation.form.rules):
        yield ("presentation", "form", "rules", r, "message"), rule.message
    for path, action in subject.actions():
        yield (*path, "name"), action.name
    for path, component in subject.components():
        yield (*path, "name"), component.name


def _texts_of_fields(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, field in fields_of(subject):
        yield (*path, "name"), field.name or ""
        yield (*path, "description"), field.description or ""
        yield (*path, "placeholder"), field.placeholder or ""
        for key in ("pattern", "message"):
            yield (*path, "validation", key), getattr(field.validation, key) or ""
        if field.items is not None:
            yield (*path, "items", "pattern"), field.items.pattern or ""
        for key in ("list", "type", "select", "value", "label"):
            text = getattr(field.options, key, None)
            yield (*path, "options", key), text if isinstance(text, str) else ""
        enum: Path = ("enum",) if field.enum is not None else ("validation", "enum")
        yield from _texts((*path, *enum), subject)
        if field.type is not FieldType.JSON and isinstance(field.default, str | list | tuple):
            yield from _texts((*path, "default"), subject)


def _texts(path: Path, subject: Subject) -> Iterator[tuple[Path, str]]:
    value: Any = subject.document.data
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return
    for place, text in walk_texts(value):
        yield (*path, *place), text


def _keys(subject: Subject) -> Iterator[Problem]:
    for path, action in subject.actions():
        yield from _keys_in(action.config, (*path, "config"))
    for path, component in subject.components():
        yield from _keys_in(component.config, (*path, "config"))


def _keys_in(value: Any, path: Path) -> Iterator[Problem]:
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        if is_template(key):
            message = f"a key is not a template: {key[:_SHOWN]!r} would be used literally"
            yield Problem((*path, key), message, "write the key out", at_key=True)
        if isinstance(inner, dict | list):
            yield from _keys_in(inner, (*path, key))


def _blank(code: re.Match[str]) -> str:
    return " " * len(code[0])


def _what(path: Path) -> str:
    last = next((part for part in reversed(path) if isinstance(part, str)), "this")
    return {"enum": "a value of an enum", "tags": "a tag"}.get(last, f"the {last}")


def _meant(path: str, known: set[str]) -> str:
    """Return the value that was probably meant."""
    plain = path.replace('"', "").replace("'", "").replace("]", "").replace("[", ".")
    first, _, last = plain.partition(".")
    last = last.rpartition(".")[2] or first
    ours = path_meant(plain) or ""
    if ours.startswith(("request", "system")):
        return f"{{{{{ours}}}}}"
    if first in _AS_HERE and plain != first:
        member = plain.split(".")[1]
        return f"{{{{{plain}}}}}" if member in _MEMBERS.get(first, (member,)) else _ANY_VALUE
    if last in known:
        return f"{{{{fields.{last}}}}}"
    return _ANY_VALUE


def _position(text: str, start: int) -> Position:
    before = text[:start]
    return Position(before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1)
