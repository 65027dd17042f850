"""An action whose outcome is unknown stays so, in every view, until its target has answered."""

import json
from typing import Any

import pytest

from activities.registry import load_all
from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.worker import Workbench
from tests.workflows.test_operator_view import details

SEARCH = {"path": "/search"}
CREATE = {"method": "POST", "path": "/issue$"}
LINK = {"path": "/issueLink$"}
GONE = "The workflow was terminated in Temporal."


async def cut(bench: Workbench, request: Request | None = None) -> Request:
    """Return a request whose ticket was made, and nobody was told."""
    bench.jira.fault("cut-after", match=CREATE)
    request = await bench.submit(request)
    await bench.reached(request, "failed")
    return request


async def failed_looks(bench: Workbench, request: Request, **fault: Any) -> None:
    """Have a retry fail at its look."""
    bench.jira.clear_faults()
    bench.jira.fault(**{"kind": "status", "match": SEARCH, "times": None, **fault})
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)


async def is_in_doubt(bench: Workbench, request: Request) -> None:
    row = await bench.row(request)
    [action, *_] = await bench.actions(request)
    assert action["outcome_unknown"]
    assert row["error"]["outcomeUnknown"]
    assert "still not known" in row["error"]["message"]
    assert row["error_context"]["error"]["outcomeUnknown"]
    assert row["error_context"]["failedActions"][0]["outcomeUnknown"]
    assert "not known whether" in row["error_context"]["cleanup"][0]["instructions"]
    last = [one for one in await bench.audit(request) if one["event_type"] == "action.failed"][-1]
    assert last["event_data"]["outcomeUnknown"]


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 400}, {"kind": "cut-before"}])
async def test_a_look_that_fails_takes_no_doubt_away(
    bench: Workbench, fault: dict[str, Any]
) -> None:
    request = await cut(bench)
    await failed_looks(bench, request, **fault)
    await is_in_doubt(bench, request)


async def test_a_look_that_is_answered_ends_the_doubt_although_the_attempt_fails(
    bench: Workbench,
) -> None:
    bench.jira.fault("cut-before", match=CREATE)
    request = await bench.submit()
    await bench.reached(request, "failed")
    bench.jira.fault("status", status=400, match=CREATE)
    await bench.decide(request, "retry")
    row = await bench.reached(request, "failed", attempt=2)
    [action] = await bench.actions(request)
    assert not action["outcome_unknown"]
    assert not row["error"]["outcomeUnknown"]
    assert row["error_context"]["cleanup"] == []


async def test_an_abort_and_the_audit_say_what_may_exist(bench: Workbench) -> None:
    request = await cut(bench)
    await failed_looks(bench, request, status=401)
    await bench.decide(request, "abort")
    row = await bench.reached(request, "aborted")
    assert row["error_context"]["error"]["outcomeUnknown"]
    assert "not known whether" in row["error_context"]["cleanup"][0]["instructions"]


async def test_the_escalation_ticket_says_what_may_exist(bench: Workbench) -> None:
    request = await cut(bench)
    await failed_looks(bench, request, status=401)
    bench.jira.clear_faults()
    await bench.decide(request, "escalate")
    await bench.reached(request, "escalated")
    [escalation] = [one for one in bench.tickets(request) if one["project"] == "ORCHESTRATION"]
    assert "*Outcome unknown:* yes" in escalation["description"]
    assert "not known whether" in escalation["description"]
    assert "Nothing was created" not in escalation["description"]


async def test_the_doubt_survives_a_lost_workflow(bench: Workbench) -> None:
    request = await cut(bench)
    await failed_looks(bench, request, status=401)
    await bench.terminate(request)
    await bench.take_up(request, GONE)
    await is_in_doubt(bench, request)
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=3)
    await is_in_doubt(bench, request)
    bench.jira.clear_faults()
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert (action["adopted"], action["outcome_unknown"], action["partial"]) == (True, False, [])
    assert len(bench.tickets(request)) == 1


async def test_the_operator_reads_the_doubt_in_temporal(bench: Workbench) -> None:
    request = await cut(bench)
    await failed_looks(bench, request, status=401)
    shown = await details(bench, request)
    assert "not known whether the action took effect" in shown
    assert "still not known" in shown


async def test_what_the_fallback_skipped_is_still_in_doubt(bench: Workbench) -> None:
    definition = automatic(ticket("first"), manual=[ticket("byhand")])
    request = await cut(bench, new_request(definition=definition))
    await failed_looks(bench, request, status=401)
    bench.jira.clear_faults()
    bench.jira.fault("status", status=400, match=CREATE)
    await bench.decide(request, "retry", mode="manual")
    row = await bench.reached(request, "failed")
    first, _ = await bench.actions(request)
    assert (first["status"], first["outcome_unknown"]) == ("skipped", True)
    assert "not known whether" in json.dumps(row["error_context"]["cleanup"])


async def test_a_ticket_whose_link_was_refused_stays_listed(bench: Workbench) -> None:
    linked = ticket()
    linked["config"]["ticket"]["links"] = [{"key": "PLATFORM-1"}]
    bench.jira.fault("status", status=400, match=LINK)
    request = await bench.submit(new_request(linked))
    row = await bench.reached(request, "failed")
    [made] = bench.tickets(request)
    assert [one["id"] for one in row["error_context"]["partialResources"]] == [made["key"]]
    await failed_looks(bench, request, status=503)
    row = await bench.row(request)
    assert [one["id"] for one in row["error_context"]["partialResources"]] == [made["key"]]
    assert made["key"] in row["error_context"]["cleanup"][0]["instructions"]
    [action] = await bench.actions(request)
    assert [one["id"] for one in action["partial"]] == [made["key"]]
    failed = [one for one in await bench.audit(request) if one["event_type"] == "action.failed"]
    assert [one["event_data"]["left"] for one in failed] == [[made["key"]]] * 2


async def test_what_was_found_is_listed_when_completing_it_fails(bench: Workbench) -> None:
    linked = ticket()
    linked["config"]["ticket"]["links"] = [{"key": "PLATFORM-1"}]
    request = await cut(bench, new_request(linked))
    bench.jira.fault("status", status=400, match=LINK)
    await bench.decide(request, "retry")
    row = await bench.reached(request, "failed", attempt=2)
    [made] = bench.tickets(request)
    assert not row["error"]["outcomeUnknown"]
    assert [one["id"] for one in row["error_context"]["partialResources"]] == [made["key"]]


async def test_an_action_that_no_worker_takes_keeps_what_is_known(bench: Workbench) -> None:
    unknown = {"id": "act", "type": "jira-ticket", "name": "Act", "config": ticket()["config"]}
    request = await cut(bench, new_request(unknown))
    bench.jira.clear_faults()
    await bench.stop_worker()
    bench.types = {name: one for name, one in load_all().items() if name != "jira-ticket"}
    await bench.start_worker()
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)
    await is_in_doubt(bench, request)
