"""How long GitHub and GitLab want to be left alone, whatever stands in their headers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pao.app.git_sources.outgoing_calls import Allowance
from pao.clients.github import github_errors
from pao.clients.gitlab import gitlab_errors

HUGE = "9" * 5_000
LATER = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)


@dataclass(frozen=True)
class Answer:
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 429
    body: bytes = b""
    truncated: bool = False


def wait_of_github(headers: Mapping[str, str]) -> float | None:
    answer = Answer(dict(headers))
    return github_errors.refusal("GitHub", "do it", answer, effect=True).wait


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": HUGE}, 60.0),
        ({"x-ratelimit-reset": HUGE, "x-ratelimit-remaining": "0"}, 60.0),
        ({"x-ratelimit-reset": "1700000000", "x-ratelimit-remaining": "0"}, 0.0),
        ({}, 60.0),
    ],
)
def test_github_is_left_alone_for_as_long_as_it_says(headers: dict[str, str], wait: float) -> None:
    assert wait_of_github(headers) == wait


@pytest.mark.parametrize(("after", "wait"), [("7", 7.0), (HUGE, None), ("soon", None)])
def test_gitlab_is_left_alone_for_as_long_as_it_says(after: str, wait: float | None) -> None:
    assert gitlab_errors.refusal("do it", Answer({"retry-after": after})).wait == wait


def test_both_may_say_it_as_a_date() -> None:
    headers = {"retry-after": LATER}
    for wait in (wait_of_github(headers), gitlab_errors.refusal("do it", Answer(headers)).wait):
        assert wait is not None
        assert 3_600 < wait <= 86_400


def test_an_allowance_beyond_counting_is_unknown() -> None:
    names = ("limit", "remaining", "reset")
    for huge in names:
        allowance = Allowance()
        allowance.learn({f"x-ratelimit-{name}": HUGE if name == huge else "1" for name in names})
        assert allowance == Allowance()
