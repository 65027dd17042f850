"""Reading JSON bodies strictly: one meaning, bounded, storable. No rules about content here.

Python's parser takes more than JSON (NaN, keys given twice, text in UTF-16) and builds what nothing
behind it can store (null characters, half surrogate pairs), so every body is held to RFC 8259 and
to these bounds before a model sees it.
"""

import asyncio
import json
import math
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from pao.core.errors import Detail, ErrorCode, PaoError

MAX_DEPTH = 64
# Far above any quantity, far below what a conversion to float refuses.
MAX_DIGITS = 100
MAX_PATH = 200
# Far above any form; every value costs time at each later step.
MAX_VALUES = 50_000
# Reading more than this may take longer than other callers should wait for.
SHORT_BODY = 65_536
WHOLE = "body"


class JsonRoute(APIRoute):
    """A route whose body, if it has one, is JSON that means one thing and can be stored."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, behind the check of its body."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle
        required = self.body_field.field_info.is_required()

        async def handle_checked(request: Request) -> Response:
            body = await request.body()
            if body:
                _require_json(request.headers.get("content-type", ""))
                await _check(body)
            elif required:
                raise unreadable_body(WHOLE, "missing", "The body is empty; send a JSON object.")
            return await handle(request)

        return handle_checked


async def _check(body: bytes) -> None:
    if len(body) > SHORT_BODY:
        await asyncio.to_thread(check_json, body)
    else:
        check_json(body)


def check_json(body: bytes) -> None:
    """Raise ``VALIDATION_ERROR`` (400) unless ``body`` is one JSON document within the bounds."""
    try:
        document = json.loads(
            body.decode(),
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
    except UnicodeDecodeError as error:
        message = f"The body is not UTF-8: byte {error.start} cannot be read."
        raise unreadable_body(WHOLE, "encoding", message) from error
    except json.JSONDecodeError as error:
        message = f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        raise unreadable_body(WHOLE, "json_invalid", message) from error
    except RecursionError as error:
        raise _too_deep() from error
    _check_values(document)


def _require_json(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return
    message = "The body must be JSON; send it with Content-Type: application/json."
    raise unreadable_body("Content-Type", "content_type", message)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            twice = _printable(key)
            message = f"The key {twice!r} appears twice; send it once."
            raise unreadable_body(twice, "duplicate", message)
        document[key] = value
    return document


def _no_constant(text: str) -> float:
    raise unreadable_body(WHOLE, "number", f"{text} is not a JSON number; leave the value out.")


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    raise unreadable_body(WHOLE, "number", f"The number {text[:20]} is too large.")


def _bounded_int(text: str) -> int:
    if len(text) <= MAX_DIGITS:
        return int(text)
    message = f"The number {text[:10]}... has more than {MAX_DIGITS} digits."
    raise unreadable_body(WHOLE, "number", message)


@dataclass(frozen=True, slots=True)
class _ValuePath:
    """The path of a value; its text is only built for an error."""

    depth: int = 1
    name: str | int = ""
    above: "_ValuePath | None" = None

    def __str__(self) -> str:
        names: list[str] = []
        place: _ValuePath | None = self
        while place is not None and place.above is not None:
            names.append(str(place.name)[:MAX_PATH])
            place = place.above
        return ".".join(reversed(names))[:MAX_PATH]


def _check_values(document: Any) -> None:
    count = 1
    waiting: list[tuple[_ValuePath, Any]] = [(_ValuePath(), document)]
    while waiting:
        place, value = waiting.pop()
        if place.depth > MAX_DEPTH:
            raise _too_deep(place)
        if isinstance(value, str):
            _check_text(place, value)
            continue
        for name, member in _members(value):
            count += 1
            if count > MAX_VALUES:
                raise _too_many()
            inside = _ValuePath(place.depth + 1, name, place)
            if isinstance(name, str):
                _check_text(inside, name)
            waiting.append((inside, member))


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _check_text(place: _ValuePath, text: str) -> None:
    if "\x00" in text:
        message = "A null character (\\u0000) cannot be stored; leave it out."
        raise unreadable_body(_printable(str(place)) or WHOLE, "characters", message)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "Half of a surrogate pair is not a character; send whole characters."
        raise unreadable_body(_printable(str(place)) or WHOLE, "characters", message) from error


def _too_deep(place: _ValuePath | None = None) -> PaoError:
    message = f"The body is nested deeper than {MAX_DEPTH} levels."
    return unreadable_body(str(place or WHOLE), "depth", message)


def _too_many() -> PaoError:
    message = f"The body holds more than {MAX_VALUES:,} values; send fewer."
    return unreadable_body(WHOLE, "size", message)


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode().replace("\x00", "?")[:MAX_PATH]


def unreadable_body(field: str, constraint: str, message: str) -> PaoError:
    """Return the error of a body that cannot be read."""
    return PaoError(
        ErrorCode.VALIDATION_ERROR,
        message,
        details=(Detail(field=field[:MAX_PATH], constraint=constraint, message=message),),
        status=400,
    )
