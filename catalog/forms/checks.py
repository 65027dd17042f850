"""Which checks each field type has: gates first, then its constraints.

The order of the checks is the order of the errors (template-grammar, Forms). Which field is shown,
and which value it has, is decided in form.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from catalog.forms.constraint_checks import (
    CHECK_FACTORIES,
    Check,
    ConstraintFailure,
    check_rows,
    check_unique,
    enum_check,
    item_checks,
    must_be_check,
)
from catalog.forms.definition import Constraints, FieldDefinition, FieldType
from catalog.forms.text_formats import (
    host_of,
    is_name,
    parse_duration_text,
    parse_moment,
    parse_time,
)
from catalog.forms.values import (
    ValueFormatError,
    compile_pattern,
    is_email,
    is_number,
    parse_data_url,
    parse_date,
    storage_problem,
)

_TEXT = ("min_length", "max_length", "pattern")
_NUMBER = ("min", "max", "step")
# The one table of which constraint belongs to which type, in the order in which they are checked.
CONSTRAINTS: dict[FieldType, tuple[str, ...]] = {
    FieldType.STRING: _TEXT,
    FieldType.TEXTAREA: _TEXT,
    FieldType.PASSWORD: (*_TEXT, "strength"),
    FieldType.EMAIL: (),
    FieldType.NUMBER: _NUMBER,
    FieldType.INTEGER: _NUMBER,
    FieldType.BOOLEAN: (),
    FieldType.SELECT: ("enum",),
    FieldType.MULTISELECT: ("enum", "min_items", "max_items"),
    FieldType.DATE: ("min", "max"),
    FieldType.FILE: ("max_size", "types"),
    FieldType.JSON: ("json_schema",),
    **dict.fromkeys((FieldType.DATETIME, FieldType.TIME, FieldType.DURATION), ("min", "max")),
    FieldType.URL: ("hosts",),
    FieldType.USER: (),
    FieldType.TEAM: (),
    FieldType.LIST: ("min_items", "max_items"),
}
EMPTY_TEXT_TYPES = frozenset(
    {
        FieldType.STRING,
        FieldType.TEXTAREA,
        FieldType.PASSWORD,
        FieldType.EMAIL,
        FieldType.URL,
        FieldType.USER,
        FieldType.TEAM,
    }
)
_LISTS = frozenset({FieldType.MULTISELECT, FieldType.LIST})
# Bounds of these are read as values of their type.
_OWN_BOUNDS = frozenset({FieldType.DATE, FieldType.DATETIME, FieldType.TIME, FieldType.DURATION})


@dataclass(frozen=True, slots=True)
class FieldChecks:
    """The checks of one field: the first failed gate ends them, of the rest all are reported."""

    gates: tuple[Check, ...]
    rest: tuple[Check, ...]

    def failures(self, value: Any, today: date) -> Iterator[ConstraintFailure]:
        """Yield what is wrong with a value that is there, in the order of the grammar."""
        for gate in self.gates:
            failure = gate(value, today)
            if failure:
                yield failure
                return
        yield from filter(None, (check(value, today) for check in self.rest))


def is_blank(field: FieldDefinition, value: Any) -> bool:
    """Return whether a value is the empty one of its type: "" in texts, [] in lists."""
    if field.type in EMPTY_TEXT_TYPES:
        return bool(value == "")
    return field.type in _LISTS and value == []


def compile_checks(field: FieldDefinition) -> FieldChecks:
    """Make the checks of a field; raises ``ValueFormatError`` for a constraint that is unreadable.

    Constraints that do not belong to the type are passed over: a rule of validation reports them.
    """
    gates = [_storable, *_GATES.get(field.type, ())]
    rest: list[Check] = []
    if field.type is FieldType.MULTISELECT and field.choices is None and field.options is None:
        gates.append(_texts)
    if field.options is not None:
        gates.append(_scalars if field.type is FieldType.MULTISELECT else _scalar)
    if field.choices is not None and "enum" in CONSTRAINTS[field.type]:
        rest.append(enum_check(field))
    if field.type is FieldType.MULTISELECT:
        rest.append(check_unique)
        if field.items is not None and field.choices is None:
            rest.extend(item_checks(field.items))
    if field.type is FieldType.LIST:
        gates.append(check_rows)
    if field.must_be is not None and field.type is FieldType.BOOLEAN:
        rest.append(must_be_check(value=field.must_be))
    rest.extend(
        CHECK_FACTORIES[factory](value) for _, factory, value in _applicable_constraints(field)
    )
    return FieldChecks(tuple(gates), tuple(rest))


def constraint_problems(field: FieldDefinition) -> Iterator[tuple[str, str]]:
    """Yield every constraint of a field that cannot be read: its key in the document, and why."""
    for name, factory, value in _applicable_constraints(field):
        try:
            CHECK_FACTORIES[factory](value)
        except ValueFormatError as error:
            yield key_of(name), str(error)
    if field.items is not None and field.items.pattern is not None:
        try:
            compile_pattern(field.items.pattern)
        except ValueFormatError as error:
            yield "items", f"pattern {error}"
    if field.type is FieldType.SELECT and not field.choices and field.options is None:
        yield "enum", "is missing: a select needs the values to choose from"


def key_of(constraint: str) -> str:
    """Return the key of a constraint in a document."""
    return Constraints.model_fields[constraint].alias or constraint


def _applicable_constraints(field: FieldDefinition) -> Iterator[tuple[str, str, Any]]:
    """Yield name, factory and value of each constraint of the field that applies to its type."""
    prefix = f"{field.type}_" if field.type in _OWN_BOUNDS else ""
    for name in CONSTRAINTS[field.type]:
        value = field.constraint(name)
        if name != "enum" and value is not None:
            yield name, prefix + name, value


def _storable(value: Any, _: date) -> ConstraintFailure | None:
    problem = storage_problem(value)
    return ConstraintFailure("type", problem) if problem else None


def _text(value: Any, _: date) -> ConstraintFailure | None:
    return None if isinstance(value, str) else ConstraintFailure("type", "must be a text", "text")


def _email(value: str, _: date) -> ConstraintFailure | None:
    if is_email(value):
        return None
    return ConstraintFailure("format", "must be an email address such as name@example.com", "email")


def _number(value: Any, _: date) -> ConstraintFailure | None:
    return None if is_number(value) else ConstraintFailure("type", "must be a number", "number")


def _integer(value: Any, _: date) -> ConstraintFailure | None:
    if is_number(value) and value == int(value):
        return None
    return ConstraintFailure("type", "must be a whole number", "integer")


def _boolean(value: Any, _: date) -> ConstraintFailure | None:
    return (
        None
        if isinstance(value, bool)
        else ConstraintFailure("type", "must be true or false", "boolean")
    )


def _list(value: Any, _: date) -> ConstraintFailure | None:
    return None if isinstance(value, list) else ConstraintFailure("type", "must be a list", "list")


def _texts(value: list[Any], _: date) -> ConstraintFailure | None:
    if all(isinstance(item, str) for item in value):
        return None
    return ConstraintFailure("type", "must be a list of texts", "list of texts")


def _scalar(value: Any, _: date) -> ConstraintFailure | None:
    if isinstance(value, str | int | float):
        return None
    return ConstraintFailure("type", "must be one of the choices", "text, number or boolean")


def _scalars(value: list[Any], today: date) -> ConstraintFailure | None:
    return next((failure for item in value if (failure := _scalar(item, today))), None)


def _date(value: str, _: date) -> ConstraintFailure | None:
    if parse_date(value):
        return None
    return ConstraintFailure("format", "must be a date such as 2026-03-01", "YYYY-MM-DD")


def _file(value: str, _: date) -> ConstraintFailure | None:
    if parse_data_url(value):
        return None
    form = "data:<media type>;base64,<content>"
    return ConstraintFailure("format", f"must be a file written as {form}", form)


def _format_check(
    reads: Callable[[str], object], what: str, form: str
) -> Callable[[str, date], ConstraintFailure | None]:
    """Return the check that a text has a certain format."""
    failure = ConstraintFailure("format", f"must be {what}", form)
    return lambda value, _: None if reads(value) else failure


_datetime = _format_check(
    parse_moment, "a moment with its offset such as 2026-03-01T08:30:00Z", "RFC 3339"
)
_time = _format_check(
    lambda text: parse_time(text) is not None, "a time of day such as 08:30", "HH:MM or HH:MM:SS"
)
_duration = _format_check(
    lambda text: parse_duration_text(text) is not None,
    "a duration such as 90s, 1h30m or 2d",
    "duration",
)
_url = _format_check(
    host_of, "an address such as https://wiki.example.com/page", "http or https URL"
)
_user = _format_check(is_name, "the id or email address of a user", "user")
_team = _format_check(is_name, "the name of a team", "team")


_GATES: dict[FieldType, tuple[Check, ...]] = {
    **dict.fromkeys((FieldType.STRING, FieldType.TEXTAREA, FieldType.PASSWORD), (_text,)),
    FieldType.EMAIL: (_text, _email),
    FieldType.NUMBER: (_number,),
    FieldType.INTEGER: (_integer,),
    FieldType.BOOLEAN: (_boolean,),
    FieldType.MULTISELECT: (_list,),
    FieldType.DATE: (_text, _date),
    FieldType.FILE: (_text, _file),
    FieldType.DATETIME: (_text, _datetime),
    FieldType.TIME: (_text, _time),
    FieldType.DURATION: (_text, _duration),
    FieldType.URL: (_text, _url),
    FieldType.USER: (_text, _user),
    FieldType.TEAM: (_text, _team),
    FieldType.LIST: (_list,),
}
