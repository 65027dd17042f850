"""Corrected fields while earlier attempts may have had an effect: the record tells the truth."""

import json
from typing import Any

import pytest

from tests.support.hosts import (
    OPERATORS,
    Hosts,
    host_request,
    in_doubt,
    ticket_in_doubt,
)
from tests.support.raw_servers import RawServer
from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.worker import Workbench

SEARCH = {"path": "/search"}


async def test_a_look_asks_with_the_former_values_and_what_exists_is_not_called_the_new_one(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    request = await in_doubt(bench, host_request(server))
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert (record.outcome, record.code) == ("rejected", "EXISTS_WITH_FORMER_VALUES")
    assert "Retry without changes" in (record.message or "")
    assert hosts.made == ["one"]
    assert set(hosts.asked) == {"one"}
    assert (await bench.row(request))["fields"]["title"] == "one"

    await bench.decide(request, "retry")
    row = await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert (action["adopted"], row["fields"]["title"]) == (True, "one")
    assert hosts.made == ["one"]


async def test_where_nothing_was_made_the_corrected_call_is_made(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    request = await in_doubt(bench, host_request(server))
    hosts.made.clear()
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert hosts.made == ["two"]
    assert set(hosts.asked) == {"one"}


async def test_every_former_call_is_asked_for(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 2
    request = await in_doubt(bench, host_request(server))
    hosts.made.clear()
    await bench.decide(request, "retry", fields={"title": "two"})
    await bench.reached(request, "failed", attempt=2)
    assert hosts.made == ["two"]
    record = await bench.decide(request, "retry", fields={"title": "three"})
    assert record.code == "EXISTS_WITH_FORMER_VALUES"
    record = await bench.decide(request, "retry")
    assert record.outcome == "done"
    row = await bench.reached(request, "completed")
    assert (row["fields"]["title"], hosts.made) == ("two", ["two"])


async def test_a_correction_waits_while_nobody_can_say_what_exists(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    request = await in_doubt(bench, host_request(server))
    hosts.looks = False
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert record.outcome == "rejected"
    assert "could not be determined" in (record.message or "")
    assert hosts.made == ["one"]
    assert (await bench.row(request))["fields"]["title"] == "one"


async def test_what_appears_after_a_correction_is_not_made_twice(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = hosts.unseen = 1
    request = await in_doubt(bench, host_request(server))
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert record.outcome == "done", record.message
    for attempt, correction in ((2, {}), (3, {"fields": {"title": "one"}})):
        row = await bench.reached(request, "failed", attempt=attempt)
        assert row["error"]["code"] == "EXISTS_WITH_FORMER_VALUES"
        assert "Retry with its former values" in row["error"]["message"]
        [left] = row["error_context"]["cleanup"]
        assert left["instructions"].startswith("Undo in the target by hand")
        await bench.decide(request, "retry", **correction)
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert (action["adopted"], action["partial"], hosts.made) == (True, [], ["one"])


async def test_a_former_call_is_kept_sealed_and_without_the_operators_secrets(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    request = host_request(server)
    request.plan[0].config["body"]["contentTemplate"]["token"] = "{{fields.token}}"
    made = new_request(box=bench.box, token="Sentinel-Passw0rd-7", title="one")
    request.context.fields = made.context.fields
    request.context.request_id = made.context.request_id
    await in_doubt(bench, request)
    [action] = await bench.actions(request)
    [call] = action["former"]
    assert call["sealed"].startswith("pao:enc:")
    history = str(await bench.handle(request).fetch_history())
    for shown in (json.dumps(action, default=str), history):
        assert "Sentinel-Passw0rd-7" not in shown
        assert OPERATORS not in shown
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert action["former"] == []


async def test_the_call_of_a_lost_workflow_is_still_asked_for(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    request = await in_doubt(bench, host_request(server))
    await bench.terminate(request)
    await bench.take_up(request, "The workflow was terminated in Temporal.")
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert record.code == "EXISTS_WITH_FORMER_VALUES"
    assert hosts.made == ["one"]


async def test_the_call_of_a_lost_worker_is_rendered_again(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    request = await in_doubt(bench, host_request(server))
    await bench.terminate(request)
    async with bench.owning() as owner:
        await owner.execute(
            "UPDATE request_actions SET former = NULL WHERE request_id = $1", request.id
        )
    await bench.take_up(request, "The workflow was terminated in Temporal.")
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert record.code == "EXISTS_WITH_FORMER_VALUES"


async def test_a_ticket_with_former_values_is_named_and_can_be_revised(bench: Workbench) -> None:
    request = await ticket_in_doubt(bench)
    [made] = bench.tickets(request)
    record = await bench.decide(request, "retry", fields={"title": "new"})
    assert record.code == "EXISTS_WITH_FORMER_VALUES"
    assert made["key"] in (record.message or "")
    assert "--revise" in (record.message or "")

    record = await bench.decide(request, "retry", fields={"title": "new"}, mode="revise")
    assert record.outcome == "done", record.message
    row = await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    assert (made["summary"], row["fields"]["title"]) == ("ticket: new", "new")
    assert "corrected this ticket: summary" in json.dumps(made)


async def test_a_revision_whose_answer_is_lost_is_revised_again(bench: Workbench) -> None:
    request = await ticket_in_doubt(bench)
    bench.jira.fault("cut-after", match={"method": "PUT", "path": "/issue/"})
    await bench.decide(request, "retry", fields={"title": "new"}, mode="revise")
    row = await bench.reached(request, "failed", attempt=2)
    assert row["error"]["outcomeUnknown"]
    record = await bench.decide(request, "retry", mode="revise")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    assert made["summary"] == "ticket: new"


async def test_a_ticket_that_appears_after_the_look_is_not_called_the_corrected_one(
    bench: Workbench,
) -> None:
    request = await ticket_in_doubt(bench)
    bench.jira.fault("status", status=503, match=SEARCH)
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)
    record = await bench.decide(request, "retry", fields={"title": "new"})
    assert record.code == "EXISTS_WITH_FORMER_VALUES"
    assert len(bench.tickets(request)) == 1


async def test_without_a_look_a_correction_waits_for_evidence(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    hosts.cuts = 1
    request = await in_doubt(bench, host_request(server, look=False))
    record = await bench.decide(request, "retry", fields={"title": "two"})
    assert record.outcome == "rejected"
    assert "evidence" in (record.message or "")
    assert hosts.made == ["one"]


async def unreadable(bench: Workbench, server: RawServer, hosts: Hosts) -> Request:
    """Return a request whose answer could not be read, and whose target cannot be asked."""
    hosts.answers = b'{"other": 1}'
    request = host_request(server, look=False, response={"extract": {"id": "$.id"}})
    await in_doubt(bench, request)
    return request


async def test_the_advice_about_what_nobody_can_ask_is_evidence(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    request = await unreadable(bench, server, hosts)
    suggested = (await bench.row(request))["error_context"]["suggestedDecision"]
    assert suggested["decision"] == "evidence"
    assert "Look in the target" in suggested["reason"]
    await bench.decide(request, "retry")
    row = await bench.reached(request, "failed", attempt=2)
    assert row["error_context"]["suggestedDecision"]["decision"] == "evidence"
    assert hosts.made == ["one"]


async def test_evidence_that_it_is_there_completes_the_action(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    request = await unreadable(bench, server, hosts)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "status"),
        ({"status": 200}, "id"),
        ({"status": "x"}, "status"),
    ]
    for outputs, problem in wrong:
        seen: dict[str, Any] = {"present": True, "outputs": outputs}
        record = await bench.decide(request, "retry", evidence=seen)
        assert record.outcome == "rejected"
        assert problem in (record.message or "")
    seen = {"present": True, "outputs": {"status": 200, "id": "H-1"}}
    record = await bench.decide(request, "retry", evidence=seen)
    assert record.outcome == "done", record.message
    assert record.details == {"evidence": {"actionId": "host", "present": True}}
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert action["outputs"] == {"status": 200, "id": "H-1"}
    assert (action["attempt"], action["outcome_unknown"]) == (1, False)
    assert hosts.made == ["one"]
    [told] = [one for one in await bench.audit(request) if one["event_type"] == "action.evidence"]
    assert (told["actor"], told["event_data"]["present"]) == ("ann", True)


@pytest.mark.parametrize(
    ("lost", "correction", "made"),
    [
        (False, {}, "one"),
        # What was made was a person's word against the target: only the corrected call follows.
        (False, {"fields": {"title": "two"}}, "two"),
        (True, {}, "one"),
    ],
)
async def test_evidence_that_nothing_is_there_has_it_made(  # noqa: PLR0913 -- fixtures and a row
    bench: Workbench,
    server: RawServer,
    hosts: Hosts,
    correction: dict[str, Any],
    made: str,
    *,
    lost: bool,
) -> None:
    request = await unreadable(bench, server, hosts)
    if lost:
        await bench.terminate(request)
        await bench.take_up(request, "The workflow was terminated in Temporal.")
    hosts.answers = None
    record = await bench.decide(request, "retry", evidence={"present": False}, **correction)
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert hosts.made == ["one", made]


async def test_evidence_is_not_taken_when_the_correction_beside_it_is_refused(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    request = await unreadable(bench, server, hosts)
    record = await bench.decide(
        request, "retry", evidence={"present": False}, fields={"title": ["no text"]}
    )
    assert (record.outcome, record.details) == ("rejected", None)
    [action] = await bench.actions(request)
    assert action["outcome_unknown"]
    row = await bench.row(request)
    assert row["error"]["outcomeUnknown"]
    assert "action.evidence" not in {one["event_type"] for one in await bench.audit(request)}

    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)
    assert hosts.made == ["one"]


async def test_evidence_of_what_exists_does_not_come_with_a_correction(
    bench: Workbench, server: RawServer, hosts: Hosts
) -> None:
    request = await unreadable(bench, server, hosts)
    seen = {"present": True, "outputs": {"status": 201, "id": "one"}}
    record = await bench.decide(request, "retry", evidence=seen, fields={"title": "two"})
    assert record.outcome == "rejected"
    assert "without corrected fields" in (record.message or "")


async def test_evidence_about_what_is_certain_is_refused(bench: Workbench) -> None:
    request = await bench.failed()
    record = await bench.decide(request, "retry", evidence={"present": False})
    assert record.outcome == "rejected"
    assert "unknown outcome" in (record.message or "")


async def test_what_a_fallback_took_the_place_of_needs_no_look(bench: Workbench) -> None:
    definition = automatic(ticket("first"), manual=[ticket("byhand")])
    request = await ticket_in_doubt(bench, new_request(definition=definition))
    record = await bench.decide(request, "retry", mode="manual", fields={"title": "new"})
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
