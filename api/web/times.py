"""Moments and durations as people read them, in the reader's own zone. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api.web.words import _, ngettext

COOKIE = "tz"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
# Below these, the smaller unit is the clearer one.
_SECONDS_TO, _MINUTES_TO, _HOURS_TO, _DAYS_TO = 90, 90 * 60, 36 * 3_600, 30


def zone_of(name: str | None) -> ZoneInfo:
    """Return the zone that a browser named, or UTC for none and for one that does not exist."""
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, LookupError, OSError):
        return ZoneInfo("UTC")


def read(text: str | datetime) -> datetime:
    """Read a time of the API."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def exact(moment: datetime, zone: ZoneInfo) -> str:
    """Write a moment in full: 29 Nov 2026, 10:41:07 CET."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


def short(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Write a moment as short as it is clear: 10:41 today, else with its day."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M}"


def ago(moment: datetime, now: datetime) -> str:
    """Write how far away a moment is: just now, 3 min ago, 2 days ago, in 3 h."""
    seconds = (now - moment).total_seconds()
    if seconds <= -_MINUTE:
        return _("in %(span)s") % {"span": span(timedelta(seconds=-seconds))}
    if seconds < _MINUTE:
        return _("just now")
    return _("%(span)s ago") % {"span": span(timedelta(seconds=seconds))}


def span(length: timedelta) -> str:
    """Write how long something takes: 0.3 s, 12 s, 6 min, 3 h, 2 days."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 10:  # noqa: PLR2004 -- from ten seconds on, tenths say nothing
        return f"{seconds:.1f} s"
    if seconds < _SECONDS_TO:
        return f"{seconds:.0f} s"
    if seconds < _MINUTES_TO:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < _HOURS_TO:
        return f"{seconds / _HOUR:.0f} h"
    days = round(seconds / _DAY)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def whole_span(length: timedelta) -> str:
    """Write a length as ``span`` does, without tenths of a second."""
    return span(timedelta(seconds=max(round(length.total_seconds()), 0))).replace(".0 s", " s")


def now() -> datetime:
    """Return the current moment."""
    return datetime.now(UTC)
