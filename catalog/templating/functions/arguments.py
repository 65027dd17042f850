"""Reads arguments: each function returns the argument with its required type, or raises."""

from typing import Any

from catalog.templating.contract import FaultError
from catalog.templating.limits import LARGEST_NUMBER
from catalog.templating.values import is_list, is_mapping, is_number, number_text, wrong_type


def text(value: Any) -> str:
    """Return a text; numbers and booleans become theirs, null becomes empty."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return number_text(value)
    raise wrong_type("a text", value)


def non_empty_text(value: Any, name: str) -> str:
    """Return a text that must not be empty."""
    found = text(value)
    if not found:
        raise FaultError("template-value", f"{name} must not be empty")
    return found


def whole_number(value: Any) -> int:
    """Return a whole number; 2.0 is one."""
    if not is_number(value) or (isinstance(value, float) and not value.is_integer()):
        raise wrong_type("a whole number", value)
    if abs(value) > LARGEST_NUMBER:
        raise FaultError("template-limit", "a number is beyond 2^53-1")
    return int(value)


def whole_number_between(value: Any, least: int, most: int, name: str) -> int:
    """Return a whole number within bounds."""
    found = whole_number(value)
    if not least <= found <= most:
        raise FaultError("template-value", f"{name} must be from {least} to {most}")
    return found


def items(value: Any) -> list[Any]:
    """Return a list."""
    if not is_list(value):
        raise wrong_type("a list", value)
    return list(value)


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping."""
    if not is_mapping(value):
        raise wrong_type("a mapping", value)
    return dict(value)
