"""Numbers and repetitions of audit lines and stream entries: what tells one from another."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pao.core.payloads.mirror import Snapshot
from pao.core.states import RequestStatus
from workflows.journal import Journal

LINE: dict[str, Any] = {
    "actor": "ann",
    "via": "api",
    "reason": "so",
    "action_id": "act",
    "data": {"a": 1, "b": 2},
}


@pytest.fixture
def journal() -> Journal:
    return Journal(lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))


def occurrences(journal: Journal) -> list[int | None]:
    lines = [one.occurrence for one in journal.unconfirmed_lines()]
    return lines + [one.occurrence for one in journal.unconfirmed_entries()]


@pytest.mark.parametrize(
    "other",
    [
        {"actor": "bob"},
        {"via": "temporal"},
        {"reason": "because"},
        {"action_id": "other"},
        {"data": {"a": 1}},
    ],
)
def test_only_the_same_line_is_a_repetition(journal: Journal, other: dict[str, Any]) -> None:
    journal.line("event", **LINE)
    journal.line("event", **LINE | other)
    journal.line("other", **LINE)
    assert occurrences(journal) == [0, 0, 0]
    journal.line("event", **LINE | {"data": {"b": 2, "a": 1}})
    assert occurrences(journal)[-1] == 1


def test_entries_of_another_kind_are_no_repetition(journal: Journal) -> None:
    journal.entry("state", {"status": "failed"})
    journal.entry("action", {"status": "failed"})
    assert occurrences(journal) == [0, 0]
    journal.entry("action", {"status": "failed"})
    assert occurrences(journal)[-1] == 1


def test_what_was_confirmed_goes_and_the_rest_stays(journal: Journal) -> None:
    journal.line("first")
    journal.confirm(snapshot())
    assert [one.event_type for one in journal.unconfirmed_lines()] == ["first"]
    told = snapshot(audit=journal.unconfirmed_lines())
    journal.line("second")
    journal.entry("state", {})
    journal.confirm(told)
    assert [one.event_type for one in journal.unconfirmed_lines()] == ["second"]
    assert [one.kind for one in journal.unconfirmed_entries()] == ["state"]
    assert journal.version == 3


def snapshot(**more: Any) -> Snapshot:
    moment = "2026-03-01T12:00:00Z"
    return Snapshot(
        request_id="r",
        run_id="run",
        mirror_at=moment,
        mirror_seq=1,
        status=RequestStatus.FAILED,
        **more,
    )
