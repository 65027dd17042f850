"""The signal ``cancel``: what runs or waits ends, nothing new starts, and people decide."""

from typing import Any

import pytest

from tests.support.bundles import new_bundle
from tests.support.jobs import JobAction
from tests.support.requests import Document, Request, automatic, new_request, ticket
from tests.support.worker import Workbench, eventually

APPROVAL: Document = {
    "id": "ok",
    "type": "approval",
    "name": "The approval",
    "config": {"approvers": {"users": ["ann"]}},
}


@pytest.fixture
async def bench(idle_bench: Workbench, job: JobAction) -> Workbench:
    """A worker that knows one more type of action."""
    return await job.work(idle_bench)


def held(name: str = "job") -> Document:
    return {
        "id": name,
        "type": "job",
        "name": f"The {name}",
        "config": {"name": name, "held": True},
    }


async def cancelled(bench: Workbench, request: Request) -> dict[str, Any]:
    record = await bench.decide(request, "cancel", reason="it hangs")
    assert (record.accepted, record.outcome) == (True, "done"), record.message
    return await bench.reached(request, "failed")


async def test_a_running_action_is_cut_and_nothing_new_starts(
    bench: Workbench, job: JobAction
) -> None:
    request = await bench.submit(new_request(held(), ticket("after")))
    await eventually(lambda: job.begun)
    row = await cancelled(bench, request)
    assert job.cut == ["job"]
    assert row["error"]["outcomeUnknown"]
    assert row["error"]["message"].startswith("Cancelled by ann: it hangs. ")
    assert [one["status"] for one in await bench.actions(request)] == ["failed", "pending"]
    assert "request.cancel" in await bench.events(request)


async def test_the_usual_decisions_follow_and_a_retry_looks_first(
    bench: Workbench, job: JobAction
) -> None:
    request = await bench.submit(new_request(held()))
    await eventually(lambda: job.begun)
    await cancelled(bench, request)
    await bench.signal(request, "retry", {"by": "ann"})
    await eventually(lambda: job.follows)
    job.end("fine")
    await bench.reached(request, "completed")
    assert len(job.begun) == 1


async def test_every_branch_that_runs_or_waits_ends(bench: Workbench, job: JobAction) -> None:
    definition = automatic(held("one"), held("two"), APPROVAL, parallel=True)
    request = await bench.submit(new_request(definition=definition))
    await bench.is_waiting(request)
    await eventually(lambda: len(job.begun) == 2)
    await cancelled(bench, request)
    assert sorted(job.cut) == ["one", "two"]
    found = {one["action_id"]: one for one in await bench.actions(request)}
    assert {one["status"] for one in found.values()} == {"failed"}
    assert [found[name]["outcome_unknown"] for name in ("one", "two", "ok")] == [True, True, False]


async def test_a_target_at_work_is_told_and_what_it_made_stays_listed(
    bench: Workbench, job: JobAction
) -> None:
    request = await bench.submit(
        new_request({"id": "job", "type": "job", "name": "The job", "config": {}})
    )
    await eventually(lambda: job.follows)
    row = await cancelled(bench, request)
    assert job.stopped == ["job"]
    [left] = row["error_context"]["partialResources"]
    assert (left["id"], left["action"]) == ("job", "job")
    assert any("Remove the job" in one["instructions"] for one in row["error_context"]["cleanup"])


async def test_a_wait_for_people_ends_and_is_asked_anew_by_a_retry(bench: Workbench) -> None:
    request = await bench.submit(new_request(APPROVAL))
    await bench.is_waiting(request)
    row = await cancelled(bench, request)
    assert not row["error"]["outcomeUnknown"]
    await bench.signal(request, "retry", {"by": "ann"})
    await bench.is_waiting(request)
    await bench.decide(request, "approve", by="ann")
    await bench.reached(request, "completed")


async def test_a_wait_for_a_ticket_ends_and_the_ticket_stays_listed(bench: Workbench) -> None:
    waits = ticket("first")
    waits["config"]["waitFor"] = "resolved"
    request = await bench.submit(new_request(waits))
    await bench.is_waiting(request)
    row = await cancelled(bench, request)
    [made] = bench.tickets(request)
    assert [one["id"] for one in row["error_context"]["partialResources"]] == [made["key"]]


async def test_a_retry_in_hand_is_ended_too(bench: Workbench, job: JobAction) -> None:
    request = await bench.submit(new_request(held()))
    await eventually(lambda: job.begun)
    await cancelled(bench, request)
    await bench.signal(request, "retry", {"by": "ann", "decisionId": "again"})
    await eventually(lambda: job.follows)
    await bench.decide(request, "cancel", decisionId="second")
    await bench.reached(request, "failed", attempt=2)
    outcomes = {one["decision_id"]: one["outcome"] for one in await bench.decisions(request)}
    assert (outcomes["again"], outcomes["second"]) == ("done", "done")


async def test_it_is_refused_where_nothing_runs_or_waits(bench: Workbench) -> None:
    request = await bench.failed()
    record = await bench.decide(request, "cancel")
    assert (record.accepted, record.outcome) == (False, "rejected")
    assert "nothing is running or waiting" in (record.message or "")
    assert (await bench.row(request))["status"] == "failed"


async def test_a_bundles_cancel_goes_to_every_component_that_runs(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=30, when="before", match={"summaryContains": "left"})
    bundle = new_bundle()
    request = await bundle.submit(bench)
    await bench.reached(bundle.parts["right"], "completed")
    await bench.reached(bundle.parts["left"], "in_progress")
    await cancelled(bench, request)
    statuses = {name: (await bench.row(part))["status"] for name, part in bundle.parts.items()}
    assert statuses == {"left": "failed", "right": "completed", "last": "submitted"}
    [told] = await bench.decisions(bundle.parts["left"])
    assert (told["decision"], told["by"], told["outcome"]) == ("cancel", "ann", "done")


async def test_a_bundle_that_is_cancelled_while_it_is_told_what_starts_begins_no_component(
    idle_bench: Workbench,
) -> None:
    bundle = new_bundle(after={"left": [], "right": []})
    await bundle.store(idle_bench)
    request = bundle.whole
    await idle_bench.start_worker()
    async with idle_bench.locked(request):
        await idle_bench.workflows.start(request.given, summary="a bundle")
        # Before it has begun there is nothing to cancel.
        await eventually(lambda: idle_bench.times_scheduled(request, "mirror"))
        await idle_bench.signal(request, "cancel", {"by": "ann"})
        await eventually(lambda: idle_bench.was_signalled(request, "cancel"))
    await idle_bench.reached(request, "failed")
    assert idle_bench.jira.tickets() == []
    for part in bundle.parts.values():
        row = await idle_bench.reached(part, "failed")
        assert "cancelled before this component began" in row["error"]["message"]
        await idle_bench.decide(part, "retry")
    await idle_bench.reached(request, "completed")
    assert len(idle_bench.jira.tickets()) == 2


async def test_a_component_that_is_held_has_what_its_bundle_gives_it(idle_bench: Workbench) -> None:
    bundle = new_bundle(after={"left": [], "last": ["left"]})
    request, last = bundle.whole, bundle.parts["last"]
    await idle_bench.start_worker()
    idle_bench.jira.fault("slow", seconds=1, when="before")
    await bundle.submit(idle_bench)
    await idle_bench.reached(bundle.parts["left"], "in_progress")
    before = await idle_bench.times_scheduled(request, "mirror")

    async def is_told_what_starts() -> bool:
        return await idle_bench.times_scheduled(request, "mirror") > before

    async with idle_bench.locked(request):
        await idle_bench.reached(bundle.parts["left"], "completed")
        await eventually(is_told_what_starts)
        await idle_bench.signal(request, "cancel", {"by": "ann"})
        await eventually(lambda: idle_bench.was_signalled(request, "cancel"))
    await idle_bench.reached(last, "failed")
    await idle_bench.decide(last, "retry")
    await idle_bench.reached(request, "completed")
    [first, second] = idle_bench.jira.tickets()
    assert second["summary"] == f"last: {first['key']}"
    # Nothing was there before: what cannot be looked for needs no evidence.
    assert '"look_first":false' in await idle_bench.inputs(last, "jira-ticket")
