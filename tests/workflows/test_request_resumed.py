"""A request whose workflow is gone, taken up again from what the mirror knows."""

import asyncio
from datetime import UTC, datetime

from temporalio.common import WorkflowIDReusePolicy

from tests.support.requests import new_request, ticket
from tests.support.worker import Workbench, eventually

GONE = "The workflow was terminated in Temporal."
SECOND = {"method": "POST", "path": "/issue$", "summaryContains": "second"}


async def test_a_failed_request_waits_again_with_all_that_was_known(bench: Workbench) -> None:
    request = new_request(ticket("first"), ticket("second"))
    await bench.failed(request, match=SECOND)
    before, known = await bench.row(request), await bench.actions(request)
    await bench.terminate(request)
    await bench.take_up(request, GONE)
    after = await bench.row(request)
    assert after["status"] == "failed"
    assert after["error"] == before["error"]
    assert after["error_context"] == before["error_context"]
    assert (after["mirror_at"], after["mirror_seq"]) > (before["mirror_at"], before["mirror_seq"])
    kept = ("status", "attempt", "outputs", "external_reference", "error")
    for one, other in zip(await bench.actions(request), known, strict=True):
        assert [one[key] for key in kept] == [other[key] for key in kept]
    assert (await bench.events(request))[-1] == "request.resumed"


async def test_a_retry_goes_on_where_the_lost_workflow_ended(bench: Workbench) -> None:
    request = new_request(ticket("first"), ticket("second"))
    await bench.failed(request, match=SECOND)
    await bench.terminate(request)
    await bench.take_up(request, GONE)
    record = await bench.decide(request, "retry")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 2
    assert [one["attempt"] for one in await bench.actions(request)] == [1, 2]


async def test_a_new_run_that_is_told_of_no_earlier_one_looks_for_what_the_mirror_shows_as_started(
    bench: Workbench,
) -> None:
    bench.jira.fault("cut-after")
    request = await bench.submit()
    await bench.reached(request, "failed")
    await bench.terminate(request)
    assert await bench.workflows.start(
        request.given,
        summary=request.context.summary,
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    [action] = await bench.actions(request)
    assert (action["external_reference"], action["adopted"]) == (made["key"], True)


async def test_an_action_that_was_in_hand_has_an_unknown_outcome_and_is_looked_for(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=3.0, when="before")
    request = await bench.submit()
    await eventually(lambda: not bench.jira.faults())
    await bench.terminate(request)
    await bench.take_up(request, GONE)
    row = await bench.row(request)
    assert row["status"] == "failed"
    assert row["error"]["outcomeUnknown"]
    assert GONE in row["error"]["message"]
    assert row["error_context"]["suggestedDecision"]["decision"] == "retry"
    await eventually(lambda: bench.tickets(request))
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert action["adopted"]
    assert len(bench.tickets(request)) == 1


async def test_a_request_that_had_not_begun_says_why_it_waits(idle_bench: Workbench) -> None:
    bench = idle_bench
    request = await bench.submit()
    await bench.terminate(request)
    await bench.start_worker()
    await bench.take_up(request, GONE)
    row = await bench.row(request)
    assert (row["status"], row["error"]["message"]) == ("failed", GONE)
    assert bench.tickets(request) == []
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")


async def test_a_request_that_had_done_all_is_completed_by_a_retry(bench: Workbench) -> None:
    request = new_request(ticket("first"), ticket("second"))
    await bench.failed(request, match=SECOND)
    await bench.terminate(request)
    await bench.stop_worker()
    async with bench.owning() as owner:
        await owner.execute(
            "UPDATE request_actions SET status = 'completed', outputs = '{}', error = NULL"
            " WHERE request_id = $1 AND action_id = 'second'",
            request.id,
        )
    await bench.start_worker()
    await bench.take_up(request, GONE)
    record = await bench.decide(request, "retry")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")


async def test_decisions_of_the_lost_workflow_are_closed_and_not_taken_twice(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    bench.jira.fault("slow", seconds=6.0, match={"path": "/search"})
    await bench.signal(request, "retry", {"decisionId": "cut"})
    await eventually(lambda: not bench.jira.faults())
    await bench.terminate(request)
    await bench.take_up(request, GONE)
    [decision] = await bench.decisions(request)
    assert (decision["outcome"], decision["message"]) == ("failed", GONE)
    await bench.signal(request, "retry", {"decisionId": "cut"})
    record = await bench.decide(request, "abort")
    assert record.outcome == "done", record.message
    await bench.reached(request, "aborted")
    assert len(await bench.decisions(request)) == 2
    assert bench.tickets(request) == []


async def test_an_escalation_looks_for_the_ticket_of_the_lost_workflow(bench: Workbench) -> None:
    request = await bench.failed()
    bench.jira.fault("cut-after")
    await bench.decide(request, "escalate")
    await bench.terminate(request)
    await bench.take_up(request, GONE)
    await bench.decide(request, "escalate")
    await bench.reached(request, "escalated")
    assert len(bench.tickets(request)) == 1


async def test_a_run_whose_clock_lies_behind_the_mirror_goes_on_above_it(
    idle_bench: Workbench,
) -> None:
    bench = idle_bench
    request = await bench.store(new_request())
    ahead = datetime(2999, 1, 1, tzinfo=UTC)
    await bench.mirror_by_another(request, at=ahead)
    await bench.workflows.start(request.given, summary="a thing")
    await bench.start_worker()
    row = await bench.reached(request, "completed")
    assert (row["mirror_at"], row["mirror_seq"]) > (ahead, 7)
    assert len(bench.tickets(request)) == 1


async def test_the_mirror_is_written_again_when_the_reconciler_asks(bench: Workbench) -> None:
    request = await bench.failed()
    async with bench.owning() as owner:
        await owner.execute(
            "UPDATE requests SET error = NULL, retrying = true WHERE id = $1", request.id
        )
    assert await bench.handle(request).execute_update("mirror_again") == "failed"
    row = await bench.row(request)
    assert (row["retrying"], row["error"]["httpStatus"]) == (False, 400)


async def test_a_closed_workflow_still_tells_its_state(bench: Workbench) -> None:
    request = await bench.submit()
    await bench.handle(request).result()
    told = await asyncio.wait_for(bench.handle(request).query("snapshot"), 10)
    row = await bench.row(request)
    assert (told["status"], told["mirror_seq"]) == ("completed", row["mirror_seq"])
    assert told["actions"][0]["external_reference"] is not None
