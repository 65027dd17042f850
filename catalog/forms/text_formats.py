"""Text formats: moments, times, durations, addresses, names. No fields."""

import re
from datetime import UTC, date, datetime, time, timedelta

from catalog.forms.values import ValueFormatError, check_date_bound, parse_date, resolve_date
from pao.core.durations import parse_duration

_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
MOMENT_PATTERN = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})$"
TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$"
_HOST = r"([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])"
URL_END = r"(:[0-9]{1,5})?([/?#][^\x00-\x20\x7f]*)?$"
URL_PATTERN = rf"^https?://{_HOST}{URL_END}"
NAME_PATTERN = r"^[^\x00-\x20\x7f]+$"
MAX_URL, MAX_NAME = 2_000, 254

_MOMENT, _TIME = re.compile(MOMENT_PATTERN), re.compile(TIME_PATTERN)
_DURATION, _URL, _NAME = (re.compile(p) for p in (DURATION_PATTERN, URL_PATTERN, NAME_PATTERN))
_ALLOWED_HOST = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def parse_moment(text: object) -> datetime | None:
    """Read a moment with its offset, such as ``2026-03-01T08:30:00Z``, or return None."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_time(text: object) -> time | None:
    """Read a time of day, ``08:30`` or ``08:30:15``, or return None."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return None
    return time.fromisoformat(text)


def parse_duration_text(text: object) -> timedelta | None:
    """Read a duration such as ``90s``, ``1h30m`` or ``2d``, or return None."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        return None
    return parse_duration(text)


def host_of(text: str) -> str | None:
    """Return the host of an address that begins with http:// or https://, or None."""
    if len(text) > MAX_URL:
        return None
    found = _URL.fullmatch(text)
    return found[1].lower() if found else None


def is_allowed(host: str, allowed: str) -> bool:
    """Return whether a host is the allowed one, or below it where ``*.`` stands in front."""
    wanted = allowed.lower()
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted


def check_host(allowed: str) -> None:
    """Refuse what is no host with ``ValueFormatError``."""
    if not _ALLOWED_HOST.fullmatch(allowed):
        raise ValueFormatError("is not a host: write wiki.example.com or *.example.com")


def is_name(text: str) -> bool:
    """Return whether a text can be the id or email of a user, or the name of a team."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def check_moment_bound(bound: object) -> None:
    """Refuse what is no bound of a moment with ``ValueFormatError``."""
    if parse_moment(bound) is None:
        try:
            check_date_bound(bound)
        except ValueFormatError:
            message = (
                "is not a point in time: write 2026-03-01T08:00:00Z, a date, today or today+7d"
            )
            raise ValueFormatError(message) from None


def resolve_moment(bound: str, today: date) -> datetime | None:
    """Return the moment of a bound; a date is its midnight in UTC."""
    moment = parse_moment(bound)
    if moment is None and (day := resolve_date(bound, today)):
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return moment


def comparable(text: object) -> tuple[str, date | time | timedelta] | None:
    """Read a text that has an order: its kind and value, or None. Only one kind compares."""
    readers = {
        "date": parse_date,
        "moment": parse_moment,
        "time": parse_time,
        "duration": parse_duration_text,
    }
    for kind, read in readers.items():
        found = read(text)
        if found is not None:
            return kind, found
    return None
