"""Who says what: a signal counts as the API's only when it bears PAO's proof."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pao.clients.proofs import with_proof
from pao.core.names import BUNDLE_DECISION_SIGNAL, COMPONENT_SIGNAL
from tests.support.bundles import new_bundle
from tests.support.postgres import Database
from tests.support.requests import Document, Request, new_request, ticket
from tests.support.worker import Workbench, eventually, workbench

APPROVAL: Document = {
    "id": "ok",
    "type": "approval",
    "name": "The approval",
    "config": {"approvers": {"users": ["ceo"]}},
}
CEO = {"by": "ceo", "via": "api", "reason": "fine", "actionId": "ok"}


@pytest.fixture
async def lenient_bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    """A worker whose operator lets approvals count that are sent in Temporal."""
    environ = {"PAO_TEMPORAL_APPROVALS": "true"}
    async with workbench(database, temporal_address, tmp_path, environ=environ) as running:
        yield running


async def waiting(bench: Workbench) -> Request:
    request = await bench.submit(new_request(APPROVAL))
    await bench.is_waiting(request)
    return request


async def closed(bench: Workbench, request: Request, count: int = 1) -> list[dict[str, Any]]:
    async def there() -> list[dict[str, Any]] | None:
        rows = await bench.decisions(request)
        done = [row for row in rows if row["outcome"] != "open"]
        return done if len(done) == count else None

    rows: list[dict[str, Any]] = await eventually(there)
    return rows


async def test_nobody_approves_in_temporal_as_somebody_else(bench: Workbench) -> None:
    request = await waiting(bench)
    await bench.signal(request, "approve", CEO)
    [row] = await closed(bench, request)
    assert (row["outcome"], row["via"]) == ("rejected", "temporal")
    assert "PAO_TEMPORAL_APPROVALS" in row["message"]
    assert (await bench.row(request))["status"] == "in_progress"


@pytest.mark.parametrize("change", ["by", "action", "signal", "request", "proof", "id"])
async def test_a_proof_holds_for_what_was_sent_and_for_nothing_else(
    bench: Workbench, change: str
) -> None:
    request = await waiting(bench)
    other = "other" if change == "request" else request.id
    signed = with_proof(bench.box, other, "approve", {**CEO, "decisionId": "d-1", "by": "ann"})
    altered = {
        "by": {"by": "ceo"},
        "action": {"actionId": "ok", "email": "ceo"},
        "proof": {"proof": "k1:00"},
        "id": {"decisionId": "d-2"},
    }.get(change, {})
    signal = "reject" if change == "signal" else "approve"
    await bench.signal(request, signal, {**signed, **altered})
    [row] = await closed(bench, request)
    assert (row["outcome"], row["via"]) == ("rejected", "temporal")


async def test_the_operator_may_let_approvals_of_temporal_count(lenient_bench: Workbench) -> None:
    request = await waiting(lenient_bench)
    await lenient_bench.signal(request, "approve", CEO)
    await lenient_bench.reached(request, "completed")
    [row] = await lenient_bench.decisions(request)
    assert (row["outcome"], row["via"]) == ("done", "temporal")


async def test_a_decision_of_temporal_is_taken_and_not_shown_as_the_apis(bench: Workbench) -> None:
    request = await bench.failed()
    await bench.signal(request, "abort", {"by": "ceo", "via": "api", "reason": "so be it"})
    await bench.reached(request, "aborted")
    [row] = await bench.decisions(request)
    assert (row["by"], row["via"]) == ("ceo", "temporal")
    assert {one["via"] for one in await bench.audit(request) if one["actor"] == "ceo"} == {
        "temporal"
    }


async def test_a_decision_of_the_api_is_shown_as_such(bench: Workbench) -> None:
    request = await bench.failed()
    record = await bench.decide(request, "abort")
    assert (record.outcome, record.via) == ("done", "api")


async def test_a_ticket_that_no_bundle_has_made_escalates_nothing(bench: Workbench) -> None:
    request = await bench.failed()
    ticket_of_nobody = {
        "ticket_key": "EVIL-1",
        "url": "https://evil.example.com",
        "escalated_at": "2026-01-01T00:00:00.000Z",
        "escalated_by": "ceo",
    }
    told = {"decision": "escalate", "decision_id": "d-1", "by": "ceo", "via": "api"}
    await bench.signal(request, BUNDLE_DECISION_SIGNAL, {**told, "escalation": ticket_of_nobody})
    row = await bench.reached(request, "escalated")
    assert row["escalation_ticket_key"] != "EVIL-1"
    [decision] = await bench.decisions(request)
    assert decision["via"] == "temporal"


async def test_what_a_bundle_decides_reaches_its_components_as_the_apis(bench: Workbench) -> None:
    bench.jira.fault("status", status=400, match={"summaryContains": "left"})
    bundle = new_bundle()
    request = await bundle.submit(bench)
    await bench.reached(request, "failed")
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    [told] = await bench.decisions(bundle.parts["left"])
    assert (told["by"], told["via"], told["outcome"]) == ("ann", "api", "done")


async def test_a_report_that_no_component_has_sent_changes_nothing(bench: Workbench) -> None:
    bench.jira.fault("status", status=400, match={"summaryContains": "left"})
    bundle = new_bundle(after={"left": [], "last": ["left"]})
    request = await bundle.submit(bench)
    await bench.reached(request, "failed")
    told = {
        "component": "left",
        "request_id": bundle.parts["left"].id,
        "status": "completed",
        "at": "2999-01-01T00:00:00.000Z",
        "seq": 999,
        "outputs": {"key": "EVIL-1"},
    }
    await bench.signal(request, COMPONENT_SIGNAL, told)
    record = await bench.decide(bundle.parts["left"], "retry")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert all("EVIL" not in one["summary"] for one in bench.jira.tickets())


async def test_a_ticket_is_not_resolved_because_somebody_says_so(bench: Workbench) -> None:
    waits = ticket("first")
    waits["config"]["waitFor"] = "resolved"
    request = await bench.submit(new_request(waits))
    await bench.is_waiting(request)
    told = {"actionId": "first", "status": "Done", "mappedStatus": "completed"}
    await bench.signal(request, "ticket_resolved", told)
    await eventually(lambda: ignored(bench, request))
    assert (await bench.row(request))["status"] == "in_progress"
    await bench.proven_signal(request, "ticket_resolved", {**told, "since": "another wait"})
    await bench.proven_signal(request, "ticket_resolved", told)
    await bench.reached(request, "completed")


async def ignored(bench: Workbench, request: Request) -> bool:
    return "signal.ignored" in await bench.events(request)
