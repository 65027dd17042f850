"""The one format of timestamps. Pure."""

from datetime import UTC, datetime
from typing import Any


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with milliseconds, as the API shows it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: Any) -> datetime | None:
    """Return a time that another system has written, in UTC; None for what is none."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
