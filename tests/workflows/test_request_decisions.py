import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateStage

from tests.support.requests import Document, Request, automatic, item, new_request, ticket
from tests.support.worker import Workbench, eventually

SLOW = {"seconds": 1.0, "when": "before"}


@pytest.mark.parametrize("kind", ["retry", "abort", "escalate"])
async def test_a_decision_about_a_request_in_progress_is_refused_and_recorded(
    bench: Workbench, kind: str
) -> None:
    bench.jira.fault("slow", **SLOW)
    request = await bench.submit()
    await bench.reached(request, "in_progress")
    record = await bench.decide(request, kind)
    assert (record.accepted, record.outcome) == (False, "rejected")
    assert record.message is not None
    assert f"{kind} is not possible while in_progress" in record.message
    await bench.reached(request, "completed")
    [refused] = [one for one in await bench.audit(request) if one["actor"] == "ann"]
    assert (refused["event_type"], refused["reason"]) == ("decision.rejected", record.message)


async def test_of_two_decisions_at_once_one_is_carried_out(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    bench.jira.clear_faults()
    bench.jira.fault("slow", **SLOW)
    one, other = await asyncio.gather(
        bench.decide(request, "retry"), bench.decide(request, "abort")
    )
    assert sorted([one.outcome, other.outcome]) == ["done", "rejected"]
    refused = one if one.outcome == "rejected" else other
    assert refused.message is not None
    assert not refused.accepted


async def test_a_second_decision_is_refused_while_the_first_is_carried_out(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    bench.jira.fault("slow", **SLOW, match={"path": "/search"})
    first = asyncio.create_task(bench.decide(request, "retry"))
    await eventually(lambda: bench.decisions(request))
    second = await bench.decide(request, "abort")
    assert second.message == "another decision is being carried out; wait for its outcome"
    assert (await first).outcome == "done"
    await bench.reached(request, "completed")


async def test_a_repeated_decision_changes_nothing(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    payload = {"by": "ann", "decisionId": "d-1"}
    await bench.signal(request, "retry", payload)
    await bench.reached(request, "failed", attempt=2)
    await bench.signal(request, "retry", payload)
    await bench.decide(request, "abort", decisionId="d-2")
    assert [one["decision_id"] for one in await bench.decisions(request)] == ["d-1", "d-2"]
    [action] = await bench.actions(request)
    assert action["attempt"] == 2


async def test_a_retry_goes_on_with_the_corrected_fields(bench: Workbench) -> None:
    request = await bench.failed(new_request(title="wrong"))
    record = await bench.decide(request, "retry", fields={"title": "right", "size": 7})
    assert record.changes == {
        "size": {"old": 1, "new": 7},
        "title": {"old": "wrong", "new": "right"},
    }
    row = await bench.reached(request, "completed")
    assert row["fields"] == {"title": "right", "size": 7}
    [made] = bench.tickets(request)
    assert made["summary"] == "ticket: right"
    [retry] = [one for one in await bench.audit(request) if one["event_type"] == "request.retry"]
    assert retry["event_data"]["changes"] == record.changes


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"size": 101}, "size"),
        ({"title": None}, "title"),
        ({"colour": "red"}, "colour"),
        ({"token": "a password in clear"}, "use the API"),
        ({"token": 7}, "use the API"),
        ({"token": "pao:enc:v1:k1:never-sealed-here"}, "truncated"),
        ({"title": ["x"]}, "title"),
        ({"title": "y" * 1_000_000}, "too large"),
    ],
)
async def test_a_retry_with_fields_that_do_not_hold_is_refused(
    bench: Workbench, fields: dict[str, Any], told: str
) -> None:
    request = await bench.failed()
    record = await bench.decide(request, "retry", fields=fields)
    assert (record.accepted, record.outcome) == (False, "rejected")
    assert record.message is not None
    assert told in record.message
    row = await bench.row(request)
    assert (row["status"], row["fields"]) == ("failed", request.context.fields)
    record = await bench.decide(request, "retry")
    assert record.outcome == "done"


async def test_a_signalled_correction_that_an_action_cannot_use_is_refused_by_its_field(
    bench: Workbench,
) -> None:
    note = {"id": "note", "name": "Note", "type": "string"}
    document = item([ticket(summary="{{fields.note}}")], fields=[note])
    request = await bench.failed(new_request(definition=document, note="first"))
    payload = {"by": "ann", "decisionId": "d-1", "fields": {"note": None}}
    await bench.signal(request, "retry", payload)
    [record] = await eventually(lambda: settled(bench, request, 1))
    assert record["outcome"] == "rejected"
    assert record["message"].startswith("note: Note needs a value: ticket.summaryTemplate")
    assert (await bench.row(request))["fields"]["note"] == "first"
    payload = {"by": "ann", "decisionId": "d-2", "fields": {"note": "second"}}
    await bench.signal(request, "retry", payload)
    await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    assert made["summary"] == "second"


async def settled(bench: Workbench, request: Request, count: int) -> list[Any] | None:
    found = [one for one in await bench.decisions(request) if one["outcome"] != "open"]
    return found if len(found) == count else None


async def test_a_decision_after_the_end_is_refused_by_temporal_itself(bench: Workbench) -> None:
    request = await bench.submit()
    await bench.reached(request, "completed")
    await bench.handle(request).result()
    with pytest.raises(Exception, match="already completed"):
        await bench.signal(request, "retry")


async def test_a_decision_id_that_stands_for_another_decision_is_refused(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="1")
    await bench.reached(request, "failed", attempt=2)
    await bench.signal(request, "abort", {"by": "ann", "decisionId": "1"})

    async def refused() -> list[dict[str, object]]:
        return [one for one in await bench.decisions(request) if one["outcome"] == "rejected"]

    [one] = await eventually(refused)
    assert (one["decision"], one["decision_id"] == "1") == ("abort", False)
    assert "belongs to another decision (retry)" in str(one["message"])
    assert (await bench.row(request))["status"] == "failed"


@pytest.mark.parametrize("seconds", [1e300, -5.0])
async def test_a_question_with_an_absurd_wait_leaves_the_request_decidable(
    bench: Workbench, seconds: float
) -> None:
    request = await bench.failed()
    query = {"decision_id": "never-sent", "wait_seconds": seconds}
    await bench.handle(request).start_update(
        "decision_outcome", query, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")


SECOND = {"method": "POST", "path": "/issue$", "summaryContains": "second"}


async def test_a_field_that_completed_actions_have_used_is_not_changed_without_a_word(
    bench: Workbench,
) -> None:
    request = new_request(ticket("first"), ticket("second", when="fields.size < 50"))
    await bench.failed(request, match=SECOND)
    record = await bench.decide(request, "retry", fields={"title": "other", "size": 7})
    assert (record.outcome, record.code) == ("rejected", "FIELDS_ALREADY_USED")
    assert "title (by first)" in (record.message or "")
    assert "size" not in (record.message or "")
    assert (await bench.row(request))["fields"] == request.context.fields

    record = await bench.decide(request, "retry", fields={"title": "other"}, acceptUsed=True)
    assert (record.outcome, record.details) == ("done", {"outOfStep": {"title": ["first"]}})
    row = await bench.reached(request, "completed")
    assert row["fields"]["title"] == "other"
    [retry] = [one for one in await bench.audit(request) if one["event_type"] == "request.retry"]
    assert retry["event_data"]["details"] == {"outOfStep": {"title": ["first"]}}


async def test_a_condition_that_skipped_an_action_has_used_its_fields(bench: Workbench) -> None:
    never = ticket("never", when="fields.size > 50", summary="never: {{fields.title}}")
    request = new_request(never, ticket("second"))
    await bench.failed(request, match=SECOND)
    record = await bench.decide(request, "retry", fields={"size": 60})
    assert (record.outcome, record.code) == ("rejected", "FIELDS_ALREADY_USED")
    record = await bench.decide(request, "retry", fields={"title": "other"})
    assert record.outcome == "done", record.message


async def test_what_a_correction_hides_is_dropped_and_shown(bench: Workbench) -> None:
    shown = {"dependsOn": "size", "condition": "equals", "value": 1}
    hides = {"id": "colour", "name": "Colour", "type": "string", "default": "red"}
    document = item([ticket("second")], fields=[{**hides, "conditional": shown}])
    request = new_request(definition=document, colour="red")
    await bench.failed(request, match=SECOND)
    record = await bench.decide(request, "retry", fields={"size": 7})
    assert record.outcome == "done", record.message
    assert record.changes == {
        "colour": {"old": "red", "new": None},
        "size": {"old": 1, "new": 7},
    }
    row = await bench.reached(request, "completed")
    assert "colour" not in row["fields"]


async def test_a_value_sent_for_what_the_correction_hides_is_refused(bench: Workbench) -> None:
    shown = {"dependsOn": "size", "condition": "equals", "value": 1}
    hides = {"id": "colour", "name": "Colour", "type": "string", "conditional": shown}
    request = await bench.failed(new_request(definition=item([ticket()], fields=[hides])))
    record = await bench.decide(request, "retry", fields={"size": 7, "colour": "blue"})
    assert record.outcome == "rejected"
    assert "colour" in (record.message or "")


async def test_a_decision_upon_a_former_attempt_is_refused(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", attempt=1)
    await bench.reached(request, "failed", attempt=2)
    record = await bench.decide(request, "abort", attempt=1)
    assert record.outcome == "rejected"
    assert "made for attempt 1" in (record.message or "")
    record = await bench.decide(request, "abort", attempt=2)
    assert record.outcome == "done"


GATE: Document = {
    "id": "ok",
    "type": "approval",
    "name": "The gate",
    "config": {"approvers": {"users": ["ann"]}},
}


async def retried_and_waiting(bench: Workbench) -> Request:
    """Return a request of which one action has failed again, and another waits for people."""
    definition = automatic(ticket(), GATE, parallel=True)
    request = await bench.submit(new_request(definition=definition))
    await bench.is_waiting(request)
    await bench.decide(request, "reject", by="ann")
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", decisionId="again")
    return request


@pytest.mark.parametrize("decision", ["abort", "retry", "escalate"])
async def test_nothing_is_decided_while_a_retry_waits_for_people(
    bench: Workbench, decision: str
) -> None:
    bench.jira.fault("status", status=400, times=2)
    request = await retried_and_waiting(bench)
    await bench.is_waiting(request)
    record = await bench.decide(request, decision)
    assert (record.accepted, record.outcome) == (False, "rejected")
    assert "a retry is still waiting" in (record.message or "")
    await bench.decide(request, "cancel")
    await bench.reached(request, "failed")
    await bench.decide(request, "abort", decisionId="now")
    await bench.reached(request, "aborted")
