"""A workflow task whose result Temporal refused, because something arrived meanwhile.

Temporal executes such a task again; what it had written to Postgres is there already.
"""

from collections import Counter

from temporalio.api.enums.v1 import EventType

from tests.support.requests import Document, Request, automatic, new_request
from tests.support.worker import Workbench, eventually

# The last write of a request waits for a lock that the test holds.
HELD = """
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(7);
        RETURN NEW;
    END $$;
    CREATE TRIGGER hold BEFORE UPDATE ON requests
        FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION hold();
"""
BLOCKED = "SELECT 1 FROM pg_locks WHERE NOT granted"
WAITS = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def approval(name: str) -> Document:
    config = {"approvers": {"users": ["ann"]}}
    return {"id": name, "type": "approval", "name": name, "config": config}


async def test_a_request_that_had_ended_in_a_lost_task_ends_the_same_way(
    bench: Workbench,
) -> None:
    definition = automatic(*(approval(name) for name in ("a", "b", "c")), parallel=True)
    request = await bench.submit(new_request(definition=definition, box=bench.box))

    async def all_wait() -> bool:
        return {one["status"] for one in await bench.actions(request)} == {"waiting"}

    async def approve(name: str) -> None:
        told = {"decisionId": name, "by": "ann", "via": "api", "reason": "fine", "actionId": name}
        await bench.proven_signal(request, "approve", told)

    await eventually(all_wait)
    async with bench.owning() as owner:
        await owner.execute(HELD)
        await owner.execute("SELECT pg_advisory_lock(7)")
        async with bench.locked(request):
            await approve("a")
            await eventually(lambda: bench.rows(BLOCKED))
            await approve("b")
            await approve("c")
        await eventually(lambda: bench.rows(WAITS))
        await bench.signal(request, "unheard-of")
        await owner.execute("SELECT pg_advisory_unlock(7)")
    outcome = await bench.handle(request).result()
    assert await lost_tasks(bench, request) == 1
    assert outcome == {"status": "completed", "note": None}
    told = [row for row in await bench.audit(request) if row["event_type"] != "request.submitted"]
    assert {row["source_system"] for row in told} == {"workflow"}
    kinds = Counter(row["event_type"] for row in told)
    assert (kinds["approval.approve"], kinds["action.completed"]) == (3, 3)
    assert (kinds["request.completed"], kinds["signal.unknown"]) == (1, 1)


async def lost_tasks(bench: Workbench, request: Request) -> int:
    history = await bench.handle(request).fetch_history()
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    return sum(event.event_type == failed for event in history.events)
