"""Functions on lists, mappings and numbers, and those that choose among values."""

import operator
import re
from typing import Any

from catalog.templating import operators
from catalog.templating.contract import FaultError, SecretValue
from catalog.templating.functions.arguments import items as list_of
from catalog.templating.functions.arguments import mapping, text, whole_number
from catalog.templating.functions.registry import FunctionContext
from catalog.templating.limits import LARGEST_NUMBER
from catalog.templating.operators import compare
from catalog.templating.values import (
    Missing,
    equal,
    identity,
    is_absent,
    is_list,
    is_mapping,
    is_number,
    member,
    wrong_type,
)

_DIGITS = re.compile(r"[+-]?[0-9]+")
_LONGEST_NUMBER = 17


def contains(_: FunctionContext, value: Any, wanted: Any) -> bool:
    """Return whether the list, mapping or text holds what is wanted."""
    return operators.contains(wanted, value)


def equals(_: FunctionContext, value: Any, *others: Any) -> bool:
    """Return whether the value equals any of the others."""
    return any(equal(value, other) for other in others)


def differs(_: FunctionContext, value: Any, other: Any) -> bool:
    """Return whether two values are not the same."""
    return not equal(value, other)


def less(_: FunctionContext, value: Any, other: Any) -> bool:
    """Return whether the first is smaller."""
    return compare(operator.lt, value, other)


def less_or_equal(_: FunctionContext, value: Any, other: Any) -> bool:
    """Return whether the first is not larger."""
    return compare(operator.le, value, other)


def greater(_: FunctionContext, value: Any, other: Any) -> bool:
    """Return whether the first is larger."""
    return compare(operator.gt, value, other)


def greater_or_equal(_: FunctionContext, value: Any, other: Any) -> bool:
    """Return whether the first is not smaller."""
    return compare(operator.ge, value, other)


def length(_: FunctionContext, value: Any) -> int:
    """Return the number of characters, items or keys."""
    if isinstance(value, str) or is_list(value) or is_mapping(value):
        return len(value)
    raise wrong_type("a text, list or mapping", value)


def index(_: FunctionContext, value: Any, *keys: Any) -> Any:
    """Return the member of the member, or Missing; null and texts have none, as after a dot."""
    found = value
    for key in keys:
        secret = isinstance(key, SecretValue)
        found = member(found, key.value if secret else key)
        if secret and not isinstance(found, Missing | SecretValue):
            found = SecretValue(found)
    return Missing("what index() looks for") if isinstance(found, Missing) else found


def first(_: FunctionContext, value: Any) -> Any:
    """Return the first item, or null."""
    return _end(value, 0)


def last(_: FunctionContext, value: Any) -> Any:
    """Return the last item, or null."""
    return _end(value, -1)


def sort(_: FunctionContext, value: Any) -> list[Any]:
    """Return the items, all numbers or all texts, in order."""
    found = list_of(value)
    if not (all(map(is_number, found)) or all(isinstance(item, str) for item in found)):
        raise FaultError("template-type", "sort() needs a list of numbers or a list of texts")
    return sorted(found)


def unique(_: FunctionContext, value: Any) -> list[Any]:
    """Return the items, each once, in their order."""
    found: dict[Any, Any] = {}
    for item in list_of(value):
        found.setdefault(identity(item), item)
    return list(found.values())


def items(_: FunctionContext, value: Any) -> list[list[Any]]:
    """Return the mapping as a list of key and value."""
    if isinstance(value, SecretValue):
        return [
            [SecretValue(key), SecretValue(found)] for key, found in mapping(value.value).items()
        ]
    return [[key, found] for key, found in mapping(value).items()]


def integer(_: FunctionContext, value: Any) -> int:
    """Return the number without its fraction, or the number that the text writes."""
    if is_number(value):
        if not abs(value) <= LARGEST_NUMBER:
            raise FaultError("template-limit", "a number is beyond 2^53-1")
        return int(value)
    if not isinstance(value, str):
        raise wrong_type("a number or a text of digits", value)
    if not _DIGITS.fullmatch(value):
        raise FaultError("template-value", "int() needs a text of digits")
    digits = value.lstrip("+-0") or "0"
    if len(digits) > _LONGEST_NUMBER:
        raise FaultError("template-limit", "a number is beyond 2^53-1")
    return whole_number(-int(digits) if value.startswith("-") else int(digits))


def default(_: FunctionContext, value: Any, otherwise: Any) -> Any:
    """Return the value, or the other one if it is missing, null or an empty text."""
    return otherwise if is_absent(value) else value


def coalesce(_: FunctionContext, *values: Any) -> Any:
    """Return the first value that is not missing, null or an empty text, else null."""
    return next((value for value in values if not is_absent(value)), None)


def required(_: FunctionContext, value: Any, message: Any = "") -> Any:
    """Return the value; raises template-required if it is missing, null or an empty text."""
    if not is_absent(value):
        return value
    own_message = "" if isinstance(message, SecretValue) else text(message)
    path = value.path if isinstance(value, Missing) else "the value"
    raise FaultError("template-required", own_message or f"{path} is required")


def _end(value: Any, key: int) -> Any:
    inner = value.value if isinstance(value, SecretValue) else value
    return member(value, key) if list_of(inner) else None
