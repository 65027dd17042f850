"""JSON on its way into Postgres: one serialiser, which never fails on what others sent us."""

import json
import math
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def dump_json(value: Any) -> str:
    """Write a JSON value so that ``jsonb`` takes it.

    Postgres refuses the character NUL, half a surrogate pair and NaN. An outside system may well
    answer with them, and a mirror write that can never succeed would block its request for ever,
    so they are replaced (texts by U+FFFD, numbers by null).
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except ValueError:
        return dump_json(_clean(value))
    if "\\u0000" in text and (cleaned := _clean(value)) != value:
        return dump_json(cleaned)
    return text


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT).encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_clean(key): _clean(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(member) for member in value]
    return value
