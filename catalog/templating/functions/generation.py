"""Functions that generate: each result depends on the request and the arguments alone."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from catalog.templating.contract import FaultError
from catalog.templating.functions.arguments import text, whole_number
from catalog.templating.functions.registry import FunctionContext
from catalog.templating.values import is_number

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:(\.\d{1,6})\d*)?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
# Not from the locale: a template gives the same text on every machine.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DIRECTIVES = "%Y %y %m %d %H %M %S %j %b %B %a %A %I %p %%"
_HALF_DAY = 12


def uuid(context: FunctionContext, name: Any = "") -> str:
    """Return the UUIDv5 of the name in the namespace of the request's id."""
    try:
        namespace = UUID(context.request_id())
    except ValueError as error:
        raise FaultError("template-value", "request.id is not a UUID") from error
    return str(uuid5(namespace, text(name)))


def timestamp(context: FunctionContext) -> int:
    """Return the request's time in Unix seconds."""
    return int((moment(context.request_time()) - _EPOCH).total_seconds() // 1)


def date(context: FunctionContext, *values: Any) -> str:
    """Write the request's time, or the given one, in UTC and English."""
    when, form = values if len(values) > 1 else (context.request_time(), values[0])
    return format_time(moment(when), text(form))


def random(context: FunctionContext, least: Any, most: Any, name: Any = "") -> int:
    """Return a whole number from least to most that a request always gets again for a name."""
    low, high = whole_number(least), whole_number(most)
    if low > high:
        raise FaultError("template-value", "random() needs the smaller bound first")
    seed = f"{context.request_id()}:{text(name)}:{low}:{high}"
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    return low + drawn % (high - low + 1)


def moment(value: Any) -> datetime:
    """Return a moment in UTC from RFC 3339, a day or Unix seconds."""
    try:
        if is_number(value):
            return _EPOCH + timedelta(seconds=value)
        if isinstance(value, str) and _DAY.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        if isinstance(value, str) and (found := _MOMENT.fullmatch(value)):
            day, time, fraction, offset = found.groups()
            replacement = f"{day}T{time}{fraction.ljust(7, '0') if fraction else ''}"
            return datetime.fromisoformat(replacement + offset.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid_time() from error
    raise _invalid_time()


def format_time(when: datetime, form: str) -> str:
    """Write a moment by a format of strftime's directives, those that every platform has."""
    known = _directives(when)

    def replacement(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise FaultError("template-value", f"a date format supports only {_DIRECTIVES}")
        return known[match[1]]

    return _DIRECTIVE.sub(replacement, form)


def _directives(when: datetime) -> dict[str, str]:
    month, day = _MONTHS[when.month - 1], _DAYS[when.weekday()]
    return {
        "Y": f"{when.year:04}",
        "y": f"{when.year % 100:02}",
        "m": f"{when.month:02}",
        "d": f"{when.day:02}",
        "H": f"{when.hour:02}",
        "M": f"{when.minute:02}",
        "S": f"{when.second:02}",
        "j": f"{when.timetuple().tm_yday:03}",
        "b": month[:3],
        "B": month,
        "a": day[:3],
        "A": day,
        "I": f"{when.hour % _HALF_DAY or _HALF_DAY:02}",
        "p": "AM" if when.hour < _HALF_DAY else "PM",
        "%": "%",
    }


def _invalid_time() -> FaultError:
    return FaultError("template-value", "a time is RFC 3339, YYYY-MM-DD or Unix seconds")
