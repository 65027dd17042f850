"""What each constraint of each field type means: one small check per constraint.

The order of the checks is the order of the errors (template-grammar, Forms). Which field is shown,
and which value it has, is decided in form.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from catalog.forms.definition import Constraints, FieldDefinition, FieldType, Strength
from catalog.forms.embedded_schema import EmbeddedSchema, check_schema
from catalog.forms.values import (
    ValueFormatError,
    canonical,
    check_date_bound,
    compile_pattern,
    is_email,
    is_number,
    media_type_fits,
    parse_data_url,
    parse_date,
    parse_size,
    problem_of,
    resolve_date,
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
}
EMPTY_TEXT_TYPES = frozenset(
    {FieldType.STRING, FieldType.TEXTAREA, FieldType.PASSWORD, FieldType.EMAIL}
)
# Characters, and kinds of characters (lower, upper, digit, other), that a strength asks for.
STRENGTHS = {Strength.WEAK: (0, 0), Strength.MEDIUM: (8, 2), Strength.STRONG: (12, 3)}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed constraint; the message goes on after the field's name."""

    constraint: str
    message: str
    expected: Any = None


Check = Callable[[Any, date], Failure | None]


@dataclass(frozen=True, slots=True)
class FieldChecks:
    """The checks of one field: the first failed gate ends them, of the rest all are reported."""

    gates: tuple[Check, ...]
    rest: tuple[Check, ...]

    def failures(self, value: Any, today: date) -> Iterator[Failure]:
        """Give what is wrong with a value that is there, in the order of the grammar."""
        for gate in self.gates:
            failure = gate(value, today)
            if failure:
                yield failure
                return
        yield from filter(None, (check(value, today) for check in self.rest))


def is_blank(field: FieldDefinition, value: Any) -> bool:
    """Tell whether a value is the empty one of its type: "" in texts, [] in a multiselect."""
    if field.type in EMPTY_TEXT_TYPES:
        return bool(value == "")
    return field.type is FieldType.MULTISELECT and value == []


def compile_checks(field: FieldDefinition) -> FieldChecks:
    """Make the checks of a field; raises ``ValueFormatError`` for a constraint that is unreadable.

    Constraints that do not belong to the type are passed over: a rule of validation reports them.
    """
    gates = [_storable, *_GATES.get(field.type, ())]
    rest: list[Check] = []
    if field.type is FieldType.MULTISELECT and field.choices is None:
        gates.append(_texts)
    if field.choices is not None and "enum" in CONSTRAINTS[field.type]:
        rest.append(_enum(field))
    if field.type is FieldType.MULTISELECT:
        rest.append(_unique)
    rest.extend(_FACTORIES[factory](value) for _, factory, value in _given(field))
    return FieldChecks(tuple(gates), tuple(rest))


def constraint_problems(field: FieldDefinition) -> Iterator[tuple[str, str]]:
    """Give every constraint of a field that cannot be read: its key in the document, and why."""
    for name, factory, value in _given(field):
        try:
            _FACTORIES[factory](value)
        except ValueFormatError as error:
            yield key_of(name), str(error)
    if field.type is FieldType.SELECT and not field.choices:
        yield "enum", "is missing: a select needs the values to choose from"


def key_of(constraint: str) -> str:
    """Give the key of a constraint as it stands in a document."""
    return Constraints.model_fields[constraint].alias or constraint


def _given(field: FieldDefinition) -> Iterator[tuple[str, str, Any]]:
    """Give name, factory and value of each constraint that stands on the field and fits it."""
    prefix = "date_" if field.type is FieldType.DATE else ""
    for name in CONSTRAINTS[field.type]:
        value = getattr(field.validation, name)
        if name != "enum" and value is not None:
            yield name, prefix + name, value


def _storable(value: Any, _: date) -> Failure | None:
    problem = problem_of(value)
    return Failure("type", problem) if problem else None


def _text(value: Any, _: date) -> Failure | None:
    return None if isinstance(value, str) else Failure("type", "must be a text", "text")


def _email(value: str, _: date) -> Failure | None:
    if is_email(value):
        return None
    return Failure("format", "must be an email address such as name@example.com", "email")


def _number(value: Any, _: date) -> Failure | None:
    return None if is_number(value) else Failure("type", "must be a number", "number")


def _integer(value: Any, _: date) -> Failure | None:
    if is_number(value) and value == int(value):
        return None
    return Failure("type", "must be a whole number", "integer")


def _boolean(value: Any, _: date) -> Failure | None:
    return None if isinstance(value, bool) else Failure("type", "must be true or false", "boolean")


def _list(value: Any, _: date) -> Failure | None:
    return None if isinstance(value, list) else Failure("type", "must be a list", "list")


def _texts(value: list[Any], _: date) -> Failure | None:
    if all(isinstance(item, str) for item in value):
        return None
    return Failure("type", "must be a list of texts", "list of texts")


def _date(value: str, _: date) -> Failure | None:
    if parse_date(value):
        return None
    return Failure("format", "must be a date such as 2026-03-01", "YYYY-MM-DD")


def _file(value: str, _: date) -> Failure | None:
    if parse_data_url(value):
        return None
    form = "data:<media type>;base64,<content>"
    return Failure("format", f"must be a file as {form}", form)


_GATES: dict[FieldType, tuple[Check, ...]] = {
    **dict.fromkeys((FieldType.STRING, FieldType.TEXTAREA, FieldType.PASSWORD), (_text,)),
    FieldType.EMAIL: (_text, _email),
    FieldType.NUMBER: (_number,),
    FieldType.INTEGER: (_integer,),
    FieldType.BOOLEAN: (_boolean,),
    FieldType.MULTISELECT: (_list,),
    FieldType.DATE: (_text, _date),
    FieldType.FILE: (_text, _file),
}


def _require(holds: Callable[[Any], bool], failure: Failure) -> Check:
    return lambda value, _: None if holds(value) else failure


def _unique(value: list[Any], _: date) -> Failure | None:
    if len({canonical(item) for item in value}) == len(value):
        return None
    return Failure("unique", "must not have a value twice")


def _enum(field: FieldDefinition) -> Check:
    values = [choice.value for choice in field.choices or ()]
    known = {canonical(value) for value in values}
    named = ", ".join(str(value) for value in values[:20])
    many = field.type is FieldType.MULTISELECT
    failure = Failure("enum", f"must be {'some' if many else 'one'} of: {named}", values)
    if many:
        return _require(lambda value: all(canonical(item) in known for item in value), failure)
    return _require(lambda value: canonical(value) in known, failure)


def _min_length(limit: int) -> Check:
    failure = Failure("minLength", f"must have at least {limit} characters", limit)
    return _require(lambda value: len(value) >= limit, failure)


def _max_length(limit: int) -> Check:
    failure = Failure("maxLength", f"must have at most {limit} characters", limit)
    return _require(lambda value: len(value) <= limit, failure)


def _pattern(pattern: str) -> Check:
    compiled = compile_pattern(pattern)
    failure = Failure("pattern", f"must match {pattern}", pattern)
    return _require(lambda value: compiled.search(value) is not None, failure)


def _strength(wanted: Strength) -> Check:
    characters, kinds = STRENGTHS[wanted]
    message = (
        f"must have at least {characters} characters and {kinds} of: "
        "lower case, upper case, digit, other"
    )
    return _require(
        lambda value: len(value) >= characters and _kinds(value) >= kinds,
        Failure("strength", message, wanted.value),
    )


def _kinds(text: str) -> int:
    def kind(character: str) -> str:
        if not character.isascii() or not character.isalnum():
            return "other"
        return "digit" if character.isdigit() else "lower" if character.islower() else "upper"

    return len({kind(character) for character in text})


def _min(limit: Any) -> Check:
    _refuse_text(limit)
    return _require(
        lambda value: bool(value >= limit), Failure("min", f"must be at least {limit}", limit)
    )


def _max(limit: Any) -> Check:
    _refuse_text(limit)
    return _require(
        lambda value: bool(value <= limit), Failure("max", f"must be at most {limit}", limit)
    )


def _refuse_text(limit: Any) -> None:
    if not is_number(limit):
        raise ValueFormatError("must be a number")


def _step(step: float) -> Check:
    if step <= 0:
        raise ValueFormatError("must be greater than 0")
    # The decimal text of a float, not its binary value: 0.3 is a multiple of 0.1.
    unit = Fraction(repr(step))
    failure = Failure("step", f"must be a multiple of {step}", step)
    return _require(lambda value: (Fraction(repr(value)) / unit).denominator == 1, failure)


def _date_min(bound: Any) -> Check:
    return _date_bound("min", bound)


def _date_max(bound: Any) -> Check:
    return _date_bound("max", bound)


def _date_bound(constraint: str, bound: Any) -> Check:
    check_date_bound(bound)

    def check(value: str, today: date) -> Failure | None:
        limit, day = resolve_date(bound, today), parse_date(value)
        if limit is None or day is None:
            return None
        if day >= limit if constraint == "min" else day <= limit:
            return None
        words = "on or after" if constraint == "min" else "on or before"
        return Failure(constraint, f"must be {words} {limit.isoformat()}", limit.isoformat())

    return check


def _min_items(limit: int) -> Check:
    failure = Failure("minItems", f"must have at least {limit} values", limit)
    return _require(lambda value: len(value) >= limit, failure)


def _max_items(limit: int) -> Check:
    failure = Failure("maxItems", f"must have at most {limit} values", limit)
    return _require(lambda value: len(value) <= limit, failure)


def _max_size(size: int | str) -> Check:
    limit = parse_size(size)
    failure = Failure("maxSize", f"must be at most {size} in size", limit)

    def fits(value: str) -> bool:
        url = parse_data_url(value)
        return url is not None and url.size <= limit

    return _require(fits, failure)


def _types(types: tuple[str, ...]) -> Check:
    failure = Failure("types", f"must be of type {', '.join(types)}", list(types))

    def fits(value: str) -> bool:
        url = parse_data_url(value)
        return url is not None and any(media_type_fits(url.media_type, known) for known in types)

    return _require(fits, failure)


def _schema(schema: dict[str, Any] | bool) -> Check:  # noqa: FBT001 -- a JSON Schema may be a bare boolean
    check_schema(schema)
    compiled = EmbeddedSchema(schema)

    def check(value: Any, _: date) -> Failure | None:
        problem = compiled.problem(value)
        return Failure("schema", f"does not fit its schema {problem}") if problem else None

    return check


_FACTORIES: dict[str, Callable[[Any], Check]] = {
    "min_length": _min_length,
    "max_length": _max_length,
    "pattern": _pattern,
    "strength": _strength,
    "min": _min,
    "max": _max,
    "step": _step,
    "date_min": _date_min,
    "date_max": _date_max,
    "min_items": _min_items,
    "max_items": _max_items,
    "max_size": _max_size,
    "types": _types,
    "json_schema": _schema,
}
