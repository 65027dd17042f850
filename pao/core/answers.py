"""Reads a target's answer: bounded JSON, numbers, messages, the URL of a redirect. Pure."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pao.core.sentences import without_full_stop

# How much of an answer is read, and how much of it is kept after masking.
READ_BYTES = 4 * 1024 * 1024
KEPT_CHARACTERS = 64 * 1024
MAX_DEPTH = 100
# Enough for times in seconds; all of them are valid for Python's clock types.
_MOST_DIGITS = 10
_TEXT_KEYS = ("message", "error_description", "detail", "title", "error", "reason", "description")
_LIST_KEYS = ("errorMessages", "errors", "details", "messages", "violations")
_OTHER_KEYS = ("code", "type", "__type")


def parse_answer(body: bytes) -> Any:
    """Return a body parsed as JSON; raises ``ValueError`` for anything unusable.

    Besides invalid JSON, that is: more than a hundred levels, a lone surrogate, numbers that JSON
    cannot represent.
    """
    try:
        document = json.loads(body, parse_constant=_reject_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    for value in _walk(document):
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("it holds half of a surrogate pair")
    return document


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large for a number")
    return number


def _walk(document: Any) -> Iterator[Any]:
    """Yield every value and key, without recursion; raises ``ValueError`` if nested too deeply."""
    level, depth = [document], 0
    while level:
        if depth > MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        below: list[Any] = []
        for value in level:
            yield value
            if isinstance(value, Mapping):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        level, depth = below, depth + 1


def whole_number(text: str) -> int | None:
    """Return the whole number in a text; None if it is none, or has more than ten digits."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None


def message_text(text: str) -> str:
    """Return the messages of a target's answer on one line, or its text if there are none.

    Returns nothing for HTML. The result is not shortened: mask it first, then shorten it.
    """
    try:
        document = parse_answer(text.encode(errors="replace"))
    except ValueError:
        return "" if text.lstrip()[:1] == "<" else _one_line(text)
    return "; ".join(dict.fromkeys(filter(None, map(_one_line, _messages_in(document)))))


def _messages_in(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, list):
        for member in document:
            yield from _messages_in(member)
    elif isinstance(document, Mapping):
        yield from _messages_in_object(document)


def _messages_in_object(document: Mapping[str, Any]) -> Iterator[str]:
    field = document.get("field")
    texts = [document[key] for key in _TEXT_KEYS if document.get(key)]
    codes = [str(document[key]) for key in _OTHER_KEYS if document.get(key)]
    for text in texts or codes:
        for message in _messages_in(text):
            yield f"{field}: {message}" if isinstance(field, str) and field else message
    for key in _LIST_KEYS:
        entry = document.get(key)
        if isinstance(entry, Mapping):
            yield from (
                f"{name}: {message}" for name, one in entry.items() for message in _messages_in(one)
            )
        elif isinstance(entry, list | str):
            yield from _messages_in(entry)


def _one_line(text: str) -> str:
    return without_full_stop(" ".join(text.split()))


def safe_url(location: str) -> str:
    """Return a URL that is safe to show: without credentials, query and fragment."""
    try:
        url = urlsplit(location)
        host = url.netloc.rpartition("@")[2]
    except ValueError:
        return "an invalid URL"
    text = f"{url.scheme}://{host}{url.path}" if host else url.path
    return text or "itself"


def shorten(text: str, limit: int) -> str:
    """Return a text cut to a length, with an ellipsis if it was longer."""
    return text if len(text) <= limit else f"{text[: limit - 1]}\u2026"
