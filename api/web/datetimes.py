"""Moments in fields: shown and entered in the reader's own zone, kept in RFC 3339. Pure.

A form says in which zone it was made: by the time that it is posted, the reader's may be another.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api.web import times
from catalog.forms.text_formats import parse_moment

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?")
INCOMPLETE = "(incomplete)"
"""What a browser posts for a date or a time that is incomplete (static/pao.js)."""

_MINUTE, _MILLISECOND = timedelta(minutes=1), 1_000


def to_local(text: str, zone: ZoneInfo) -> str | None:
    """Return a moment as a native input takes it, or None for what no such input can show."""
    moment = parse_moment(text)
    if moment is None:
        return "" if text in {"", INCOMPLETE} else None
    try:
        here = moment.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    if here.microsecond % _MILLISECOND:
        return None
    exact = "milliseconds" if here.microsecond else "seconds" if here.second else "minutes"
    return here.isoformat(timespec=exact)


def from_local(text: str, *, zone: str, before: str) -> str:
    """Return what was entered in a zone in RFC 3339; what is the moment before stays as it was.

    A text that is no local time is returned as it is: it may be in RFC 3339 already.
    """
    written = text.strip()
    if not _LOCAL.fullmatch(written):
        return text
    try:
        moment = datetime.fromisoformat(written).replace(tzinfo=times.zone_of(zone))
        if moment.astimezone(UTC) == parse_moment(before):
            return before
    except (ValueError, OverflowError):
        return text
    offset = moment.utcoffset() or timedelta()
    if not offset or offset % _MINUTE:
        # Before there were zones, clocks differed by seconds.
        moment = moment.astimezone(UTC)
    exact = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=exact).replace("+00:00", "Z")
