"""What a ticket's status means."""

from typing import Any

import pytest

from pao.clients.jira.status import ticket_status
from pao.core.states import RequestStatus

SUBMITTED, IN_PROGRESS = RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS
COMPLETED, FAILED = RequestStatus.COMPLETED, RequestStatus.FAILED


def fields(name: str, category: str | None, resolution: str | None = None) -> dict[str, Any]:
    status: dict[str, Any] = {"name": name}
    if category:
        status["statusCategory"] = {"key": category}
    return {"status": status, "resolution": {"name": resolution} if resolution else None}


@pytest.mark.parametrize(
    ("name", "category", "expected", "mapped"),
    [
        ("To Do", "new", SUBMITTED, True),
        ("Anything", "new", SUBMITTED, True),
        ("Done", "indeterminate", IN_PROGRESS, True),
        ("Fertig", "done", COMPLETED, True),
        ("Won't Do", "done", FAILED, True),
        ("won\u2019t do", "done", FAILED, True),
        ("Cancelled", "done", FAILED, True),
        ("Rejected", "indeterminate", IN_PROGRESS, True),
        ("In Review", "undefined", IN_PROGRESS, True),
        ("Closed", None, COMPLETED, True),
        ("Rejected", None, FAILED, True),
        ("Parked", "undefined", SUBMITTED, False),
        ("", None, SUBMITTED, False),
    ],
)
def test_the_category_decides_and_names_refine(
    name: str, category: str | None, *, expected: RequestStatus, mapped: bool
) -> None:
    status = ticket_status(fields(name, category), {})
    assert (status.mapped_status, status.mapped) == (expected, mapped)


def test_a_resolution_can_say_that_a_done_ticket_was_not_done() -> None:
    assert ticket_status(fields("Done", "done", "Won't Do"), {}).mapped_status is FAILED
    assert ticket_status(fields("Done", "done", "Fixed"), {}).mapped_status is COMPLETED


def test_an_instance_names_its_own_statuses() -> None:
    own = {"Abgelehnt": FAILED, "Parked": IN_PROGRESS}
    assert ticket_status(fields("abgelehnt", "done"), own).mapped_status is FAILED
    assert ticket_status(fields("Parked", "new"), own).mapped_status is IN_PROGRESS


def test_no_name_makes_a_ticket_done_that_jira_calls_open() -> None:
    own = {"Ready": COMPLETED}
    assert ticket_status(fields("Ready", "indeterminate"), own).mapped_status is IN_PROGRESS
    assert ticket_status(fields("Ready", None), own).mapped_status is COMPLETED


@pytest.mark.parametrize("broken", [{}, {"status": None}, {"status": "Done"}, {"status": []}])
def test_fields_without_a_readable_status_are_unmapped(broken: dict[str, Any]) -> None:
    assert not ticket_status(broken, {}).mapped
