"""The operators on values. All results stay within the bounds of numbers."""

import operator
from collections.abc import Callable
from typing import Any

from catalog.templating.contract import FaultError
from catalog.templating.limits import LARGEST_NUMBER, Budget
from catalog.templating.values import (
    equal,
    is_list,
    is_mapping,
    is_number,
    join,
    text_of,
    wrong_type,
)

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def combine(sign: str, left: Any, right: Any, budget: Budget) -> Any:
    """Return the result of arithmetic, or of ``~``."""
    if sign == "~":
        return join([text_of(left, budget), text_of(right, budget)], "")
    for operand in (left, right):
        if not is_number(operand):
            raise wrong_type(f"a number beside {sign}", operand)
    try:
        return check_bounds(_ARITHMETIC[sign](left, right))
    except ZeroDivisionError as error:
        raise FaultError("template-value", "division by zero") from error
    except OverflowError as error:
        raise _out_of_range() from error


def negate(value: Any) -> Any:
    """Return the negated number."""
    if not is_number(value):
        raise wrong_type("a number behind -", value)
    return check_bounds(-value)


def check_bounds(value: float) -> float:
    """Return the number, as a whole one where it is; raises template-limit beyond the bounds."""
    if not abs(value) <= LARGEST_NUMBER:
        raise _out_of_range()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def holds(sign: str, left: Any, right: Any) -> bool:
    """Return whether a comparison holds."""
    if sign in _ORDER:
        return compare(_ORDER[sign], left, right)
    if sign in ("in", "not in"):
        return contains(left, right) == (sign == "in")
    return equal(left, right) == (sign == "==")


def compare(order: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Compare two numbers or two texts."""
    both_numbers = is_number(left) and is_number(right)
    if both_numbers or (isinstance(left, str) and isinstance(right, str)):
        return order(left, right)
    raise FaultError("template-type", "only two numbers or two texts have an order")


def contains(wanted: Any, value: Any) -> bool:
    """Return whether a list holds the item, a mapping the key or a text the part."""
    if is_list(value):
        return any(equal(item, wanted) for item in value)
    if is_mapping(value):
        return isinstance(wanted, str) and wanted in value
    if isinstance(value, str) and isinstance(wanted, str):
        return wanted in value
    raise FaultError("template-type", "only a list, a mapping or a text can be searched")


def _out_of_range() -> FaultError:
    return FaultError("template-limit", "a result is beyond 2^53-1")
