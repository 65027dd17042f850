"""Rules about what a form lets people choose: values, conditions that never hold, sizes."""

from collections.abc import Iterator
from typing import Any

from catalog.forms import Condition, FieldDefinition, FieldType
from catalog.forms.conditions import leaves
from catalog.forms.definition import Operator
from catalog.forms.values import ValueFormatError, canonical, is_number, parse_date, parse_size
from catalog.loading import Path
from catalog.suggestions import nearest
from catalog.validation.form_rules import GROUPS, conditions_of, fields_of, known_fields
from catalog.validation.subject import Problem, Subject

_EQUALITY = frozenset({Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN})
_NUMBERS = frozenset({FieldType.NUMBER, FieldType.INTEGER})
_FREE = frozenset({FieldType.JSON, FieldType.MULTISELECT, FieldType.LIST})
# A request is at most 1 MB, and base64 makes a file a third larger.
_LARGEST_FILE = 750_000


def values(subject: Subject) -> Iterator[Problem]:
    """Require unique texts, numbers or booleans as values of an enum.

    Equal values cannot be distinguished; 1 and 1.0 are equal, 1 and "1" are not.
    """
    for path, field in fields_of(subject):
        where: Path = (*path, "enum") if field.enum is not None else (*path, "validation", "enum")
        seen: set[Any] = set()
        for index, choice in enumerate(field.choices or ()):
            if isinstance(choice.value, dict | list) or choice.value is None:
                message = "an enum value must be a text, a number or a boolean"
                yield Problem((*where, index), message, "write value and label, or the value alone")
                continue
            if canonical(choice.value) in seen:
                yield Problem((*where, index), f"the value {choice.value!r} is listed twice")
            seen.add(canonical(choice.value))


def never_shown(subject: Subject) -> Iterator[Problem]:
    """Require that a condition compares a field with values that it can have.

    That is one of the values of a select, true or false for a boolean, a number for a number.
    """
    for path, condition in conditions_of(subject):
        known = known_fields(subject, path)
        for way, leaf in leaves(path, condition):
            field = known.get(leaf.depends_on or "")
            if field is None or leaf.condition not in _EQUALITY:
                continue
            for value in _compared_values(leaf):
                message = _mismatch(field, value)
                if message:
                    yield Problem((*way, "value"), message, _suggestion(field, value))


def empty_groups(subject: Subject) -> Iterator[Problem]:
    """Require that a group has fields."""
    for g, group in enumerate(subject.item.groups):
        if not group.fields:
            yield Problem((*GROUPS, g), f"the group {group.id[:80]!r} has no fields")


def anchored_patterns(subject: Subject) -> Iterator[Problem]:
    """Suggest anchors at both ends of a pattern.

    A pattern may match anywhere in the text: ``[a-z]+`` accepts ``1a!`` too.
    """
    for path, field in fields_of(subject):
        pattern = field.validation.pattern
        if pattern and not (pattern.startswith(("^", "(?i)^", r"\A")) and pattern.endswith("$")):
            message = "the pattern may match only a part of the text"
            yield Problem(
                (*path, "validation", "pattern"), message, "write ^...$ to match all of it"
            )


def file_sizes(subject: Subject) -> Iterator[Problem]:
    """Require a maximum file size that fits into a request."""
    for path, field in fields_of(subject):
        size = field.validation.max_size
        if field.type is not FieldType.FILE or size is None:
            continue
        try:
            limit = parse_size(size)
        except ValueFormatError:
            continue
        if limit > _LARGEST_FILE:
            message = f"a file of {size} does not fit into a request, which may have at most 1 MB"
            yield Problem((*path, "validation", "maxSize"), message, "write at most 700KB")


def _compared_values(leaf: Condition) -> list[Any]:
    if leaf.condition in (Operator.EQUALS, Operator.NOT_EQUALS):
        return [leaf.value]
    return leaf.value if isinstance(leaf.value, list) else []


def _mismatch(field: FieldDefinition, value: Any) -> str | None:
    shown = f"{field.id} is never {str(value)[:80]!r}"
    if field.type is FieldType.BOOLEAN:
        return None if isinstance(value, bool) else f"{shown}: it is true or false"
    if field.type in _NUMBERS:
        return None if is_number(value) else f"{shown}: it is a number"
    if field.type is FieldType.SELECT and field.choices:
        known = {canonical(choice.value) for choice in field.choices}
        return None if canonical(value) in known else f"{shown}: that is not one of its values"
    if field.type is FieldType.DATE:
        return None if parse_date(value) else f"{shown}: it is a date such as 2026-03-01"
    if field.type in _FREE:
        return None
    return None if isinstance(value, str) else f"{shown}: it is a text"


def _suggestion(field: FieldDefinition, value: Any) -> str:
    names = [str(choice.value) for choice in field.choices or ()]
    near = nearest(str(value), names)
    return f"did you mean {near}?" if near else ""
