"""A reset plays signals again; what was recorded of a decision stays, and so do corrections."""

from typing import Any

from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.worker import Workbench, eventually
from tests.workflows.test_request_reset import SECOND, reset

APPROVAL = {
    "id": "ok",
    "type": "approval",
    "name": "The approval",
    "config": {"approvers": {"users": ["ann", "bob"]}, "minimum": 2},
}


async def at_rest(bench: Workbench, request: Request, status: str, *, after: str) -> None:
    """Wait until a run that came after another one has written the state, and rests."""

    async def there() -> bool:
        row = await bench.row(request)
        return row["run_id"] != after and row["status"] == status and not row["retrying"]

    await eventually(there)


async def outcomes(bench: Workbench, request: Request) -> list[tuple[str, str, bool]]:
    rows = await bench.decisions(request)
    return [(row["decision_id"], row["outcome"], row["accepted"]) for row in rows]


async def reset_from(bench: Workbench, request: Request, *, task: int) -> str:
    before: str = (await bench.row(request))["run_id"]
    await reset(bench, request, task=task)
    return before


async def test_a_retry_that_is_played_again_is_recognised(bench: Workbench) -> None:
    request = await bench.failed(times=3)
    await bench.decide(request, "retry", decisionId="d-1")
    await bench.reached(request, "failed", attempt=2)
    [recorded] = await bench.decisions(request)
    before = await reset_from(bench, request, task=0)
    await at_rest(bench, request, "failed", after=before)
    assert await bench.decisions(request) == [recorded]
    assert (recorded["outcome"], recorded["accepted"]) == ("done", True)


async def test_the_task_that_took_a_decision_may_be_reset_and_it_is_not_carried_out_again(
    bench: Workbench,
) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="d-1")
    await bench.reached(request, "failed", attempt=2)
    before = await reset_from(bench, request, task=2)
    record = await bench.decide(request, "retry", decisionId="d-2")
    assert record.outcome == "done", record.message
    await at_rest(bench, request, "completed", after=before)
    assert await outcomes(bench, request) == [("d-1", "done", True), ("d-2", "done", True)]
    assert len(bench.tickets(request)) == 1


async def test_a_decision_without_an_id_is_recognised_too(bench: Workbench) -> None:
    request = await bench.failed(times=3)
    await bench.signal(request, "retry", {"by": "ann"})
    await bench.reached(request, "failed", attempt=2)
    before = await reset_from(bench, request, task=0)
    await at_rest(bench, request, "failed", after=before)
    [row] = await bench.decisions(request)
    assert (row["by"], row["outcome"]) == ("ann", "done")


async def test_a_refused_decision_stays_refused_when_it_is_played_again(bench: Workbench) -> None:
    bench.jira.fault("slow", seconds=3.0, when="before")
    bench.jira.fault("status", status=400, times=2, match=SECOND)
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await bench.reached(request, "in_progress")
    record = await bench.decide(request, "abort", decisionId="early")
    assert record.outcome == "rejected"
    await bench.reached(request, "failed")
    before = await reset_from(bench, request, task=0)
    await at_rest(bench, request, "failed", after=before)
    assert await outcomes(bench, request) == [("early", "rejected", False)]


async def test_corrected_fields_survive_a_reset_to_before_their_signal(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="d-1", fields={"size": 7, "title": "corrected"})
    await bench.reached(request, "failed", attempt=2)
    before = await reset_from(bench, request, task=0)
    await at_rest(bench, request, "completed", after=before)
    assert (await bench.row(request))["fields"]["size"] == 7
    assert [one["summary"] for one in bench.tickets(request)] == ["ticket: corrected"]
    [row] = await bench.decisions(request)
    assert (row["outcome"], row["changes"]["size"]) == ("done", {"old": 1, "new": 7})


async def test_corrected_fields_survive_a_reset_to_after_their_signal(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="d-1", fields={"size": 7})
    await bench.reached(request, "failed", attempt=2)
    await reset_from(bench, request, task=-1)
    record = await bench.decide(request, "retry", decisionId="d-2", fields={"title": "corrected"})
    assert record.outcome == "done", record.message
    row = await bench.reached(request, "completed")
    assert (row["fields"]["size"], row["fields"]["title"]) == (7, "corrected")


async def test_of_two_corrections_the_later_one_survives(bench: Workbench) -> None:
    request = await bench.failed(times=3)
    await bench.decide(request, "retry", decisionId="d-1", fields={"size": 7})
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "retry", decisionId="d-2", fields={"size": 9})
    await bench.reached(request, "failed", attempt=3)
    await reset_from(bench, request, task=3)
    record = await bench.decide(request, "retry", decisionId="d-3")
    assert record.outcome == "done", record.message
    assert (await bench.reached(request, "completed"))["fields"]["size"] == 9


async def test_conditions_are_judged_by_the_corrected_fields_after_a_reset(
    bench: Workbench,
) -> None:
    definition = automatic(
        ticket("first"),
        ticket("second", when="{{fields.size > 5}}"),
    )
    request = await bench.failed(new_request(definition=definition), times=2)
    await bench.decide(request, "retry", decisionId="d-1", fields={"size": 7})
    await bench.reached(request, "failed", attempt=2)
    before = await reset_from(bench, request, task=0)
    await at_rest(bench, request, "completed", after=before)
    assert [row["status"] for row in await bench.actions(request)] == ["completed"] * 2


async def test_a_decision_in_hand_at_the_reset_is_carried_out_by_the_new_run(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    bench.jira.fault("slow", seconds=3, when="before", match={"path": "/issue$"})
    await bench.signal(request, "retry", {"decisionId": "d-1", "by": "ann"})

    async def in_hand() -> bool:
        rows: list[dict[str, Any]] = await bench.decisions(request)
        return [row["accepted"] for row in rows] == [True] and not bench.jira.faults()

    await eventually(in_hand)
    before = await reset_from(bench, request, task=0)
    await at_rest(bench, request, "completed", after=before)

    async def closed() -> bool:
        [row] = await bench.decisions(request)
        return bool(row["outcome"] != "open")

    await eventually(closed)
    [(_, outcome, accepted)] = await outcomes(bench, request)
    assert (outcome in {"done", "failed"}, accepted) == (True, True)
    assert len(bench.tickets(request)) == 1


async def test_a_vote_stays_counted_when_a_reset_plays_it_again(bench: Workbench) -> None:
    request = await bench.submit(new_request(APPROVAL))
    await bench.is_waiting(request)
    await bench.decide(request, "approve", decisionId="v-1", by="ann")
    before = await reset_from(bench, request, task=-1)
    await bench.decide(request, "approve", decisionId="v-2", by="bob")
    await at_rest(bench, request, "completed", after=before)
    assert [row[:2] for row in await outcomes(bench, request)] == [("v-1", "done"), ("v-2", "done")]


async def test_a_vote_about_an_approval_that_is_asked_anew_does_not_count_for_it(
    bench: Workbench,
) -> None:
    request = await bench.submit(new_request(APPROVAL))
    await bench.is_waiting(request)
    await bench.decide(request, "approve", decisionId="v-1", by="ann")
    before = await reset_from(bench, request, task=0)

    async def asks_anew() -> bool:
        # The run first: an action that is read after it is the new run's.
        run_id = (await bench.row(request))["run_id"]
        [action] = await bench.actions(request)
        return bool(run_id != before and action["status"] == "waiting")

    await eventually(asks_anew)
    [action] = await bench.actions(request)
    assert action["waiting"]["decisions"] == []
    assert [row[:2] for row in await outcomes(bench, request)] == [("v-1", "done")]
    await bench.decide(request, "approve", decisionId="v-2", by="ann")
    await bench.decide(request, "approve", decisionId="v-3", by="bob")
    await bench.reached(request, "completed")
