"""When a field is shown: what a condition means and which fields it looks at."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from catalog.forms.definition import Condition, Operator
from catalog.forms.text_formats import comparable
from catalog.forms.values import canonical, equal, is_number

# Of an absent field only these hold, and `exists` with the value false.
_HOLD_WITHOUT_VALUE = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})


def holds(condition: Condition, values: Mapping[str, Any]) -> bool:
    """Return whether a condition holds for the visible fields' values; absent ones are left out.

    Never raises: what does not fit, such as ``greaterThan`` on a text, does not hold.
    """
    if condition.all is not None:
        return all(holds(part, values) for part in condition.all)
    if condition.any is not None:
        return any(holds(part, values) for part in condition.any)
    if condition.negated is not None:
        return not holds(condition.negated, values)
    return holds_for(condition, values.get(condition.depends_on or ""))


def holds_for(condition: Condition, value: Any) -> bool:
    """Return whether a condition on one field holds for its value; None is absent."""
    operator, wanted = condition.condition, condition.value
    if operator is Operator.EXISTS:
        return (value is not None) is (wanted is not False)
    if value is None:
        return operator in _HOLD_WITHOUT_VALUE
    compare = _COMPARISONS.get(operator) if operator else None
    return compare is not None and compare(value, wanted)


def references(condition: Condition) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every field that a condition looks at, with the path to its ``dependsOn``."""
    if condition.depends_on is not None:
        yield ("dependsOn",), condition.depends_on
    for key, parts in (("all", condition.all), ("any", condition.any)):
        for index, part in enumerate(parts or ()):
            for path, name in references(part):
                yield (key, index, *path), name
    if condition.negated is not None:
        for path, name in references(condition.negated):
            yield ("not", *path), name


def leaves(
    path: tuple[str | int, ...], condition: Condition
) -> Iterator[tuple[tuple[str | int, ...], Condition]]:
    """Yield every condition on a field with its path below the given one."""
    if condition.depends_on is not None:
        yield path, condition
    for key, parts in (("all", condition.all), ("any", condition.any)):
        for index, part in enumerate(parts or ()):
            yield from leaves((*path, key, index), part)
    if condition.negated is not None:
        yield from leaves((*path, "not"), condition.negated)


def _has(items: Any, value: Any) -> bool:
    wanted = canonical(value)
    return isinstance(items, list) and any(canonical(item) == wanted for item in items)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return _has(value, wanted)


def _less(low: Any, high: Any) -> bool:
    if is_number(low) and is_number(high):
        return bool(low < high)
    early, late = comparable(low), comparable(high)
    if early is None or late is None or early[0] != late[0]:
        return False
    return bool(early[1] < late[1])  # type: ignore[operator] # of one kind


_COMPARISONS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUALS: equal,
    Operator.NOT_EQUALS: lambda value, wanted: not equal(value, wanted),
    Operator.IN: lambda value, wanted: _has(wanted, value),
    Operator.NOT_IN: lambda value, wanted: isinstance(wanted, list) and not _has(wanted, value),
    Operator.CONTAINS: _contains,
    Operator.LESS_THAN: _less,
    Operator.GREATER_THAN: lambda value, wanted: _less(wanted, value),
}
