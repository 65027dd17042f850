"""What each constraint means: from its value in a document to the check of a field's value."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, TypeVar

from catalog.forms.definition import (
    MOST_ROWS,
    FieldDefinition,
    FieldType,
    ItemConstraints,
    Strength,
)
from catalog.forms.embedded_schema import EmbeddedSchema, check_schema
from catalog.forms.text_formats import (
    check_host,
    check_moment_bound,
    host_of,
    is_allowed,
    parse_duration_text,
    parse_moment,
    parse_time,
    resolve_moment,
)
from catalog.forms.values import (
    ValueFormatError,
    canonical,
    check_date_bound,
    compile_pattern,
    is_number,
    media_type_fits,
    parse_data_url,
    parse_date,
    parse_size,
    resolve_date,
)

Moment = TypeVar("Moment", date, datetime)
_MOST_SHOWN = 80
# Characters, and kinds of characters (lower, upper, digit, other), that a strength asks for.
STRENGTHS = {Strength.WEAK: (0, 0), Strength.MEDIUM: (8, 2), Strength.STRONG: (12, 3)}


@dataclass(frozen=True, slots=True)
class ConstraintFailure:
    """A failed constraint; the message continues after the field's name."""

    constraint: str
    message: str
    expected: Any = None


Check = Callable[[Any, date], ConstraintFailure | None]


def _require(holds: Callable[[Any], bool], failure: ConstraintFailure) -> Check:
    return lambda value, _: None if holds(value) else failure


def check_unique(value: list[Any], _: date) -> ConstraintFailure | None:
    """Check that a list has no value twice."""
    if len({canonical(item) for item in value}) == len(value):
        return None
    return ConstraintFailure("unique", "must not contain duplicates")


def enum_check(field: FieldDefinition) -> Check:
    """Return the check that a value, or each in a list, is one of the field's choices."""
    values = [choice.value for choice in field.choices or ()]
    known = {canonical(value) for value in values}
    named = ", ".join(str(value) for value in values[:20])
    many = field.type is FieldType.MULTISELECT
    failure = ConstraintFailure("enum", f"must be {'some' if many else 'one'} of: {named}", values)
    if many:
        return _require(lambda value: all(canonical(item) in known for item in value), failure)
    return _require(lambda value: canonical(value) in known, failure)


def check_rows(value: list[Any], _: date) -> ConstraintFailure | None:
    """Check that a list has no more rows than any list may have."""
    if len(value) <= MOST_ROWS:
        return None
    return ConstraintFailure("maxItems", f"must have at most {MOST_ROWS} rows", MOST_ROWS)


def must_be_check(*, value: bool) -> Check:
    """Return the check that a boolean has the only value that it may have."""
    failure = ConstraintFailure("mustBe", f"must be {str(value).lower()}", value)
    return _require(lambda given: given is value, failure)


def item_checks(items: ItemConstraints) -> Iterator[Check]:
    """Yield the checks of each text in a list."""
    given = {name: getattr(items, name) for name in ("min_length", "max_length", "pattern")}
    for name, limit in given.items():
        if limit is not None:
            yield _each_item(CHECK_FACTORIES[name](limit))


def _each_item(check: Check) -> Check:
    def check_all(value: list[Any], today: date) -> ConstraintFailure | None:
        for item in value:
            failure = check(item, today)
            if failure:
                shown = item if len(item) <= _MOST_SHOWN else f"{item[:_MOST_SHOWN]}…"
                message = f"has {shown!r}, which {failure.message}"
                return ConstraintFailure(f"items.{failure.constraint}", message, failure.expected)
        return None

    return check_all


def _min_length(limit: int) -> Check:
    failure = ConstraintFailure("minLength", f"must have at least {limit} characters", limit)
    return _require(lambda value: len(value) >= limit, failure)


def _max_length(limit: int) -> Check:
    failure = ConstraintFailure("maxLength", f"must have at most {limit} characters", limit)
    return _require(lambda value: len(value) <= limit, failure)


def _pattern(pattern: str) -> Check:
    compiled = compile_pattern(pattern)
    failure = ConstraintFailure("pattern", f"must match {pattern}", pattern)
    return _require(lambda value: compiled.search(value) is not None, failure)


def _strength(wanted: Strength) -> Check:
    characters, kinds = STRENGTHS[wanted]
    message = (
        f"must have at least {characters} characters and {kinds} of: "
        "lower case, upper case, digit, other"
    )
    return _require(
        lambda value: len(value) >= characters and _kinds(value) >= kinds,
        ConstraintFailure("strength", message, wanted.value),
    )


def _kinds(text: str) -> int:
    def kind(character: str) -> str:
        if not character.isascii() or not character.isalnum():
            return "other"
        return "digit" if character.isdigit() else "lower" if character.islower() else "upper"

    return len({kind(character) for character in text})


def _min(limit: Any) -> Check:
    _require_number(limit)
    return _require(
        lambda value: bool(value >= limit),
        ConstraintFailure("min", f"must be at least {limit}", limit),
    )


def _max(limit: Any) -> Check:
    _require_number(limit)
    return _require(
        lambda value: bool(value <= limit),
        ConstraintFailure("max", f"must be at most {limit}", limit),
    )


def _require_number(limit: Any) -> None:
    if not is_number(limit):
        raise ValueFormatError("must be a number")


def _step(step: float) -> Check:
    if step <= 0:
        raise ValueFormatError("must be greater than 0")
    # The decimal text of a float, not its binary value: 0.3 is a multiple of 0.1.
    unit = Fraction(repr(step))
    failure = ConstraintFailure("step", f"must be a multiple of {step}", step)
    return _require(lambda value: (Fraction(repr(value)) / unit).denominator == 1, failure)


def _date_min(bound: Any) -> Check:
    return _date_bound("min", bound)


def _date_max(bound: Any) -> Check:
    return _date_bound("max", bound)


def _date_bound(constraint: str, bound: Any) -> Check:
    check_date_bound(bound)
    words = "on or after" if constraint == "min" else "on or before"
    return _calendar_bound(
        constraint,
        words,
        limit_on=lambda today: resolve_date(bound, today),
        read=parse_date,
    )


def _moment_min(bound: Any) -> Check:
    return _moment_bound("min", bound)


def _moment_max(bound: Any) -> Check:
    return _moment_bound("max", bound)


def _moment_bound(constraint: str, bound: Any) -> Check:
    check_moment_bound(bound)
    words = "at or after" if constraint == "min" else "at or before"
    return _calendar_bound(
        constraint,
        words,
        limit_on=lambda today: resolve_moment(bound, today),
        read=parse_moment,
    )


def _calendar_bound(
    constraint: str,
    words: str,
    *,
    limit_on: Callable[[date], Moment | None],
    read: Callable[[str], Moment | None],
) -> Check:
    """Compare dates, or moments, with a bound that may move with the day."""

    def check(value: str, today: date) -> ConstraintFailure | None:
        limit, given = limit_on(today), read(value)
        if limit is None or given is None:
            # The type's own check reports what is no date at all.
            return None
        if given >= limit if constraint == "min" else given <= limit:
            return None
        return ConstraintFailure(
            constraint, f"must be {words} {limit.isoformat()}", limit.isoformat()
        )

    return check


def _bound_factory(
    constraint: str, read: Callable[[Any], Any], example: str
) -> Callable[[Any], Check]:
    """Return the factory of a bound that is written like the values it bounds."""

    def factory(bound: Any) -> Check:
        limit = read(bound)
        if limit is None:
            raise ValueFormatError(f"must be written like {example}")
        words = "at least" if constraint == "min" else "at most"
        failure = ConstraintFailure(constraint, f"must be {words} {bound}", bound)
        if constraint == "min":
            return _require(lambda value: read(value) >= limit, failure)
        return _require(lambda value: read(value) <= limit, failure)

    return factory


def _hosts(hosts: tuple[str, ...]) -> Check:
    for host in hosts:
        check_host(host)
    failure = ConstraintFailure("hosts", f"must be an address of {', '.join(hosts)}", list(hosts))

    def fits(value: str) -> bool:
        host = host_of(value)
        return host is not None and any(is_allowed(host, allowed) for allowed in hosts)

    return _require(fits, failure)


def _min_items(limit: int) -> Check:
    failure = ConstraintFailure("minItems", f"must have at least {limit} values", limit)
    return _require(lambda value: len(value) >= limit, failure)


def _max_items(limit: int) -> Check:
    failure = ConstraintFailure("maxItems", f"must have at most {limit} values", limit)
    return _require(lambda value: len(value) <= limit, failure)


def _max_size(size: int | str) -> Check:
    limit = parse_size(size)
    failure = ConstraintFailure("maxSize", f"must be at most {size} in size", limit)

    def fits(value: str) -> bool:
        url = parse_data_url(value)
        return url is not None and url.size <= limit

    return _require(fits, failure)


def _types(types: tuple[str, ...]) -> Check:
    failure = ConstraintFailure("types", f"must be of type {', '.join(types)}", list(types))

    def fits(value: str) -> bool:
        url = parse_data_url(value)
        return url is not None and any(media_type_fits(url.media_type, known) for known in types)

    return _require(fits, failure)


def _schema(schema: dict[str, Any] | bool) -> Check:  # noqa: FBT001 -- a JSON Schema may be a bare boolean
    check_schema(schema)
    compiled = EmbeddedSchema(schema)

    def check(value: Any, _: date) -> ConstraintFailure | None:
        problem = compiled.problem(value)
        return (
            ConstraintFailure("schema", f"does not match its schema {problem}") if problem else None
        )

    return check


CHECK_FACTORIES: dict[str, Callable[[Any], Check]] = {
    "min_length": _min_length,
    "max_length": _max_length,
    "pattern": _pattern,
    "strength": _strength,
    "min": _min,
    "max": _max,
    "step": _step,
    "date_min": _date_min,
    "date_max": _date_max,
    "datetime_min": _moment_min,
    "datetime_max": _moment_max,
    "time_min": _bound_factory("min", parse_time, "08:30"),
    "time_max": _bound_factory("max", parse_time, "08:30"),
    "duration_min": _bound_factory("min", parse_duration_text, "90s, 1h30m or 2d"),
    "duration_max": _bound_factory("max", parse_duration_text, "90s, 1h30m or 2d"),
    "hosts": _hosts,
    "min_items": _min_items,
    "max_items": _max_items,
    "max_size": _max_size,
    "types": _types,
    "json_schema": _schema,
}
