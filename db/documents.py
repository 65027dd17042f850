"""JSON for Postgres: a serializer that never fails on data from outside systems."""

import json
import math
from typing import Any

# The number of bits of the largest double.
MAX_BITS = 1024
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def dump_json(value: Any) -> str:
    """Return a JSON value as text that ``jsonb`` accepts.

    Postgres refuses the character NUL, half a surrogate pair and NaN. An outside system may well
    answer with them, and a mirror write that can never succeed would block its request for ever,
    so they are replaced (texts by U+FFFD, numbers by null). So are whole numbers that no double
    comes near to, which Python refuses to write. Raises ``ValueError`` or ``TypeError`` for what is
    no JSON at all, such as a list that holds itself.
    """
    try:
        text = _dump(value)
        text.encode()
    except ValueError:
        return _dump(storable(value))
    if "\\u0000" in text and (cleaned := storable(value)) != value:
        return _dump(cleaned)
    return text


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def storable(value: Any) -> Any:
    """Return a JSON value as Postgres accepts it: what it refuses is replaced."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT).encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if value.bit_length() <= MAX_BITS else None
    if isinstance(value, dict):
        return {storable(key): storable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [storable(member) for member in value]
    return value
