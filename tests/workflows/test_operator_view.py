"""What a person finds in Temporal about a request, and what nobody finds anywhere: its secrets."""

import base64
import json
from functools import partial

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, eventually

SENTINEL = 'tr0ub4dor&3 "quoted" <b>'
FORMS = ("tr0ub4dor", "quoted", base64.b64encode(b"tr0ub4dor&3").decode()[:12])


async def details(bench: Workbench, request: Request) -> str:
    metadata = await bench.handle(request).query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    text: str = metadata.current_details
    return text


async def test_the_workflow_list_says_what_it_is_and_who_asked(bench: Workbench) -> None:
    request = await bench.failed()
    description = await bench.handle(request).describe()
    assert await description.static_summary() == "Thing for dana@example.com"
    assert await description.memo_value("correlationId") == request.context.correlation_id


async def test_every_search_attribute_finds_the_request(bench: Workbench) -> None:
    request = await bench.failed()
    values = {
        "PaoItem": "thing",
        "PaoStatus": "failed",
        "PaoRequester": "dana",
        "PaoTeam": "team-things",
        "PaoCorrelationId": request.context.correlation_id,
    }
    for name, value in values.items():
        query = f"{name} = '{value}' and WorkflowId = '{request.workflow_id}'"
        await eventually(partial(count, bench, query), f"{name} finds nothing")


async def count(bench: Workbench, query: str) -> int:
    found = await bench.client.count_workflows(query)
    return found.count


async def test_the_details_of_a_failed_request_tell_what_why_and_what_can_be_done(
    bench: Workbench,
) -> None:
    second = {"method": "POST", "path": "/issue$", "summaryContains": "second"}
    request = new_request(ticket("first"), ticket("second"), ticket("third"))
    await bench.failed(request, match=second, message="no such component")
    [first] = bench.tickets(request)
    text = await details(bench, request)
    for told in (
        "**failed**",
        f"`first` Ask for the first: completed, [{first['key']}]",
        "`third` Ask for the third: pending",
        "### `second` failed, attempt 1",
        "HTTP 400",
        "Suggested: **retry**",
        '- **retry** `{"by": "you", "reason": "',
        '- **abort** `{"by": "you", "reason": "',
        '- **escalate** `{"by": "you", "reason": "',
    ):
        assert told in text, told


async def test_the_details_follow_the_request_to_its_end(bench: Workbench) -> None:
    bench.jira.fault("slow", seconds=3.0, when="before")
    request = await bench.submit()
    await bench.reached(request, "in_progress")
    running = await details(bench, request)
    assert "**in progress**: `ticket` (Ask for the ticket) runs, attempt 1" in running
    assert running.count("Send a Signal") == running.count("**cancel** ends what runs") == 1
    await bench.handle(request).result()
    done = await details(bench, request)
    assert "**completed**" in done
    assert "Send a Signal" not in done


async def test_an_unknown_outcome_is_told_as_such(bench: Workbench) -> None:
    bench.jira.fault("cut-after")
    request = await bench.submit()
    await bench.reached(request, "failed")
    text = await details(bench, request)
    assert "It is not known whether the action took effect." in text
    assert "A retry looks first and adopts what exists." in text
    await bench.decide(request, "retry")
    await bench.handle(request).result()
    assert "(adopted, not created again)" in await details(bench, request)


async def test_each_activity_and_each_signal_says_what_it_is_for(bench: Workbench) -> None:
    request = await bench.failed()
    history = (await bench.handle(request).fetch_history()).to_json()
    assert "Ask for the ticket, attempt 1" in json.dumps(decoded(history))
    metadata = await bench.handle(request).query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    described = {one.name: one.description for one in metadata.definition.signal_definitions}
    # What PAO sends to itself is not offered; "" stands for any other name.
    assert described.keys() == {"", "retry", "abort", "escalate", "cancel", "approve", "reject"}
    assert all(described.values())


async def test_what_was_refused_is_told_until_a_decision_is_accepted(bench: Workbench) -> None:
    request = await bench.failed()
    await bench.signal(request, "rerty", {})
    await eventually(lambda: told(bench, request, "**Last refused:** `rerty`"))
    await bench.signal(request, "retry", "now")
    await eventually(lambda: told(bench, request, "**Last refused:** `retry`"))
    assert "send one JSON object such as" in await details(bench, request)
    await bench.decide(request, "retry")
    await bench.handle(request).result()
    assert "Last refused" not in await details(bench, request)


async def told(bench: Workbench, request: Request, text: str) -> bool:
    return text in await details(bench, request)


def decoded(history: str) -> object:
    """Return a history's JSON with every payload read."""

    def read(value: object) -> object:
        if isinstance(value, dict):
            if isinstance(value.get("data"), str) and "metadata" in value:
                return base64.b64decode(value["data"]).decode(errors="replace")
            return {key: read(member) for key, member in value.items()}
        return [read(member) for member in value] if isinstance(value, list) else value

    return read(json.loads(history))


async def test_a_password_is_in_no_event_no_row_and_no_log(
    bench: Workbench, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    request = new_request(
        ticket(summary="{{fields.title}} {{fields.token}}"), box=bench.box, token=SENTINEL
    )
    bench.jira.fault("status", status=400, message=f"cannot use {SENTINEL} here")
    await bench.submit(request)
    row = await bench.reached(request, "failed")
    assert "cannot use ******** here" in row["error"]["message"]
    bench.jira.fault("cut-before")
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "escalate")
    await bench.reached(request, "escalated")
    [escalation] = bench.tickets(request)
    shown = capfd.readouterr()
    places = {
        "history": json.dumps(decoded((await bench.handle(request).fetch_history()).to_json())),
        "details": await details(bench, request),
        "rows": await everything_stored(bench),
        "log": caplog.text + shown.out + shown.err,
        "escalation": escalation["description"],
    }
    for place, text in places.items():
        for form in FORMS:
            assert form not in text, f"{form} in {place}"
    assert "pao:enc:" in places["history"]
    assert "pao:enc:" not in places["details"] + places["escalation"]


async def everything_stored(bench: Workbench) -> str:
    tables = ("requests", "request_actions", "request_events", "decisions", "audit_logs")
    found = [
        str(row)
        for table in tables
        for row in await bench.rows(f"SELECT row_to_json({table})::text AS row FROM {table}")  # noqa: S608 -- the test's own names
    ]
    assert found
    return "\n".join(found)
