"""The one format of timestamps. Pure."""

from datetime import UTC, datetime
from typing import Any


def timestamp(moment: datetime) -> str:
    """Return a time as RFC 3339 in UTC with milliseconds, as the API shows it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: Any) -> datetime | None:
    """Return a time written by another system, in UTC; None if it is not a time."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
