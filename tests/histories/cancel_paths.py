"""The paths of cancelled requests, each played once to be recorded."""

from dataclasses import replace

from tests.histories.request_paths import JOB, Play
from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.worker import Workbench, eventually


async def cancel(bench: Workbench) -> Request:
    """Cancelled in Temporal while the first of two actions runs."""
    bench.jira.fault("slow", seconds=0.5, when="before")
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await bench.reached(request, "in_progress")
    await bench.handle(request).cancel()
    await bench.reached(request, "failed")
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


async def cancel_signal(bench: Workbench) -> Request:
    """Cancelled by the signal while one branch runs and another waits; refused at rest."""
    definition = automatic(
        ticket("side"), {"id": "job", "type": "job", "config": {}}, parallel=True
    )
    bench.jira.fault("slow", seconds=30, when="before")
    before = JOB.follows
    request = await bench.submit(new_request(definition=definition))
    await eventually(lambda: JOB.follows > before)
    await bench.decide(request, "cancel")
    await bench.reached(request, "failed")
    await bench.decide(request, "cancel")
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


async def unattended_wait_cancelled(bench: Workbench) -> Request:
    """Cancelled while its wait stands behind another one, in no worker's hands."""
    one_wait = bench.settings.worker.model_copy(update={"waits_pool_size": 1})
    await bench.stop_worker()
    bench.settings = replace(bench.settings, worker=one_wait)
    await bench.start_worker()
    before = JOB.follows
    await bench.submit(new_request({"id": "job", "type": "job", "config": {"name": "first"}}))
    await eventually(lambda: JOB.follows > before)
    request = await bench.submit(new_request({"id": "job", "type": "job", "config": {}}))
    await bench.is_waiting(request)
    await bench.decide(request, "cancel")
    await bench.reached(request, "failed")
    assert await bench.times_scheduled(request, "stop-target")
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


async def cancelled_waits(bench: Workbench) -> Request:
    """Cancelled while people and a ticket are waited for; the ticket is gone when it is retried."""
    gate = {"id": "ok", "type": "approval", "config": {"approvers": {"users": ["ann"]}}}
    ask = {"id": "ask", "type": "job", "config": {"name": "T-1", "kind": "resolution"}}
    request = await bench.submit(new_request(definition=automatic(gate, ask, parallel=True)))
    await eventually(lambda: bench.all_wait(request))
    await bench.decide(request, "cancel")
    await bench.reached(request, "failed")
    await bench.signal(request, "retry", {"by": "ann"})
    await eventually(lambda: bench.all_wait(request))
    await bench.decide(request, "approve", actionId="ok", by="ann")
    gone = {"actionId": "ask", "mappedStatus": "failed", "gone": True}
    await bench.proven_signal(request, "ticket_resolved", gone)
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


async def cancelled_before_it_starts(bench: Workbench) -> Request:
    """Cancelled while Postgres is still told that two actions start."""
    definition = automatic(ticket("left"), ticket("right"), parallel=True)
    request = await bench.store(new_request(definition=definition))
    async with bench.locked(request):
        await bench.workflows.start(request.given, summary="a thing")
        await eventually(lambda: bench.times_scheduled(request, "mirror"))
        await bench.signal(request, "cancel", {"by": "ann", "reason": "too early"})
        await eventually(lambda: bench.was_signalled(request, "cancel"))
    await bench.reached(request, "failed")
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


OF_CANCELLED: dict[str, Play] = {
    "cancel": cancel,
    "cancel-signal": cancel_signal,
    "unattended-wait-cancelled": unattended_wait_cancelled,
    "cancelled-waits": cancelled_waits,
    "cancelled-before-it-starts": cancelled_before_it_starts,
}
