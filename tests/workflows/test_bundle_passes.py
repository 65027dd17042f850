"""What a bundle starts, ends and shows as its components report, task by task."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.components import ComponentReport, ComponentStart
from pao.core.payloads.actions import ActionResult, ActionState
from pao.core.payloads.decisions import CorrectionAnswer
from pao.core.payloads.requests import RequestInput, Resumption
from pao.core.states import ActionStatus, RequestStatus
from tests.support.bundles import Bundle, new_bundle
from tests.support.requests import ticket
from tests.support.workflow_driver import (
    Job,
    WorkflowDriver,
    cancel_job,
    drive_workflow,
    signal_job,
)
from workflows.bundle import BundleWorkflow

TICKET = "jira-ticket"
CHAIN = {"first": [], "last": ["first"]}
ERROR = {"code": "ACTION_FAILED", "message": "no", "retryable": True}


@contextmanager
def started(
    bundle: Bundle, *jobs: Job, given: RequestInput | None = None
) -> Iterator[WorkflowDriver]:
    """Start a bundle whose components start at once, as Postgres and the server would have it."""
    parts = {part.id: part.given for part in bundle.parts.values()}
    with drive_workflow(BundleWorkflow, given or bundle.whole.given, *jobs) as run:
        run.answers |= {names.workflow_id(part): lambda _: None for part in parts}
        run.answers[names.BUNDLE_DECISION_SIGNAL] = lambda _: None
        run.answers[names.COMPONENT_ACTIVITY] = lambda query: ComponentStart(
            given=parts[query["request_id"]]
        )
        run.task()
        yield run


def reports(
    run: WorkflowDriver,
    bundle: Bundle,
    name: str,
    status: str,
    *,
    replays: bool = False,
    **more: Any,
) -> None:
    """Have a component report where it stands."""
    at = f"2026-03-01T12:{len(run.calls):02}:00.000Z"
    report = ComponentReport(name, bundle.parts[name].id, RequestStatus(status), at=at, **more)
    run.answers[names.COMPONENTS_ACTIVITY] = lambda _: [report]
    told = {"component": name, "request_id": report.request_id, "status": status}
    run.task(signal_job(names.COMPONENT_SIGNAL, told), replays=replays)


def closes(run: WorkflowDriver, bundle: Bundle, name: str) -> None:
    """Have the workflow of a component close."""
    workflow_id = bundle.parts[name].workflow_id
    run.task(next(call for call in run.calls if call.name == workflow_id).end_job())


def begun(run: WorkflowDriver, bundle: Bundle) -> list[str]:
    """Return the components whose workflows were started, in order."""
    of = {part.workflow_id: name for name, part in bundle.parts.items()}
    return [of[call.name] for call in run.calls if call.name in of]


def shown(run: WorkflowDriver) -> tuple[str, bool]:
    """Return what Postgres was told last: the bundle's state, and whether it is being retried."""
    return run.mirrored("status")[-1], run.mirrored("retrying")[-1]


def events(run: WorkflowDriver) -> list[str]:
    """Return the events of the audit trail, in order."""
    return [one["event_type"] for written in run.mirrored("audit") for one in written]


def refused(run: WorkflowDriver) -> list[str]:
    lines = [one for written in run.mirrored("audit") for one in written]
    return [one["reason"] for one in lines if one["event_type"] == "signal.ignored"]


def test_components_are_started_in_order_and_then_the_bundles_own_action() -> None:
    bundle = new_bundle(ticket("own"), after=CHAIN)
    with started(bundle) as run:
        assert begun(run, bundle) == ["first"]
        reports(run, bundle, "first", "completed")
        assert begun(run, bundle) == ["first", "last"]
        closes(run, bundle, "first")
        reports(run, bundle, "last", "completed")
        closes(run, bundle, "last")
        run.answer(TICKET, ActionResult())
        assert run.result == {"status": "completed", "note": None}
        assert run.statuses == ["in_progress", "completed"]
        assert "wait-for-component-ends" not in run.patches


def test_a_bundle_closes_once_its_last_component_has_closed() -> None:
    bundle = new_bundle(after=CHAIN)
    with started(bundle) as run:
        reports(run, bundle, "first", "completed")
        closes(run, bundle, "first")
        reports(run, bundle, "last", "completed")
        assert shown(run) == ("completed", False)
        assert run.result is None
        closes(run, bundle, "last")
        assert run.result == {"status": "completed", "note": None}


def test_a_bundle_closes_without_a_component_that_stays_open() -> None:
    bundle = new_bundle(after=CHAIN)
    with started(bundle) as run:
        reports(run, bundle, "first", "completed")
        reports(run, bundle, "last", "completed")
        assert run.result is None
        run.answer("timer")
        assert run.result == {"status": "completed", "note": None}


def test_a_bundle_of_before_closes_at_once() -> None:
    bundle = new_bundle(after=CHAIN)
    with started(bundle) as run:
        reports(run, bundle, "first", "completed")
        reports(run, bundle, "last", "completed", replays=True)
        assert run.result == {"status": "completed", "note": None}


def test_what_reports_no_component_of_the_bundle_is_recorded_as_ignored() -> None:
    bundle = new_bundle(after=CHAIN)
    with started(bundle) as run:
        run.signal(names.COMPONENT_SIGNAL)
        stranger = {"component": "stranger", "request_id": "x", "status": "completed"}
        run.signal(names.COMPONENT_SIGNAL, stranger)
        assert refused(run) == ["component_changed: this is not a report of a component"] * 2


def test_a_component_that_has_begun_before_is_taken_as_it_stands() -> None:
    bundle = new_bundle(after=CHAIN)
    with drive_workflow(BundleWorkflow, bundle.whole.given) as run:
        run.answers[names.workflow_id(bundle.parts["last"].id)] = lambda _: None
        known = ComponentReport("first", bundle.parts["first"].id, RequestStatus.COMPLETED, at="1")
        run.answer(names.COMPONENT_ACTIVITY, ComponentStart(report=known))
        run.answer(names.COMPONENT_ACTIVITY, ComponentStart(given=bundle.parts["last"].given))
        assert begun(run, bundle) == ["last"]


def test_a_component_whose_workflow_exists_already_is_followed() -> None:
    bundle = new_bundle(after={"first": []})
    child = bundle.parts["first"]
    with drive_workflow(BundleWorkflow, bundle.whole.given) as run:
        run.answer(names.COMPONENT_ACTIVITY, ComponentStart(given=child.given))
        run.answer(child.workflow_id, ApplicationError("it exists already"))
        reports(run, bundle, "first", "completed")
        assert run.result == {"status": "completed", "note": None}


@pytest.mark.parametrize(
    ("signal", "by"),
    [(True, "Cancelled by ann: it hangs."), (False, "Cancelled by temporal: why.")],
)
def test_a_cancelled_bundle_ends_what_runs_and_starts_nothing_new(*, signal: bool, by: str) -> None:
    bundle = new_bundle(after=CHAIN)
    with started(bundle) as run:
        if signal:
            run.signal("cancel", {"by": "ann", "reason": "it hangs"})
        else:
            run.task(cancel_job("why"))
        [told] = run.inputs(names.BUNDLE_DECISION_SIGNAL)
        assert (told["decision"], told["by"]) == ("cancel", "ann" if signal else "temporal")
        reports(run, bundle, "first", "completed")
        assert begun(run, bundle) == ["first"]
        assert run.statuses == ["in_progress", "failed"]
        assert run.mirrored("error")[-1]["message"] == by
        run.signal("retry", {"by": "ann"})
        assert begun(run, bundle) == ["first", "last"]
        assert shown(run) == ("in_progress", False)


def test_a_bundle_that_is_cancelled_before_it_begins_fails_and_may_be_retried() -> None:
    bundle = new_bundle(after=CHAIN)
    with started(bundle, cancel_job("too early")) as run:
        assert begun(run, bundle) == []
        assert run.statuses == ["failed"]
        assert run.mirrored("error")[-1]["message"] == "Cancelled by temporal: too early."
        assert events(run) == ["request.in_progress", "request.cancel", "request.failed"]
        run.signal("retry", {"by": "ann"})
        assert begun(run, bundle) == ["first"]


def test_a_bundle_whose_last_component_was_retried_is_in_progress_while_its_own_action_runs() -> (
    None
):
    bundle = new_bundle(ticket("own"), after={"first": []})
    with started(bundle) as run:
        reports(run, bundle, "first", "failed", error=ERROR)
        reports(run, bundle, "first", "failed", error=ERROR, retrying=True)
        assert shown(run) == ("failed", True)
        reports(run, bundle, "first", "completed")
        assert run.inputs(TICKET)
        assert shown(run) == ("in_progress", False)


def test_a_component_whose_retry_was_over_at_once_has_no_error() -> None:
    bundle = new_bundle(after=CHAIN)
    with started(bundle) as run:
        reports(run, bundle, "first", "failed", error=ERROR)
        reports(run, bundle, "first", "completed")
        first, last = run.query(names.SNAPSHOT_QUERY)["actions"]
        assert (first["status"], first["error"]) == ("completed", None)
        assert last["status"] == "in_progress"


def test_a_bundle_whose_own_action_is_retried_stays_failed_meanwhile() -> None:
    bundle = new_bundle(ticket("own"), after={"first": []})
    with started(bundle) as run:
        reports(run, bundle, "first", "completed")
        run.answer(TICKET, ApplicationError("no", type="ActionFailed"))
        run.signal("retry", {"by": "ann"})
        assert len(run.inputs(TICKET)) == 2
        assert shown(run) == ("failed", True)


def resumed(bundle: Bundle, status: ActionStatus, **more: Any) -> RequestInput:
    """Return the input of a bundle that is resumed when its first component stands so."""
    one = bundle.whole.plan[0]
    state = ActionState(one.id, one.index, one.type, one.name, status=status, attempt=1)
    resumption = Resumption("It was terminated.", actions=[state], **more)
    return replace(bundle.whole.given, resumption=resumption)


def test_a_bundle_whose_component_fails_while_its_retry_is_prepared_waits_again() -> None:
    bundle = new_bundle(after=CHAIN)
    given = resumed(bundle, ActionStatus.IN_PROGRESS, unchecked=True)
    with started(bundle, given=given) as run:
        run.answer(names.COMPONENTS_ACTIVITY, [])
        run.signal("retry", {"by": "ann"})
        reports(run, bundle, "first", "failed", error=ERROR)
        run.answer(names.CHECK_CORRECTION_ACTIVITY, CorrectionAnswer(valid=True))
        assert shown(run) == ("failed", False)
        assert run.mirrored("error")[-1]["message"] == "Component first failed: no"
        assert run.mirrored("decisions")[-1][0]["outcome"] == "done"
        assert "request.failed" not in events(run), "it has been failed all the time"


def test_a_bundle_that_was_resumed_after_its_components_stays_failed_while_it_is_retried() -> None:
    bundle = new_bundle(ticket("own"), after={"first": []})
    with started(bundle, given=resumed(bundle, ActionStatus.COMPLETED)) as run:
        run.answer(names.COMPONENTS_ACTIVITY, [])
        run.signal("retry", {"by": "ann"})
        assert run.inputs(TICKET)
        assert shown(run) == ("failed", True)
