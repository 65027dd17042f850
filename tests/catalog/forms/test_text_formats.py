"""Moments, times, durations, addresses, users and teams as values of fields."""

from datetime import date
from typing import Any

import pytest

from catalog.forms import Form

TODAY = date(2026, 3, 5)


def told(field: dict[str, Any], value: Any) -> list[str]:
    judge = Form.from_mapping({"groups": [{"id": "g", "fields": [{"id": "f", **field}]}]})
    return [error.constraint for error in judge.validate({"f": value}, TODAY).errors]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            "datetime",
            ["2026-03-01T08:30:00Z", "2026-03-01T08:30:00.5+02:00"],
            [
                "2026-03-01",
                "2026-03-01T08:30:00",
                "2026-02-30T08:30:00Z",
                "0001-01-01T00:00:00+02:00",
            ],
        ),
        ("time", ["08:30", "23:59:59"], ["24:00", "8:30", "08:30:60", "08:30Z"]),
        ("duration", ["90s", "1h30m", "2d", "1.5h"], ["1", "1 h", "-1h", " 1h", "9999999999999d"]),
        (
            "url",
            ["https://wiki.example.com/page?q=1#top", "http://localhost:8080", "http://[::1]/x"],
            [
                "ftp://example.com",
                "https://",
                "javascript:alert(1)",
                "https://u:p@example.com",
                "https://a b.example.com",
                "https://example.com/" + "x" * 2000,
            ],
        ),
        ("user", ["dana", "dana@example.com", "corp/dana"], ["dana smith", "x" * 255, "a\x00"]),
        ("team", ["team-orders"], ["team orders"]),
    ],
)
def test_a_value_has_the_form_of_its_type(kind: str, good: list[str], bad: list[str]) -> None:
    for value in good:
        assert told({"type": kind}, value) == [], value
    for value in bad:
        assert told({"type": kind}, value) == ["format"], value
    assert told({"type": kind}, 5) == ["type"]


@pytest.mark.parametrize(
    ("kind", "bounds", "value", "constraint"),
    [
        ("datetime", {"min": "today"}, "2026-03-04T23:59:59Z", "min"),
        ("datetime", {"min": "today"}, "2026-03-05T00:00:00Z", None),
        ("datetime", {"max": "2026-03-05T10:00:00Z"}, "2026-03-05T11:30:00+01:00", "max"),
        ("time", {"min": "08:00", "max": "18:00"}, "07:59", "min"),
        ("time", {"min": "08:00", "max": "18:00"}, "18:00:01", "max"),
        ("duration", {"max": "2h"}, "121m", "max"),
        ("duration", {"min": "1d"}, "24h", None),
        ("url", {"hosts": ["wiki.example.com"]}, "https://WIKI.example.com/x", None),
        ("url", {"hosts": ["wiki.example.com"]}, "https://wiki.example.com.evil.org", "hosts"),
        ("url", {"hosts": ["*.example.com"]}, "https://a.b.example.com", None),
        ("url", {"hosts": ["*.example.com"]}, "https://example.com", "hosts"),
        ("url", {"hosts": ["*.example.com"]}, "https://evilexample.com", "hosts"),
    ],
)
def test_a_value_is_within_its_bounds(
    kind: str, bounds: dict[str, Any], value: str, constraint: str | None
) -> None:
    expected = [constraint] if constraint else []
    assert told({"type": kind, "validation": bounds}, value) == expected


@pytest.mark.parametrize("kind", ["url", "user", "team"])
def test_an_empty_text_is_no_value(kind: str) -> None:
    assert told({"type": kind}, "") == []
    assert told({"type": kind, "required": True}, "") == ["required"]


@pytest.mark.parametrize(
    ("items", "value", "constraint"),
    [
        ({"pattern": "^[a-z]+$"}, ["a", "B"], "items.pattern"),
        ({"minLength": 2}, ["a"], "items.minLength"),
        ({"maxLength": 1}, ["ab"], "items.maxLength"),
    ],
)
def test_each_text_of_a_free_multiselect_is_judged(
    items: dict[str, Any], value: list[str], constraint: str
) -> None:
    assert told({"type": "multiselect", "items": items}, value) == [constraint]


@pytest.mark.parametrize(
    ("early", "late"),
    [("08:00", "18:00"), ("90m", "2h"), ("2026-03-01T10:00:00+02:00", "2026-03-01T09:00:00Z")],
)
def test_conditions_order_times_durations_and_moments(early: str, late: str) -> None:
    condition = {"dependsOn": "a", "condition": "greaterThan", "value": early}
    fields = [
        {"id": "a", "type": "string"},
        {"id": "b", "type": "string", "conditional": condition},
    ]
    judge = Form.from_mapping({"groups": [{"id": "g", "fields": fields}]})
    assert judge.validate({"a": late}, TODAY).visible == ("a", "b")
    assert judge.validate({"a": early}, TODAY).visible == ("a",)
    assert judge.validate({"a": "2026-01-01"}, TODAY).visible == ("a",)
