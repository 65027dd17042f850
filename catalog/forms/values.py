"""What values are: equality, bounds, relative dates, sizes, data URLs, patterns. No fields here."""

import math
import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

from catalog import patterns
from catalog.patterns import Pattern

MAX_DEPTH = 64
# A number with more bits has no double next to it, so programs downstream could not read it.
_MAX_BITS = 1024
_EXCERPT = 200
_FEW = 20
MAX_EMAIL = 254
EMAIL_PATTERN = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EMAIL = re.compile(EMAIL_PATTERN)
_RELATIVE = re.compile(r"today(?:([+-])([0-9]{1,5})d)?")
# What one compiled pattern may take, its automaton included.
_SIZE = re.compile(r"([0-9]{1,12})(KB|MB)?")
_UNITS = {"": 1, "KB": 1024, "MB": 1024 * 1024}
_DATA_URL = re.compile(
    r"data:([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)((?:;[^;,]+)*);base64,([A-Za-z0-9+/]*={0,2})"
)


class ValueFormatError(ValueError):
    """A constraint that cannot be read: a bad pattern, date or size. The text says what is good."""


def compile_pattern(pattern: str) -> Pattern:
    """Compile for RE2, which never backtracks; raises ``ValueFormatError``."""
    try:
        return patterns.compile_pattern(pattern)
    except patterns.PatternError as error:
        raise ValueFormatError(str(error)) from None


def canonical(value: Any, depth: int = 0) -> Hashable:
    """Return a hashable that is equal for equal values: 1 is 1.0, true is not 1, "1" is not 1."""
    if isinstance(value, bool) or value is None:
        return (type(value), value)
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        return ("deep", id(value))
    if isinstance(value, dict):
        return ("map", frozenset((key, canonical(v, depth + 1)) for key, v in value.items()))
    if isinstance(value, list):
        return ("list", tuple(canonical(item, depth + 1) for item in value))
    return ("number", value) if isinstance(value, int | float) else ("text", value)


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal as in expressions: deeply, and nothing is coerced."""
    return canonical(left) == canonical(right)


def storage_problem(value: Any) -> str | None:
    """Return why a value cannot be stored as JSON (depth, range, invalid Unicode), or None."""
    rest: list[tuple[Any, int]] = [(value, 0)]
    while rest:
        part, depth = rest.pop()
        problem = f"is nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else None
        problem = problem or _scalar_problem(part)
        if problem:
            return problem
        if isinstance(part, dict):
            rest.extend((inner, depth + 1) for pair in part.items() for inner in pair)
        elif isinstance(part, list):
            rest.extend((inner, depth + 1) for inner in part)
    return None


def _scalar_problem(value: Any) -> str | None:
    if isinstance(value, str):
        return None if _is_unicode(value) else "has a character that is not Unicode"
    if isinstance(value, float):
        return None if math.isfinite(value) else "is out of range"
    if isinstance(value, int):
        return None if value.bit_length() <= _MAX_BITS else "is out of range"
    return None if value is None or isinstance(value, dict | list) else "is not a JSON value"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def excerpt(value: Any) -> Any:
    """Return a value to show in an error: itself if it is small, else its beginning or its size."""
    if isinstance(value, str):
        text = value.encode(errors="replace").decode()
        return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
    if isinstance(value, list):
        flat = all(not isinstance(item, dict | list) for item in value[:_FEW])
        small = flat and len(value) <= _FEW
        return [excerpt(item) for item in value] if small else f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    return value if _scalar_problem(value) is None else "a number out of range"


def is_number(value: Any) -> bool:
    """Return whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def parse_date(text: Any) -> date | None:
    """Read a real ``YYYY-MM-DD``, or return None."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def resolve_date(text: str, today: date) -> date | None:
    """Read ``YYYY-MM-DD``, ``today``, ``today+30d`` or ``today-7d``, or return None."""
    relative = _RELATIVE.fullmatch(text)
    if not relative:
        return parse_date(text)
    days = int(relative[2] or 0) * (-1 if relative[1] == "-" else 1)
    try:
        return today + timedelta(days=days)
    except OverflowError:
        return None


def check_date_bound(text: Any) -> None:
    """Refuse what is no bound of a date with ``ValueFormatError``."""
    if not isinstance(text, str) or not (_RELATIVE.fullmatch(text) or parse_date(text)):
        raise ValueFormatError("is not a date: write 2026-03-01, today, today+30d or today-7d")


def parse_size(size: int | str) -> int:
    """Read a size into bytes: a number, ``5KB`` or ``5MB`` (of 1024); ``ValueFormatError``."""
    if isinstance(size, int):
        return size
    found = _SIZE.fullmatch(size)
    if not found:
        raise ValueFormatError("is not a size: write a number of bytes, 500KB or 5MB")
    return int(found[1]) * _UNITS[found[2] or ""]


@dataclass(frozen=True, slots=True)
class DataUrl:
    """What is known of a ``data:`` URL without decoding it.

    ``size`` is that of the decoded content, in bytes; ``name`` is the file's, if it is given.
    """

    media_type: str
    size: int
    name: str | None = None


def parse_data_url(text: str) -> DataUrl | None:
    """Read ``data:<media type>;base64,<padded base64>``, or return None.

    The file's name may stand before ``;base64``, percent-encoded: ``;name=my%20notes.txt``.
    """
    found = _DATA_URL.fullmatch(text)
    if not found or len(found[3]) % 4:
        return None
    payload = found[3]
    padding = len(payload) - len(payload.rstrip("="))
    parameters = dict(part.partition("=")[::2] for part in found[2].split(";"))
    name = unquote(parameters.get("name", "")) or None
    return DataUrl(found[1].lower(), len(payload) // 4 * 3 - padding, name)


def media_type_fits(media_type: str, wanted: str) -> bool:
    """Return whether ``image/png`` fits ``image/png``, ``image/*`` or ``*/*``."""
    wanted = wanted.lower()
    if wanted == "*/*":
        return True
    if wanted.endswith("/*"):
        return media_type.startswith(wanted[:-1])
    return media_type == wanted


def is_email(text: str) -> bool:
    """Return whether a text has the form of an email address, 254 characters at most."""
    return len(text) <= MAX_EMAIL and _EMAIL.fullmatch(text) is not None
