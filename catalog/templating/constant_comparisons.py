"""Comparisons whose result is known without values. No template is walked here."""

from dataclasses import dataclass
from typing import Any

from catalog.suggestions import nearest
from catalog.templating.value_types import LIST, MAPPING, NUMBER, TEXT, ValueShape, describe_kinds

_ORDER = ("<", "<=", ">", ">=")
_MOST_SHOWN = 80
_FEW = 10

TYPE, NEVER = "template-type", "template-never"


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison: its source text, its shape, and its value if literal."""

    text: str
    shape: ValueShape
    is_literal: bool = False
    value: Any = None


ComparisonProblem = tuple[str, str, str]
"""Id, message and what was probably meant."""


def comparison_problem(sign: str, left: Operand, right: Operand) -> ComparisonProblem | None:
    """Return what is wrong with a comparison of two present values, or None."""
    if sign in _ORDER:
        return _order(sign, left, right)
    if sign in ("in", "not in"):
        return _containment(sign, right)
    return _equality(sign, left, right) or _equality(sign, right, left)


def literal_text(value: Any) -> str:
    """Write a literal in template syntax."""
    if isinstance(value, str):
        return f'"{value[:_MOST_SHOWN]}"'
    return str(value).lower() if isinstance(value, bool) else str(value)[:_MOST_SHOWN]


def _order(sign: str, left: Operand, right: Operand) -> ComparisonProblem | None:
    if left.shape.kinds & right.shape.kinds & (TEXT | NUMBER):
        return None
    message = f"{left.text} is {_kind(left)} and {right.text} is {_kind(right)}"
    return TYPE, f"{sign} compares two numbers or two texts; {message}", ""


def _containment(sign: str, right: Operand) -> ComparisonProblem | None:
    if right.shape.present_kinds & (TEXT | LIST | MAPPING):
        return None
    message = f"{sign} needs a list, mapping or text, but {right.text} is {_kind(right)}"
    return TYPE, message, ""


def _equality(sign: str, side: Operand, other: Operand) -> ComparisonProblem | None:
    if not other.is_literal or side.is_literal or other.value is None:
        return None
    written, outcome = literal_text(other.value), "true" if sign == "!=" else "false"
    if not side.shape.present_kinds & other.shape.kinds:
        message = f"{side.text} is {_kind(side)} and {written} is {_kind(other)}: always {outcome}"
        return NEVER, message, ""
    choices = side.shape.choices
    if choices is None or any(_is_same(one, other.value) for one in choices):
        return None
    near = nearest(str(other.value), [str(one) for one in choices])
    known = ", ".join(literal_text(one) for one in choices[:_FEW])
    message = f"{side.text} is never {written}, so this is always {outcome}; it is one of {known}"
    return NEVER, message, literal_text(near) if near else ""


def _is_same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _kind(operand: Operand) -> str:
    return describe_kinds(operand.shape.present_kinds)
