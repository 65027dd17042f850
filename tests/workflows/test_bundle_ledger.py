"""What a bundle makes of the reports of its components, and what it lets people decide."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pao.core.components import ComponentReport
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.requests import WorkflowTimeouts
from pao.core.states import ActionStatus, RequestStatus
from tests.support.bundles import Bundle, new_bundle
from tests.support.requests import ticket
from workflows.bundle_decisions import objection_to
from workflows.bundle_ledger import BundleLedger
from workflows.components import BundleComponents
from workflows.details import SEND_SIGNAL
from workflows.mirror import Mirror
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop

ERROR = {"code": "ACTION_FAILED", "message": "no", "retryable": True}


@pytest.fixture
def bundle() -> Bundle:
    return new_bundle(ticket("own"), after={"left": [], "right": [], "last": ["right"]})


@pytest.fixture
def ledger(bundle: Bundle) -> BundleLedger:
    """Return that of a bundle of which two components run."""
    ledger = BundleLedger(bundle.whole.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    ledger.move(RequestStatus.IN_PROGRESS)
    for state in ledger.components[:2]:
        ledger.begin(state)
    return ledger


def report(bundle: Bundle, name: str, status: str, **more: Any) -> ComponentReport:
    return ComponentReport(name, bundle.parts[name].id, RequestStatus(status), **more)


def decision(kind: str) -> DecisionRecord:
    return DecisionRecord(decision_id="d-1", decision=kind, at="2026-03-01")


@pytest.mark.parametrize(
    ("told", "status", "error"),
    [
        ({"status": "in_progress"}, "in_progress", None),
        ({"status": "failed", "retrying": True}, "in_progress", None),
        ({"status": "completed"}, "completed", None),
        ({"status": "failed", "error": ERROR}, "failed", ("no", True)),
        (
            {"status": "aborted", "error": ERROR},
            "failed",
            ("no. It was aborted, so it can never complete.", False),
        ),
        (
            {"status": "escalated"},
            "failed",
            ("no reason is known. It was escalated, so it can never complete.", False),
        ),
    ],
)
def test_a_component_stands_where_its_request_does(
    bundle: Bundle,
    ledger: BundleLedger,
    *,
    told: dict[str, Any],
    status: str,
    error: tuple[str, bool] | None,
) -> None:
    left = ledger.components[0]
    told |= {"outputs": {"key": "NET-1"}, "tickets": [{"key": "NET-1"}]}
    assert ledger.record_report(report(bundle, "left", **told, at="2026", seq=1))
    assert (left.status, left.attempt) == (status, 1)
    failed = left.error and (left.error.message, left.error.retryable)
    assert failed == (error and (f"Component left failed: {error[0]}", error[1]))
    assert ledger.has_failed_component() is (error is not None)
    assert ledger.is_terminal(left) is (told["status"] in {"completed", "aborted", "escalated"})
    assert ledger.context.components == {
        "left": {
            "id": "left",
            "status": told["status"],
            "outputs": {"key": "NET-1"},
            "tickets": [{"key": "NET-1"}],
        }
    }
    assert (left.outputs or {}) == ({"key": "NET-1"} if status == "completed" else {})


def test_a_component_that_is_retried_begins_again(bundle: Bundle, ledger: BundleLedger) -> None:
    left = ledger.components[0]
    ledger.record_report(report(bundle, "left", "failed", error=ERROR, at="1"))
    ledger.record_report(report(bundle, "left", "failed", retrying=True, at="2"))
    assert (left.status, left.attempt, left.error) == (ActionStatus.IN_PROGRESS, 2, None)


def test_a_report_that_is_late_or_of_another_request_changes_nothing(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    foreign = ComponentReport("left", bundle.parts["right"].id, RequestStatus.COMPLETED, at="9")
    stranger = ComponentReport("stranger", bundle.parts["left"].id, RequestStatus.COMPLETED, at="9")
    assert not ledger.record_report(foreign)
    assert not ledger.record_report(stranger)
    assert ledger.record_report(report(bundle, "left", "failed", error=ERROR, at="2026", seq=3))
    for seq, taken in ((2, False), (3, False), (4, True)):
        later = report(bundle, "left", "in_progress", at="2026", seq=seq)
        assert ledger.record_report(later) is taken
    assert ledger.record_report(report(bundle, "left", "completed", at="2027"))
    assert not ledger.record_report(report(bundle, "left", "failed", error=ERROR, at="2028"))
    assert ledger.components[0].status == ActionStatus.COMPLETED


def test_the_failure_context_tells_of_every_component_and_of_the_bundle_itself(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    assert ledger.error_context() == {}
    left = report(
        bundle, "left", "completed", resources=[{"id": "NET-1"}], cleanup=[{"entryId": "e-1"}]
    )
    ledger.record_report(left)
    ledger.record_report(
        report(bundle, "right", "failed", error=ERROR, failed_actions=[{"id": "ticket"}], at="1")
    )
    ledger.update_failure()
    found = ledger.error_context()
    parts = {name: part.id for name, part in bundle.parts.items()}
    assert found["partialResources"] == [
        {"id": "NET-1", "component": "left", "requestId": parts["left"]}
    ]
    assert found["cleanup"] == [{"entryId": "e-1", "component": "left", "requestId": parts["left"]}]
    assert found["failedActions"] == [
        {"id": "ticket", "component": "right", "requestId": parts["right"]}
    ]
    assert found["failedComponents"] == [
        {
            "component": "right",
            "requestId": parts["right"],
            "status": "failed",
            "message": "Component right failed: no",
        }
    ]
    suggested = found["suggestedDecision"]
    assert (suggested["decision"], suggested["requestId"]) == ("retry", parts["right"])
    assert (
        f"Decide about the component right on its own request, {parts['right']}: "
        in (suggested["reason"])
    )
    ledger.record_report(report(bundle, "right", "aborted", error=ERROR, at="2"))
    assert ledger.error_context()["suggestedDecision"] == {
        "decision": "escalate",
        "reason": "A component ended without completing, so the bundle cannot complete.",
    }


def test_the_failure_of_a_bundle_is_that_of_what_is_failed_now(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    ledger.record_report(report(bundle, "left", "failed", error=ERROR, at="1"))
    ledger.record_report(report(bundle, "right", "failed", error=ERROR, at="1"))
    assert "2 actions failed" in (ledger.failure.message if ledger.failure else "")
    ledger.record_report(report(bundle, "left", "completed", at="2"))
    ledger.update_failure()
    assert ledger.failure == ledger.components[1].error
    ledger.record_report(report(bundle, "right", "completed", at="2"))
    ledger.update_failure()
    assert ledger.failure is not None, "nothing is failed: the last failure stays"


def test_a_bundle_lets_its_components_be_retried_on_their_own_requests(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    assert objection_to(ledger, decision("retry"), {}) is None
    fields = objection_to(ledger, decision("retry"), {"size": 1})
    assert fields == (
        "the components already have their fields; correct them on their own requests"
    )
    ledger.record_report(report(bundle, "right", "failed", error=ERROR))
    refused = objection_to(ledger, decision("retry"), {})
    where = f"(right: {bundle.parts['right'].id})"
    assert refused == f"retry the component on its own request {where}; the bundle then continues"
    assert objection_to(ledger, decision("abort"), {}) is None
    ledger.record_retry()
    assert ledger.retrying
    assert ledger.journal.unconfirmed_entries()[-1].data == {
        "status": "in_progress",
        "retrying": True,
    }
    for kind in ("retry", "abort", "escalate"):
        told = objection_to(ledger, decision(kind), {})
        assert told == "a component is being retried; wait for its outcome"


def test_fields_of_a_bundles_own_actions_are_corrected_when_its_components_are_done(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    ledger.begin(ledger.components[2])
    for name in bundle.parts:
        ledger.record_report(report(bundle, name, "completed"))
    assert objection_to(ledger, decision("retry"), {"size": 1}) is None


def test_operators_read_where_each_component_stands_and_what_they_may_send(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    parts = {name: f"request-{part.id}" for name, part in bundle.parts.items()}
    text = ledger.details()
    assert text.startswith("**in progress**\n")
    assert f"- `left`: in progress, `{parts['left']}`\n" in text
    assert "### Actions of the bundle" in text
    assert "- `own` Ask for the own: pending" in text
    assert "Decide" not in text
    error = ERROR | {"message": "no\n[room]"}
    ledger.record_report(report(bundle, "left", "aborted", error=error))
    ledger.record_report(report(bundle, "right", "failed", error=error))
    ledger.move(RequestStatus.FAILED)
    text = ledger.details()
    told = r"Component right failed: no \[room\]"
    assert f"- `right`: failed, `{parts['right']}`: {told}\n" in text
    assert f"- Decide about `right` in its own workflow, `{parts['right']}`" in text
    assert "Decide about `left`" not in text, "it has ended"
    assert "### Decide about the whole bundle (applies to every open component)" in text
    assert "- **abort** `" in text
    assert "- **escalate** `" in text
    assert "- **retry** `" not in text
    ledger.record_retry()
    text = ledger.details()
    assert text.startswith("**failed**: a component is being retried\n")
    assert "Decide" not in text


def test_a_bundle_that_has_failed_itself_may_be_retried(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    ledger.begin(ledger.components[2])
    for name in bundle.parts:
        ledger.record_report(report(bundle, name, "completed"))
    [own] = ledger.own
    ledger.begin(own)
    ledger.fail(own, ActionFailure(code="ACTION_FAILED", message="no\nroom"))
    ledger.move(RequestStatus.FAILED)
    text = ledger.details()
    assert "- `own` Ask for the own: failed, no room" in text
    assert "- **retry** `" in text


@pytest.fixture
def components(bundle: Bundle, ledger: BundleLedger) -> BundleComponents:
    decisions = OpenDecisions(ledger)
    return BundleComponents(
        bundle.whole.plan,
        ledger,
        mirror=Mirror(ledger, decisions, bundle.whole.given),
        stop=Stop(ledger, decisions),
        waits=WorkflowTimeouts(),
    )


def test_an_escalation_lists_every_component(
    bundle: Bundle, ledger: BundleLedger, components: BundleComponents
) -> None:
    assert [one["status"] for one in components.describe()] == ["submitted"] * 3
    ledger.record_report(
        report(bundle, "right", "failed", error=ERROR, resources=[{"id": "NET-1"}])
    )
    assert components.describe()[1] == {
        "id": "right",
        "name": "right",
        "item": "thing",
        "requestId": bundle.parts["right"].id,
        "status": "failed",
        "resources": [{"id": "NET-1"}],
    }


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ({"status": "failed", "error": ERROR, "retrying": True}, ("failed", True)),
        ({"status": "in_progress"}, ("in_progress", False)),
    ],
)
def test_a_failed_bundle_shows_a_retry_of_its_components(
    bundle: Bundle,
    ledger: BundleLedger,
    components: BundleComponents,
    other: dict[str, Any],
    shown: tuple[str, bool],
) -> None:
    for name in ("left", "right"):
        ledger.record_report(report(bundle, name, "failed", error=ERROR))
    ledger.move(RequestStatus.FAILED)
    retried = {"status": "failed", "error": ERROR, "retrying": True}
    for name, told in (("left", other), ("right", retried)):
        ledger.record_report(report(bundle, name, at="2026-03-02", **told))
    components._show_retry()
    assert (ledger.status, ledger.retrying) == shown


def test_what_is_set_apart_in_a_bundles_details_is_a_block_of_its_own(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    for name in ("left", "right"):
        ledger.record_report(report(bundle, name, "failed", error=ERROR))
    ledger.decisions.record_ignored_signal(
        "retyr", event="signal.unknown", reason="there is no such signal"
    )
    ledger.begin(ledger.own[0])
    ledger.move(RequestStatus.FAILED)
    blocks = ledger.details().split("\n\n")
    requests = [f"request-{part.id}" for part in bundle.parts.values()]
    assert blocks[0] == "**failed**"
    assert blocks[1].startswith("**Last refused:** `retyr`")
    assert blocks[2:6] == [
        "### Components",
        "\n".join(
            (
                f"- `left`: failed, `{requests[0]}`: Component left failed: no",
                f"- `right`: failed, `{requests[1]}`: Component right failed: no",
                f"- `last`: pending, `{requests[2]}`",
            )
        ),
        "### Actions of the bundle",
        "- `own` Ask for the own: in progress",
    ]
    assert [one.split(" `")[0] for one in blocks[6].splitlines()] == ["- Decide about"] * 2
    assert blocks[7] == "### Decide about the whole bundle (applies to every open component)"
    assert blocks[8] == SEND_SIGNAL
    assert blocks[9].startswith("- **abort** `")


def test_a_hint_at_a_retry_needs_a_component_that_has_failed(
    bundle: Bundle, ledger: BundleLedger
) -> None:
    ledger.record_retry()
    assert ledger.details().startswith("**in progress**\n")
    ledger.record_report(report(bundle, "left", "failed", error=ERROR))
    assert ledger.details().startswith("**in progress**: a component is being retried\n")
