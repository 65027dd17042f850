"""Durations as people write them: one grammar for documents, settings and the command line."""

import re
from datetime import datetime, timedelta

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_BARE = re.compile(r"[0-9]+")
# Temporal and Postgres keep nothing longer than 10,000 years.
_LONGEST = timedelta(days=999_999)


def parse_duration(text: str) -> timedelta | None:
    """Return what ``500ms``, ``30s``, ``1h30m``, ``2d`` or ``4w`` says; None for anything else."""
    stripped = text.strip()
    if not _DURATION.fullmatch(stripped):
        return None
    return _duration(
        sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(stripped))
    )


def seconds_of(duration: float | str | None) -> float | None:
    """Return the seconds of a duration in a document, where a number without a unit is allowed.

    None if there is none, and for what is not a duration.
    """
    if isinstance(duration, str):
        bare = _BARE.fullmatch(duration.strip())
        length = _duration(float(duration)) if bare else parse_duration(duration)
    else:
        length = None if duration is None else _duration(duration)
    return None if length is None else length.total_seconds()


def format_duration(duration: timedelta) -> str:
    """Return a duration in the largest unit, up to days, in which it is a whole number."""
    milliseconds = round(duration.total_seconds() * 1000)
    if not milliseconds:
        return "0s"
    for unit in ("d", "h", "m", "s"):
        size = round(_SECONDS[unit] * 1000)
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def _duration(seconds: float) -> timedelta | None:
    longest = _LONGEST.total_seconds()
    return timedelta(seconds=seconds) if 0 <= seconds <= longest else None


def moment_after(span: str, start: datetime) -> datetime | None:
    """Return the moment that is ``span`` after ``start``.

    None for a text that is no duration above zero, and for a moment after the year 9999.
    """
    length = parse_duration(span)
    try:
        return start + length if length else None
    except OverflowError:
        return None
