"""What a component tells its bundle, and what is read of a signal as a report."""

from typing import Any

import pytest

from pao.core.components import (
    ComponentReport,
    build_report,
    component_action,
    is_bundle,
    read_report,
)
from pao.core.documents import to_document
from pao.core.names import mark
from pao.core.payloads.actions import ActionState
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.plan import PlannedAction
from pao.core.states import ActionStatus, RequestStatus


def state(id_: str, status: ActionStatus, **more: Any) -> ActionState:
    given = {"type": "job", **more}
    return ActionState(id=id_, index=0, name=id_, status=status, **given)


STATES = [
    state("a", ActionStatus.COMPLETED, outputs={"host": "1", "port": 1}),
    state("b", ActionStatus.SKIPPED, outputs={"host": "skipped"}),
    state(
        "ask",
        ActionStatus.COMPLETED,
        type="jira-ticket",
        outputs={"host": "2"},
        external_reference="OPS-1",
        url="https://jira/OPS-1",
        cleanup="Close OPS-1.",
    ),
    state("asked", ActionStatus.PENDING, type="jira-ticket"),
    state("quiet", ActionStatus.COMPLETED),
    state(
        "c",
        ActionStatus.FAILED,
        error=ActionFailure("ACTION_FAILED", "no"),
        attempt=2,
        outcome_unknown=True,
    ),
]


def told(status: RequestStatus) -> ComponentReport:
    return build_report(
        "db",
        "r-1",
        STATES,
        status=status,
        retrying=True,
        position=("2026", 7),
        error={"code": "ACTION_FAILED"},
    )


def test_a_component_tells_all_that_its_request_knows() -> None:
    report = told(RequestStatus.COMPLETED)
    assert (report.component, report.request_id, report.status) == ("db", "r-1", "completed")
    assert (report.retrying, report.error) == (True, {"code": "ACTION_FAILED"})
    assert report.position == (report.at, report.seq) == ("2026", 7)
    assert report.outputs == {"host": "2", "port": 1}
    assert [one["id"] for one in report.resources] == [None, "OPS-1", None]
    assert report.cleanup[0]["instructions"] == "Close OPS-1."
    assert mark("r-1", "c") in report.cleanup[1]["instructions"]
    assert [(one["id"], one["attempt"]) for one in report.failed_actions] == [("c", 2)]
    assert report.tickets == [{"action": "ask", "key": "OPS-1", "url": "https://jira/OPS-1"}]


@pytest.mark.parametrize("status", [one for one in RequestStatus if one != "completed"])
def test_others_read_outputs_of_a_component_that_is_completed_only(status: RequestStatus) -> None:
    assert told(status).outputs == {}


def test_a_report_is_read_as_it_was_told() -> None:
    report = told(RequestStatus.FAILED)
    assert read_report(to_document(report)) == report


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "gone"},
        {"outputs": []},
        {"resources": {}},
        {"cleanup": None},
        {"failedActions": "none"},
        {"tickets": {}},
        {"error": "no"},
        {"at": 2026},
        {"seq": "7"},
    ],
    ids=str,
)
def test_what_is_no_report_is_passed_over(broken: dict[str, Any]) -> None:
    assert read_report(to_document(told(RequestStatus.FAILED)) | broken) is None


@pytest.mark.parametrize("payload", [None, "text", [], {}, {"component": "db"}])
def test_a_signal_may_carry_anything(payload: object) -> None:
    assert read_report(payload) is None


def test_the_plan_of_a_bundle_has_components() -> None:
    ticket = PlannedAction(id="a", index=0, type="jira-ticket", name="A")
    part = PlannedAction(id=component_action("db"), index=1, type="component", name="DB")
    assert part.id == "components.db"
    assert is_bundle([ticket, part])
    assert not is_bundle([ticket])
