"""How long a target asks to wait, by its headers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pao.core.answers import whole_number

_LONGEST_DATE = 40


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a target asks to wait; None if it does not say.

    Reads Retry-After, which holds seconds or a date. Names of headers are in lower case.
    """
    given = headers.get("retry-after", "").strip()
    seconds = whole_number(given)
    if seconds is not None:
        return float(seconds)
    try:
        moment = parsedate_to_datetime(given[:_LONGEST_DATE])
    except (ValueError, OverflowError):
        return None
    # One whose zone is unknown ("-0000") is in UTC (RFC 9110).
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (known - datetime.now(UTC)).total_seconds())
