"""Times of other systems, wherever this process runs."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pao.core.timestamps import moment

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-05T12:00:00", NOON),
        ("2026-03-05T12:00:00Z", NOON),
        ("2026-03-05T13:00:00+01:00", NOON),
        ("0001-01-01T00:00:00+09:00", None),
        ("noon", None),
        (12, None),
        (None, None),
    ],
)
def test_a_time_without_a_zone_is_utc_and_all_are_returned_in_it(
    written: Any, read: datetime | None
) -> None:
    found = moment(written)
    assert found == read
    assert found is None or found.tzinfo is UTC
