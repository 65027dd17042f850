"""What a request costs in writes, events and bytes, which no machine's speed changes.

A figure that rises is a decision: say in the commit what it buys. One that falls is lowered here.
"""

from collections import Counter

import pytest
from temporalio.api.enums.v1 import EventType

from tests.support.bundles import new_bundle
from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.worker import Workbench, eventually

# An action: scheduled, started, completed, and a workflow task with its mirror write.
EVENTS_EACH, EVENTS_ALL = 8, 20
# Its input and result, and the states that were written before and after.
BYTES_EACH, BYTES_ALL = 4_500, 9_000


@pytest.mark.parametrize("actions", [1, 2, 20])
async def test_one_write_at_the_start_and_one_after_each_action(
    bench: Workbench, actions: int
) -> None:
    plan = [ticket(f"t{n}", dependsOn=[f"t{n - 1}"] if n else []) for n in range(actions)]
    request = await bench.submit(new_request(*plan))
    row = await bench.reached(request, "completed")
    assert row["mirror_seq"] == actions + 1
    await bench.handle(request).result()  # the row says so before the workflow has closed
    description = await bench.handle(request).describe()
    assert description.history_length <= EVENTS_ALL + EVENTS_EACH * actions
    history = await bench.handle(request).fetch_history()
    kinds = Counter(EventType.Name(event.event_type) for event in history.events)
    # One for the start and one for the end of each action; the writes need none of their own.
    assert kinds["EVENT_TYPE_WORKFLOW_TASK_COMPLETED"] == actions + 1
    size = description.raw_description.workflow_execution_info.history_size_bytes
    assert size <= BYTES_ALL + BYTES_EACH * actions


async def test_parallel_actions_start_in_one_write(bench: Workbench) -> None:
    definition = automatic(*(ticket(f"t{n}") for n in range(4)), parallel=True)
    request = await bench.submit(new_request(definition=definition))
    row = await bench.reached(request, "completed")
    # Those that end together are written together.
    assert row["mirror_seq"] <= 1 + 4


@pytest.mark.parametrize("after", [{"one": [], "two": []}, {"one": [], "two": ["one"]}])
async def test_no_task_of_a_bundle_is_repeated(
    bench: Workbench, after: dict[str, list[str]]
) -> None:
    whole = await new_bundle(after=after).submit(bench)
    await bench.handle(whole).result()
    history = await bench.handle(whole).fetch_history()
    kinds = Counter(EventType.Name(event.event_type) for event in history.events)
    # It would be, if the end of a component arrived while the bundle closes.
    assert kinds["EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED"] == len(after)
    assert kinds["EVENT_TYPE_WORKFLOW_TASK_FAILED"] == 0


async def test_an_approval_costs_a_write_when_it_waits_and_one_for_each_vote(
    bench: Workbench,
) -> None:
    approval = {
        "id": "ok",
        "type": "approval",
        "name": "The approval",
        "config": {"approvers": {"users": ["ann"]}},
    }
    request = await bench.submit(new_request(approval, ticket("after", dependsOn=["ok"])))
    await eventually(lambda: _waits(bench, request))
    await bench.decide(request, "approve", actionId="ok", by="ann")
    row = await bench.reached(request, "completed")
    # The start, the wait, the vote, what follows from it, and the end.
    assert row["mirror_seq"] <= 5


async def _waits(bench: Workbench, request: Request) -> bool:
    return any(one["status"] == "waiting" for one in await bench.actions(request))
