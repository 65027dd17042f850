from tests.support.requests import new_request, ticket
from tests.support.worker import Workbench

LOOK = {"method": "POST", "path": "/search"}


async def test_a_request_completes_when_its_ticket_exists(bench: Workbench) -> None:
    request = await bench.submit()
    row = await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    [action] = await bench.actions(request)
    assert action["external_reference"] == made["key"]
    assert not action["adopted"]
    assert row["error"] is None
    assert await bench.events(request) == [
        "request.submitted",
        "request.in_progress",
        "action.completed",
        "request.completed",
    ]


async def test_a_failed_request_completes_when_a_human_retries_it(bench: Workbench) -> None:
    request = await bench.failed()
    row = await bench.row(request)
    assert row["error"]["httpStatus"] == 400
    assert row["error_context"]["suggestedDecision"]["decision"] == "retry"
    record = await bench.decide(request, "retry")
    assert (record.accepted, record.outcome) == (True, "done")
    row = await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1
    assert row["error"] is None


async def test_a_retry_that_fails_again_waits_for_the_next_decision(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    record = await bench.decide(request, "retry")
    assert (record.outcome, record.message) == ("done", "Ask for the ticket failed again")
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    assert await bench.events(request) == [
        "request.submitted",
        "request.in_progress",
        "action.failed",
        "request.failed",
        "request.retry",
        "action.failed",
        "request.failed",
        "request.retry",
        "action.completed",
        "request.completed",
    ]


async def test_a_retry_runs_the_failed_action_only_and_keeps_what_earlier_ones_made(
    bench: Workbench,
) -> None:
    after = ticket("second", summary="second, after {{outputs.first.key}}")
    last = ticket("third", summary="third, after {{outputs.second.key}} and {{outputs.first.key}}")
    second = {"method": "POST", "path": "/issue$", "summaryContains": "second"}
    request = await bench.failed(new_request(ticket("first"), after, last), match=second)
    states = [action["status"] for action in await bench.actions(request)]
    assert states == ["completed", "failed", "pending"]
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    first, made, third = bench.tickets(request)
    assert made["summary"] == f"second, after {first['key']}"
    assert third["summary"] == f"third, after {made['key']} and {first['key']}"
    assert [action["attempt"] for action in await bench.actions(request)] == [1, 2, 1]


async def test_a_ticket_that_exists_although_the_line_was_cut_is_adopted_by_the_retry(
    bench: Workbench,
) -> None:
    bench.jira.fault("cut-after")
    request = await bench.submit()
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    assert row["error"]["retryable"]
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    [action] = await bench.actions(request)
    assert (action["external_reference"], action["adopted"]) == (made["key"], True)


async def test_a_retry_creates_nothing_when_its_look_fails(bench: Workbench) -> None:
    bench.jira.fault("cut-before")
    request = await bench.submit()
    await bench.reached(request, "failed")
    bench.jira.fault("status", status=503, match={"path": "/search"})
    await bench.decide(request, "retry")
    row = await bench.reached(request, "failed", attempt=2)
    assert bench.tickets(request) == []
    assert row["error"]["httpStatus"] == 503
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1


async def test_an_aborted_request_ends_with_who_ended_it_and_why(bench: Workbench) -> None:
    request = await bench.failed()
    record = await bench.decide(request, "abort", reason="no longer needed")
    assert record.outcome == "done"
    row = await bench.reached(request, "aborted")
    assert row["error"]["httpStatus"] == 400
    last = (await bench.audit(request))[-1]
    assert (last["event_type"], last["actor"], last["via"], last["reason"]) == (
        "request.aborted",
        "ann",
        "api",
        "no longer needed",
    )
    assert (await bench.handle(request).result())["status"] == "aborted"


async def test_an_escalation_opens_a_ticket_that_tells_everything(bench: Workbench) -> None:
    second = {"method": "POST", "path": "/issue$", "summaryContains": "second"}
    request = new_request(
        ticket("first", cleanup="Remove {{outputs.first.key}}."), ticket("second")
    )
    await bench.failed(request, match=second, message="no such component")
    await bench.decide(request, "escalate", reason="needs the platform team")
    row = await bench.reached(request, "escalated")
    [made, escalation] = bench.tickets(request)
    assert escalation["key"] == row["escalation_ticket_key"]
    assert (row["escalated_by"], row["escalation_reason"]) == ("ann", "needs the platform team")
    text = escalation["description"]
    for told in (
        request.id,
        "no such component",
        f"Remove {made['key']}.",
        "needs the platform team",
        '"title"',
    ):
        assert told in text, told


async def test_an_escalation_ticket_is_found_when_the_line_was_cut_after_it_was_made(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    bench.jira.fault("cut-after")
    record = await bench.decide(request, "escalate")
    assert record.outcome == "failed"
    row = await bench.reached(request, "failed")
    assert row["escalation_ticket_key"] is None
    assert "escalation.failed" in await bench.events(request)
    record = await bench.decide(request, "escalate")
    assert record.outcome == "done"
    row = await bench.reached(request, "escalated")
    [only] = bench.tickets(request)
    assert row["escalation_ticket_key"] == only["key"]


async def test_a_request_can_still_be_decided_when_its_escalation_failed(bench: Workbench) -> None:
    request = await bench.failed()
    bench.jira.fault("status", status=503)
    record = await bench.decide(request, "escalate")
    assert record.outcome == "failed"
    assert record.message is not None
    assert "could not be created" in record.message
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")


async def test_a_large_request_can_be_escalated(bench: Workbench) -> None:
    request = await bench.failed(new_request(title="x" * 700_000))
    record = await bench.decide(request, "escalate")
    assert record.outcome == "done", record.message
    await bench.reached(request, "escalated")
