"""Spans of time as people write them on a command line: ``90m``, ``24h``, ``7d``."""

import re
from datetime import timedelta

_SPAN = re.compile(r"(\d{1,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_span(text: str) -> timedelta | None:
    """Read a number with its unit, one of s, m, h, d and w; None when it is something else."""
    match = _SPAN.fullmatch(text.strip())
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
