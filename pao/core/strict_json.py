"""Strict JSON: no NaN, no infinite number, no duplicate key. Pure."""

import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

_MAX_QUOTED = 80


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises ``ValueError`` (``json.JSONDecodeError`` with the position, if there is one) for what is
    not JSON, and ``RecursionError`` for what is nested too deeply.
    """
    return json.loads(
        text, parse_constant=_reject_constant, parse_float=_finite, object_pairs_hook=_unique_keys
    )


def _reject_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:_MAX_QUOTED]} is too large for a number")
    return number


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"the key {key[:_MAX_QUOTED]!r} is given twice")
        members[key] = value
    return members
