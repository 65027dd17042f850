"""Whether a condition holds for less than before: tried with the values that distinguish both."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import islice, pairwise, product
from typing import Any

from catalog.forms import Condition, FieldDefinition, FieldType
from catalog.forms.conditions import holds, leaves
from catalog.forms.definition import Operator
from catalog.forms.values import canonical, is_number, parse_date

Fields = Mapping[str, FieldDefinition]

_MOST_TRIED = 1_000
_NUMBERS = frozenset({FieldType.NUMBER, FieldType.INTEGER})
_DAY = timedelta(days=1)
_LARGEST = 10**15
_MOST_OTHERS = 5
_OTHER_TEXT = "any other text"


def conjunction(first: Condition | None, second: Condition | None) -> Condition | None:
    """Return the condition that holds where both do; None always holds."""
    given = tuple(one for one in (first, second) if one is not None)
    return Condition(all=given) if len(given) > 1 else next(iter(given), None)


def is_narrower(
    was: Condition | None, now: Condition | None, before: Fields, after: Fields
) -> bool:
    """Return whether values are known for which the condition before held, and this does not.

    ``before`` and ``after`` are the fields of the form with their whole condition. Where no such
    values are found among those tried, nothing is said.
    """
    if now is None or now == was:
        return False
    if was is None:
        return True
    named: dict[str, list[Any]] = {}
    for condition in (was, now):
        for _, leaf in leaves((), condition):
            one = [] if leaf.condition is Operator.EXISTS else leaf.value
            named.setdefault(leaf.depends_on or "", []).extend(
                one if isinstance(one, list) else [one]
            )
    tried = [_values_of(name, wanted, before, after) for name, wanted in named.items()]
    for values in islice(product(*tried), _MOST_TRIED):
        given = {name: one for name, one in zip(named, values, strict=True) if one is not None}
        if holds(was, given) and not holds(now, given):
            return True
    return False


def _values_of(name: str, wanted: list[Any], before: Fields, after: Fields) -> list[Any]:
    """Return values that requests sent for a field and that tell conditions apart."""
    field = before.get(name)
    if field is None:
        # No one sends a new field yet.
        return [after[name].plain_default if name in after else None]
    values = list({canonical(one): one for one in _candidates(field, wanted)}.values())
    given = field.is_always_required or field.plain_default is not None
    return values if given and field.conditional is None else [*values, None]


def _candidates(field: FieldDefinition, wanted: list[Any]) -> Iterable[Any]:
    if field.type is FieldType.MULTISELECT:
        single = _of_choices(field, wanted) if field.choices else _texts(wanted)
        return [*([one] for one in single), single]
    if field.choices:
        return _of_choices(field, wanted)
    if field.type in _NUMBERS:
        return _numbers(wanted, whole=field.type is FieldType.INTEGER)
    if field.type in (FieldType.SELECT, FieldType.JSON):
        return [*wanted, *_texts(wanted)]
    of_type = _OF_TYPES.get(field.type)
    return of_type(wanted) if of_type else _texts(wanted)


def _of_choices(field: FieldDefinition, wanted: list[Any]) -> list[Any]:
    """Return the choices that are named, and some others."""
    named = {canonical(one) for one in wanted}
    choices = [one.value for one in field.choices or ()]
    others = (one for one in choices if canonical(one) not in named)
    return [*(one for one in choices if canonical(one) in named), *islice(others, _MOST_OTHERS)]


def _texts(wanted: list[Any]) -> list[str]:
    texts = [one for one in wanted if isinstance(one, str)]
    dates = _dates(wanted) if any(parse_date(one) for one in texts) else ()
    return [*texts, *(f"{one} {_OTHER_TEXT}" for one in texts), *dates, _OTHER_TEXT]


def _named_texts(wanted: list[Any]) -> list[str]:
    """Return the named ones of types whose neighbours are not made here."""
    return [one for one in wanted if isinstance(one, str)]


def _numbers(wanted: list[Any], *, whole: bool) -> Iterator[int | float]:
    found = {one for one in wanted if is_number(one) and abs(one) < _LARGEST}
    bounds = sorted(found) or [0]
    between = ((low + high) / 2 for low, high in pairwise(bounds))
    for one in (bounds[0] - 1, *bounds, *between, bounds[-1] + 1):
        yield from (int(one // 1), int(one // 1) + 1) if whole else (one,)


def _dates(wanted: list[Any]) -> Iterator[str]:
    days = [day for one in wanted if (day := parse_date(one))] or [date(2026, 1, 1)]
    for day in days:
        # Neither the first nor the last day of the calendar has both neighbours.
        inner = min(max(day, date.min + _DAY), date.max - _DAY)
        yield from (one.isoformat() for one in (inner - _DAY, day, inner + _DAY))


_OF_TYPES: Mapping[FieldType, Callable[[list[Any]], Iterable[Any]]] = {
    FieldType.BOOLEAN: lambda _: (True, False),
    FieldType.DATE: _dates,
    FieldType.DATETIME: _named_texts,
    FieldType.TIME: _named_texts,
    FieldType.DURATION: _named_texts,
    FieldType.LIST: lambda _: ([{}],),
}
