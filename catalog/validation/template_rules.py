"""Rules about templates: each is checked against the names and types that it will have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.forms import FieldType
from catalog.forms.conditions import references
from catalog.loading import Path, Position
from catalog.templating import TemplateError
from catalog.templating.diagnostics import LIST_MEMBER, UNDEFINED
from catalog.templating.value_types import (
    ANY,
    LIST,
    MAPPING,
    MISSING,
    NULL,
    TEXT,
    describe_kinds,
    shape_of_schema,
)
from catalog.validation.secret_rules import passwords_in
from catalog.validation.subject import Problem, Subject
from catalog.validation.template_types import kinds_of
from catalog.validation.templates import PlacedTemplate

_WHOLE_FIELD = re.compile(r"\{\{-?\s*(?:request\.data|fields)\.([A-Za-z0-9_]+)\s*-?\}\}")


def templates(subject: Subject) -> Iterator[Problem]:
    """Require valid templates that refer only to what exists.

    A template may read the fields of this form, the metadata, the request, and the outputs of
    actions that have ended before: those above it, or in a parallel list its dependencies.
    """
    for placed in subject.templates:
        if not placed.is_condition and placed.path[0] != "components":
            yield from _errors(subject, placed)


def conditions(subject: Subject) -> Iterator[Problem]:
    """Require a single expression in ``when`` that refers only to what exists.

    It is written with or without one pair of braces; with text around it, it would always be
    true.
    """
    for placed in subject.templates:
        if placed.is_condition:
            yield from _errors(subject, placed)


def components(subject: Subject) -> Iterator[Problem]:
    """Require that the values of a component refer only to what is available when it starts.

    That is the bundle's form and the completed components: all earlier ones in sequential mode,
    its dependencies in parallel mode.
    """
    for placed in subject.templates:
        if placed.path[0] == "components":
            yield from _errors(subject, placed)


def missing_values(subject: Subject) -> Iterator[Problem]:
    """Require that what a template reads can exist.

    The outputs of an action type are fixed unless it says otherwise, and the constants of the
    metadata are in this file.
    """
    yield from _remarks(subject, UNDEFINED)


def list_members(subject: Subject) -> Iterator[Problem]:
    """Warn about members of a list that are read by name, which are never there.

    Rendering continues with the other value of ``default`` or the other branch of an ``if``:
    ``{{fields.rows.prefix | default("none")}}`` is always ``none``. Where the value must exist, it
    is an error.
    """
    yield from _remarks(subject, LIST_MEMBER)


def types(subject: Subject) -> Iterator[Problem]:
    """Require values of a type that function, operator and configuration accept.

    A field of type integer is a number, neither a list nor a text; a field of type json is
    whatever JSON it holds. A value that is the whole text of a configuration, or of a computed
    default, keeps its type.
    """
    yield from _remarks(subject, "template-type")
    yield from _computed_defaults(subject)
    for placed in subject.templates:
        problem = _wrong_result(subject, placed)
        if problem:
            hint = "write text around it, or {{ .. | string }}"
            yield Problem(placed.path, problem, hint)
        elif name := _json_as_text(subject, placed):
            message = f"{name} is a field of type json, but a text is needed here"
            yield Problem(placed.path, message, f"write {{{{json(fields.{name})}}}}")


def _computed_defaults(subject: Subject) -> Iterator[Problem]:
    for placed in subject.templates:
        field = placed.of_form.field if placed.of_form else None
        if field is None or placed.found is None or placed.found.diagnostics:
            continue
        wanted, kinds = kinds_of(field), placed.found.shape.present_kinds
        if not kinds & (wanted | NULL | MISSING):
            message = f"this gives {describe_kinds(kinds)}, "
            message += f"but {field.id[:80]} needs {describe_kinds(wanted)}"
            hint = "write {{ .. | string }}" if wanted == TEXT else "write one tag, with no text"
            yield Problem(placed.path, message, hint)


def comparisons(subject: Subject) -> Iterator[Problem]:
    """Require that a comparison can have either result.

    A select is compared with one of its values, a number with a number: 5 is not "5".
    """
    yield from _remarks(subject, "template-never")


def unused_fields(subject: Subject) -> Iterator[Problem]:
    """Suggest that every field is used by a template or a condition."""
    used = _used_fields(subject)
    if used is None or not any(subject.actions()):
        return
    for g, group in enumerate(subject.item.groups):
        for f, field in enumerate(group.fields):
            # Terms that must be accepted have one value, which nothing has to read.
            if field.id not in used and not field.must_be:
                path: Path = ("presentation", "form", "groups", g, "fields", f)
                yield Problem(path, f"the field {field.id[:80]!r} is never used")


def _used_fields(subject: Subject) -> set[str] | None:
    """Return the fields that are read somewhere, or None where all of them may be."""
    used = set(passwords_in(subject).holders)
    if any(placed.errors for placed in subject.templates):
        return None
    for placed in subject.templates:
        for use in placed.found.uses if placed.found else ():
            path = use[1:] if use[:2] == ("request", "data") else use
            if path in (("fields",), ("request",), ("data",)) or path[1:2] == ("*",):
                return None
            if path[0] in ("fields", "data"):
                used.add(path[1])
    for group in subject.item.groups:
        for one in (group.conditional, *(field.conditional for field in group.fields)):
            used.update(name for _, name in references(one)) if one else None
    return used


def _remarks(subject: Subject, code: str) -> Iterator[Problem]:
    for placed in subject.templates:
        for remark in placed.remarks:
            if remark.id == code:
                yield _problem(subject, placed.path, remark)


def _errors(subject: Subject, placed: PlacedTemplate) -> Iterator[Problem]:
    for error in placed.errors:
        yield _problem(subject, placed.path, error)


def _wrong_result(subject: Subject, placed: PlacedTemplate) -> str | None:
    """Yield a problem for a template whose value has a type that its place does not accept."""
    wanted = _accepted_kinds(subject, placed)
    if wanted is None or placed.found is None or placed.found.diagnostics:
        return None
    kinds = placed.found.shape.present_kinds
    # A text is turned into a number or boolean where the configuration asks for one.
    if kinds & (wanted | TEXT | NULL | MISSING):
        return None
    where = next((part for part in reversed(placed.place or ()) if isinstance(part, str)), "this")
    return f"this gives {describe_kinds(kinds)}, but {where} needs {describe_kinds(wanted & ~NULL)}"


def _json_as_text(subject: Subject, placed: PlacedTemplate) -> str | None:
    """Return the field whose JSON, of a kind that its schema leaves open, is used as a text."""
    wanted = _accepted_kinds(subject, placed)
    if wanted is None or wanted & (MAPPING | LIST) or not wanted & TEXT or placed.found is None:
        return None
    if not (placed.found.shape.can_be(MAPPING) and placed.found.shape.can_be(LIST)):
        return None
    whole = _WHOLE_FIELD.fullmatch(placed.text.strip())
    free = (one.id for one in subject.item.fields if one.type is FieldType.JSON)
    return next((name for name in free if whole and whole[1] == name), None)


def _accepted_kinds(subject: Subject, placed: PlacedTemplate) -> int | None:
    """Return the kinds that the place of a typed value takes; None where all becomes text."""
    if not (placed.found and placed.action and placed.place):
        return None
    schema = subject.known_actions.get(placed.action.type)
    if schema is None or ".".join(map(str, placed.place)) in schema.targets:
        return None
    return _kinds_by_schema(schema.config, placed.place)


def _kinds_by_schema(schema: Mapping[str, Any], place: Path) -> int:
    """Return the kinds that a configuration takes at a place, as far as its schema says."""
    found: list[Any] = [schema]
    for part in place:
        found = [_at(branch, part) for one in found for branch in _branches(one, schema)]
    kinds = 0
    for one in found:
        for branch in _branches(one, schema):
            kinds |= shape_of_schema(branch).kinds
    return kinds or ANY


def _branches(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Iterator[Any]:
    if isinstance(schema, Mapping) and depth < 8:  # noqa: PLR2004 -- references do not go deeper
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            yield from _branches(root.get("$defs", {}).get(name), root, depth + 1)
            return
        members = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        if members:
            for member in members:
                yield from _branches(member, root, depth + 1)
            return
    yield schema


def _at(schema: Any, part: str | int) -> Any:
    if not isinstance(schema, Mapping):
        return None
    if isinstance(part, int):
        return schema.get("items")
    return schema.get("properties", {}).get(part, schema.get("additionalProperties"))


def _problem(subject: Subject, path: Path, error: TemplateError) -> Problem:
    hint = f"did you mean {error.suggestion}?" if error.suggestion else _field_meant(subject, error)
    where = Position(error.line, error.column)
    return Problem(path, f"{error.message} ({error.id})", hint, inside=where)


def _field_meant(subject: Subject, error: TemplateError) -> str:
    """Return how a field is read, where its bare id was written."""
    name = error.message.partition(" ")[0].lstrip(".")
    known = error.id == "template-scope" and any(name == one.id for one in subject.item.fields)
    return f"write fields.{name}" if known else ""
