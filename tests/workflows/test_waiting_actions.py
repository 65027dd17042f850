"""Actions that wait: for their target, for a ticket's end, for people."""

from pathlib import Path
from typing import Any

import pytest

from activities.registry import load_all
from tests.support.jobs import JobAction
from tests.support.postgres import Database
from tests.support.requests import Document, Request, automatic, item, new_request, ticket
from tests.support.worker import Workbench, eventually, workbench


@pytest.fixture
async def bench(idle_bench: Workbench, job: JobAction) -> Workbench:
    """A worker that knows one more type of action."""
    return await job.work(idle_bench)


def a_job(**more: Any) -> Document:
    return {"id": "job", "type": "job", "name": "The job", "config": {}, **more}


def approval(**config: Any) -> Document:
    usual = {"approvers": {"users": ["ann", "bob"], "teams": ["team-things"]}}
    return {"id": "ok", "type": "approval", "name": "The approval", "config": {**usual, **config}}


async def waits(bench: Workbench, request: Request, action: str = "ok") -> dict[str, Any]:
    async def waiting() -> dict[str, Any] | None:
        found = {row["action_id"]: row for row in await bench.actions(request)}
        return found[action] if found[action]["status"] == "waiting" else None

    row: dict[str, Any] = await eventually(waiting)
    return row


async def waiting_request(bench: Workbench, *actions: Document) -> Request:
    request = await bench.submit(new_request(*actions))
    await waits(bench, request)
    return request


async def test_a_target_at_work_is_waited_for_and_its_answer_goes_on(
    bench: Workbench, job: JobAction
) -> None:
    after = ticket("after", summary="after: {{outputs.job.answer}}")
    request = await bench.submit(new_request(a_job(), after))
    row = await waits(bench, request, "job")
    assert row["waiting"]["kind"] == "follow"
    assert (await bench.row(request))["status"] == "in_progress"
    job.end("forty-two")
    await bench.reached(request, "completed")
    assert bench.tickets(request)[0]["summary"] == "after: forty-two"


async def test_a_wait_goes_on_when_its_worker_is_gone_and_nothing_is_made_twice(
    bench: Workbench, job: JobAction
) -> None:
    request = await bench.submit(new_request(a_job()))
    await eventually(lambda: job.follows)
    await bench.stop_worker()
    await bench.start_worker()
    await eventually(lambda: job.follows > 1)
    job.end("done")
    await bench.reached(request, "completed")
    assert len(job.begun) == 1
    assert job.stopped == []


async def test_waits_take_no_place_that_a_ticket_needs(
    database: Database, temporal_address: str, tmp_path: Path, job: JobAction
) -> None:
    small = {"WORKER_POOL_SIZE": "1", "WORKER_SLOW_POOL_SIZE": "1"}
    async with workbench(
        database, temporal_address, tmp_path, environ=small, with_worker=False
    ) as bench:
        bench.types = {**load_all(), "job": job}
        await bench.start_worker()
        jobs = [await bench.submit(new_request(a_job())) for _ in range(3)]
        await eventually(lambda: job.follows == 3)
        await bench.reached(await bench.submit(), "completed")
        for _ in jobs:
            job.end("done")
        for one in jobs:
            await bench.reached(one, "completed")


async def test_a_job_that_fails_is_found_and_waited_for_again_by_the_retry(
    bench: Workbench, job: JobAction
) -> None:
    request = await bench.submit(new_request(a_job()))
    job.end("no")
    await bench.reached(request, "failed")
    record = await bench.decide(request, "retry")
    assert (record.outcome, record.message) == ("done", None)
    row = await waits(bench, request, "job")
    assert (row["adopted"], (await bench.row(request))["status"]) == (True, "in_progress")
    job.end("done")
    await bench.reached(request, "completed")
    assert len(job.begun) == 1


async def test_a_cancelled_wait_tells_the_target_and_leaves_the_request_failed(
    bench: Workbench, job: JobAction
) -> None:
    request = await bench.submit(new_request(a_job()))
    await eventually(lambda: job.follows)
    await bench.handle(request).cancel()
    row = await bench.reached(request, "failed")
    assert job.stopped == ["job"]
    assert row["error"]["outcomeUnknown"]
    assert [one["id"] for one in row["error_context"]["partialResources"]] == ["job"]


async def test_a_ticket_that_is_waited_for_completes_its_action_when_it_is_resolved(
    bench: Workbench,
) -> None:
    request = await waiting_ticket(bench)
    before = (await bench.handle(request).describe()).history_length
    told = {"actionId": "ok", "status": "Done", "mappedStatus": "completed", "resolution": "Fixed"}
    await bench.proven_signal(request, "ticket_resolved", {**told, "actionId": "other"})
    await bench.signal(request, "ticket_resolved", "nonsense")

    async def both_ignored() -> bool:
        return (await bench.events(request)).count("signal.ignored") == 2

    await eventually(both_ignored)
    await bench.proven_signal(request, "ticket_resolved", told)
    await bench.reached(request, "completed")
    [row] = await bench.actions(request)
    assert row["outputs"]["resolution"] == "Fixed"
    assert before < 25


async def test_a_ticket_that_will_not_be_done_fails_its_action_until_it_is_looked_at_again(
    bench: Workbench, job: JobAction
) -> None:
    request = await waiting_ticket(bench)
    told = {"actionId": "ok", "status": "Won't Do", "mappedStatus": "failed"}
    await bench.proven_signal(request, "ticket_resolved", told)
    row = await bench.reached(request, "failed")
    assert "Ticket T-1 was resolved as Won't Do" in row["error"]["message"]
    assert [one["id"] for one in row["error_context"]["partialResources"]] == ["T-1"]
    await bench.decide(request, "retry")
    assert (await waits(bench, request))["adopted"]
    assert len(job.begun) == 1
    await bench.proven_signal(request, "ticket_resolved", {**told, "mappedStatus": "completed"})
    await bench.reached(request, "completed")


async def waiting_ticket(bench: Workbench) -> Request:
    action = {"id": "ok", "type": "job", "config": {"name": "T-1", "kind": "resolution"}}
    return await waiting_request(bench, action)


async def test_an_approval_waits_until_enough_people_have_approved(bench: Workbench) -> None:
    after = ticket("after", summary="after: {{outputs.ok.by}}: {{outputs.ok.reason}}")
    request = await waiting_request(bench, approval(minimum=2, message="Is it fine?"), after)
    metadata = await bench.handle(request).describe()
    assert metadata.raw_description
    first = await bench.decide(request, "approve", actionId="ok", by="ann")
    assert (first.accepted, first.outcome, first.message) == (True, "done", "1 of 2 approvals")
    again = await bench.decide(request, "approve", actionId="ok", by="ann")
    assert (again.outcome, again.message) == ("rejected", "ann has already decided: approve")
    stranger = await bench.decide(request, "approve", by="eve", teams=["team-other"])
    assert "eve is not one of its approvers: ann, bob, team team-things" in str(stranger.message)
    await bench.decide(request, "approve", by="carl", teams=["team-things"], reason="looks good")
    await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    assert made["summary"] == "after: carl: looks good"
    [row, _] = await bench.actions(request)
    assert [vote["by"] for vote in row["outputs"]["decisions"]] == ["ann", "carl"]
    audit = [line for line in await bench.audit(request) if line["event_type"].startswith("appr")]
    assert [(line["actor"], line["via"]) for line in audit] == [("ann", "api"), ("carl", "api")]


async def test_one_rejection_fails_the_action_and_a_retry_asks_anew(bench: Workbench) -> None:
    request = await waiting_request(bench, approval())
    await bench.decide(request, "reject", actionId="ok", by="bob", reason="too large")
    row = await bench.reached(request, "failed")
    assert row["error"]["message"] == "It was rejected by bob: too large"
    assert row["error_context"]["suggestedDecision"]["decision"] == "abort"
    late = await bench.decide(request, "approve", actionId="ok", by="ann")
    assert "no longer waits for approval: It was rejected by bob" in str(late.message)
    await bench.decide(request, "retry")
    await waits(bench, request)
    await bench.decide(request, "approve", actionId="ok", by="bob")
    await bench.reached(request, "completed")


async def test_whoever_submitted_does_not_decide_unless_the_item_allows_it(
    bench: Workbench,
) -> None:
    people = {"users": ["dana", "dana@example.com", "ann"]}
    request = await waiting_request(bench, approval(approvers=people))
    for who in ({"by": "dana"}, {"by": "d", "email": "dana@example.com"}):
        refused = await bench.decide(request, "approve", actionId="ok", **who)
        assert "requesters cannot decide about their own requests" in str(refused.message)
    await bench.decide(request, "approve", actionId="ok", by="ann")
    await bench.reached(request, "completed")
    request = await waiting_request(bench, approval(approvers=people, allowSelf=True))
    await bench.decide(request, "approve", actionId="ok", by="dana")
    await bench.reached(request, "completed")


@pytest.mark.parametrize(("outcome", "status"), [("reject", "failed"), ("approve", "completed")])
async def test_after_its_deadline_an_approval_has_the_outcome_that_the_item_says(
    bench: Workbench, outcome: str, status: str
) -> None:
    request = await waiting_request(bench, approval(deadline=1, onDeadline=outcome))
    await bench.reached(request, status)
    [row] = await bench.actions(request)
    if status == "failed":
        assert row["error"]["message"] == "It was rejected by deadline: the deadline has passed"
        late = await bench.decide(request, "approve", actionId="ok", by="ann")
        assert "no longer waits for approval" in str(late.message)
    else:
        assert row["outputs"]["by"] == "deadline"


async def test_people_are_reminded_and_may_decide_after_a_deadline_that_only_reminds(
    bench: Workbench,
) -> None:
    rules = {"deadline": 2, "onDeadline": "remind", "remindEvery": 1}
    request = await waiting_request(bench, approval(**rules))

    async def reminded() -> bool:
        rows = await bench.rows(
            "SELECT data FROM request_events WHERE request_id = $1 AND kind = 'log'", request.id
        )
        return sum("is still waiting" in str(row["data"]["message"]) for row in rows) >= 3

    await eventually(reminded)
    await bench.decide(request, "approve", actionId="ok", by="ann")
    await bench.reached(request, "completed")


async def test_votes_that_cannot_be_read_or_come_for_nothing_are_recorded_with_the_reason(
    bench: Workbench,
) -> None:
    request = await waiting_request(bench, approval())
    wrong: list[Any] = [7, {"actionId": 5}, {"teams": "x"}, {"colour": 1}]
    for payload in wrong:
        await bench.signal(request, "approve", payload)
    await bench.decide(request, "approve", actionId="other")
    await eventually(lambda: _refused(bench, request, 5))
    messages = [row["message"] for row in await bench.decisions(request)]
    assert any("is not an object" in text for text in messages)
    assert any("actionId must be a string" in text for text in messages)
    assert any("teams must be a list" in text for text in messages)
    assert any("unknown keys: colour" in text for text in messages)
    assert any("other is unknown; waiting for an approval: ok" in text for text in messages)
    await bench.decide(request, "reject", actionId="ok", by="ann")
    await bench.reached(request, "failed")


async def _refused(bench: Workbench, request: Request, count: int) -> bool:
    rows = await bench.decisions(request)
    return len([row for row in rows if row["outcome"] == "rejected"]) >= count


async def test_a_branch_goes_on_while_another_one_waits_for_people(bench: Workbench) -> None:
    definition = automatic(approval(), ticket("side"), parallel=True)
    request = await bench.submit(new_request(definition=definition))
    await waits(bench, request)
    await eventually(lambda: bench.tickets(request))
    await bench.decide(request, "abort")
    assert (await bench.row(request))["status"] == "in_progress"
    await bench.handle(request).cancel()
    row = await bench.reached(request, "failed")
    assert "It was waiting for an approval" in row["error"]["message"]


async def test_people_are_told_of_a_wait_and_of_a_failure_and_it_matters_to_nobody(
    bench: Workbench,
) -> None:
    notice = {
        "type": "notification",
        "name": "To the team",
        "config": {
            "url": "http://127.0.0.1:9/hook",
            "text": "{{fulfillment.event}} {{fields.title}}: {{fulfillment.message}}",
        },
    }
    definition = item([approval(message="Is it fine?")])
    definition["fulfillment"] |= {"onWaiting": [notice], "onFailure": [notice]}
    request = await bench.submit(new_request(definition=definition))
    await waits(bench, request)
    await bench.decide(request, "reject", actionId="ok", by="ann")
    await bench.reached(request, "failed")
    await eventually(lambda: bench.has_logged(request, "To the team could not be sent", times=2))
    assert [row["action_id"] for row in await bench.actions(request)] == ["ok"]
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
