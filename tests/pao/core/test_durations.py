"""One grammar of durations, whoever reads them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pao.core.durations import format_duration, moment_after, parse_duration, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("1.5s", 1.5),
        (" 90m ", 5400),
        ("1h30m", 5400),
        ("2d", 172800),
        ("4w", 2419200),
    ],
)
def test_a_duration_is_read_everywhere(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "-1s", "1 h", "1h 30m", "1y", "1M", "PT5M", "1e3s", "\u0663s", "9" * 400 + "d"],
)
def test_anything_else_is_not_a_duration(text: str) -> None:
    assert parse_duration(text) is None
    assert seconds_of(text) is None


def test_a_number_without_a_unit_counts_seconds_in_documents_only() -> None:
    assert (seconds_of(30), seconds_of("30"), seconds_of(1.5)) == (30, 30, 1.5)
    assert parse_duration("30") is None


@pytest.mark.parametrize("value", [None, -1, -0.5, float("nan"), float("inf"), 10**12])
def test_what_no_timer_can_wait_for_is_not_a_duration(value: float | None) -> None:
    assert seconds_of(value) is None


@given(st.integers(min_value=0, max_value=10**12))
def test_a_written_duration_is_read_as_itself(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)

    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "0s"),
        (1, "1ms"),
        (1_001, "1001ms"),
        (2_000, "2s"),
        (90_000, "90s"),
        (120_000, "2m"),
        (5_400_000, "90m"),
        (7_200_000, "2h"),
        (172_800_000, "2d"),
        (1_209_600_000, "14d"),
    ],
)
def test_a_duration_is_written_in_its_largest_whole_unit(milliseconds: int, written: str) -> None:
    assert format_duration(timedelta(milliseconds=milliseconds)) == written


def test_the_longest_duration_is_one() -> None:
    assert seconds_of(999_999 * 86_400) == 999_999 * 86_400
    assert seconds_of(999_999 * 86_400 + 1) is None


@pytest.mark.parametrize("span", ["", "soon", "0d", "999999w", "-1d"])
def test_no_moment_is_after_what_is_no_duration_or_too_long(span: str) -> None:
    assert moment_after(span, datetime(2026, 1, 31, tzinfo=UTC)) is None


def test_a_moment_after_a_duration() -> None:
    start = datetime(2026, 1, 31, 22, tzinfo=UTC)
    assert moment_after("4h", start) == datetime(2026, 2, 1, 2, tzinfo=UTC)
