"""The one format of timestamps. Pure."""

from datetime import UTC, datetime


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with milliseconds, as the API shows it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
