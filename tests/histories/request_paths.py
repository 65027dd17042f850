"""The paths that one request can take, each played once to be recorded."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from pao.core.payloads.requests import WorkflowTimeouts
from tests.support.jobs import JobAction
from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.worker import Workbench, eventually
from tests.workflows.test_request_reset import reset
from tests.workflows.test_restored_postgres import lose

SECOND = {"method": "POST", "path": "/issue$", "summaryContains": "second"}
JOB = JobAction()
FAR_TOO_MUCH = "x" * 3_000
Play = Callable[[Workbench], Awaitable[Request]]


async def reset_to(bench: Workbench, request: Request, status: str, **how: Any) -> None:
    """Reset a request in Temporal, and wait until its new run has stored this state."""
    before = (await bench.row(request))["run_id"]
    await reset(bench, request, **how)

    async def is_reached() -> bool:
        row = await bench.row(request)
        return bool(row["run_id"] != before and row["status"] == status)

    await eventually(is_reached)


async def escalated_at_the_second_try(bench: Workbench, request: Request) -> None:
    """Escalate while JIRA fails, and again when it does not."""
    bench.jira.fault("status", status=503)
    await bench.decide(request, "escalate")
    await bench.decide(request, "escalate")
    await bench.reached(request, "escalated")


async def success(bench: Workbench) -> Request:
    """Two actions, the second of which uses the first one's outputs."""
    after = ticket("second", summary="second, after {{outputs.first.key}}")
    request = await bench.submit(new_request(ticket("first"), after))
    await bench.reached(request, "completed")
    return request


async def fail_then_retry(bench: Workbench) -> Request:
    """Two failures of a second action; the last retry comes with corrected fields."""
    request = new_request(ticket("first"), ticket("second"), box=bench.box, token="hunter2-hunter2")
    await bench.failed(request, match=SECOND, times=2)
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "retry", fields={"size": 7})
    await bench.reached(request, "completed")
    return request


async def outcome_unknown_then_adopt(bench: Workbench) -> Request:
    """The line is cut after JIRA has made the ticket; the retry finds it."""
    bench.jira.fault("cut-after")
    request = await bench.submit(new_request())
    await bench.reached(request, "failed")
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    return request


async def corrected_in_doubt(bench: Workbench) -> Request:
    """What exists with former values is refused, then revised; another place is left behind."""
    made = ticket("first")
    made["config"]["ticket"]["project"] = "{{fields.title}}"
    bench.jira.fault("cut-after")
    request = await bench.submit(new_request(made, title="PLATFORM"))
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", fields={"title": "NET"})
    bench.jira.fault("cut-after")
    await bench.decide(request, "retry", fields={"title": "NET"}, leaveBehind=True)
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "abort", attempt=1)
    await bench.decide(request, "retry", attempt=2)
    await bench.reached(request, "completed")
    return request


async def revised(bench: Workbench) -> Request:
    """A ticket whose answer was lost is changed to the corrected values."""
    bench.jira.fault("cut-after")
    request = await bench.submit(new_request(title="old"))
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", fields={"title": "new"})
    await bench.decide(request, "retry", fields={"title": "new"}, mode="revise")
    await bench.reached(request, "completed")
    return request


async def evidence(bench: Workbench) -> Request:
    """Two tickets whose answers were lost: a person has seen the one, and not the other."""
    bench.jira.fault("cut-after")
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await bench.reached(request, "failed")
    seen = {"key": "PLATFORM-1", "id": "1", "url": "https://jira.example.com/browse/PLATFORM-1"}
    await bench.decide(request, "retry", evidence={"present": True, "outputs": {}})
    bench.jira.fault("cut-before")
    await bench.decide(request, "retry", evidence={"present": True, "outputs": seen})
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", evidence={"present": False})
    await bench.reached(request, "completed")
    return request


async def abort(bench: Workbench) -> Request:
    """A person gives up."""
    request = await bench.failed(new_request())
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


async def reset_after_corrections(bench: Workbench) -> Request:
    """Reset to its beginning after a retry with corrected fields; the signal is played again."""
    request = await bench.failed(times=3)
    await bench.decide(request, "retry", fields={"size": 7})
    await bench.reached(request, "failed", attempt=2)
    await reset_to(bench, request, "failed", task=0)
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    return request


async def row_lost(bench: Workbench) -> Request:
    """Postgres is restored from a copy that lacks the request; a retry has it written anew."""
    request = await bench.failed()
    await lose(bench, request)
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    return request


async def escalate(bench: Workbench) -> Request:
    """The first escalation ticket cannot be made, the second can."""
    request = await bench.failed(new_request())
    await escalated_at_the_second_try(bench, request)
    return request


async def bad_signals(bench: Workbench) -> Request:
    """Everything that a signal can get wrong, before and after the failure."""
    bench.jira.fault("slow", seconds=0.5, when="before")
    bench.jira.fault("status", status=400)
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await bench.reached(request, "in_progress")
    await bench.decide(request, "retry")
    await bench.reached(request, "failed")
    await bench.signal(request, "retry", "now", "please")
    await bench.signal(request, "abort", 7)
    await bench.signal(request, "escalate", {"because": "of this"})
    await bench.signal(request, "retry", {"fields": {"token": "in clear"}})
    await bench.decide(request, "retry", fields={"size": 1_000})
    await bench.signal(request, "retyr", {"by": FAR_TOO_MUCH})
    bench.jira.fault("slow", seconds=0.5, match={"path": "/search"})
    await bench.signal(request, "retry", {"decisionId": "once", "reason": FAR_TOO_MUCH})
    await bench.signal(request, "abort", {"decisionId": "once"})
    await bench.decide(request, "abort")
    await bench.reached(request, "completed")
    return request


async def mirror_away(bench: Workbench) -> Request:
    """A write to Postgres takes too long as a local activity, and goes on as a regular one."""
    request = await bench.store(new_request(waits=WorkflowTimeouts(mirror=0.3)))
    async with bench.locked(request):
        await bench.workflows.start(request.given, summary="a thing")
        await eventually(lambda: bench.times_scheduled(request, "mirror"))
    await bench.reached(request, "completed")
    return request


async def resumed(bench: Workbench) -> Request:
    """Terminated during a retry, taken up again from the mirror, and completed by another retry."""
    request = new_request(ticket("first"), ticket("second"))
    await bench.failed(request, match=SECOND)
    bench.jira.fault("slow", seconds=0.5, match={"path": "/search"})
    await bench.signal(request, "retry", {"decisionId": "cut"})
    await eventually(lambda: not bench.jira.faults())
    await bench.terminate(request)
    await bench.take_up(request, "The workflow was terminated in Temporal.")
    await bench.handle(request).execute_update("mirror_again")
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    return request


async def wait_lost(bench: Workbench) -> Request:
    """A wait that ends in doubt, and goes on where it was after a retry."""
    request = new_request(ticket("job"))
    request.plan[0].type, request.plan[0].config = "job", {"name": "lost"}
    await bench.submit(request)
    JOB.end("lost", "lost")
    await bench.reached(request, "failed")
    JOB.end("yes", "lost")
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    return request


async def clock_behind(bench: Workbench) -> Request:
    """The mirror holds a write of another run whose clock was ahead."""
    request = await bench.store(new_request())
    await bench.mirror_by_another(request, at=datetime(2999, 1, 1, tzinfo=UTC))
    await bench.workflows.start(request.given, summary="a thing")
    await bench.reached(request, "completed")
    return request


async def branch_retried(bench: Workbench) -> Request:
    """Two of three branches fail, one of them again; conditions skip one action and ask another."""
    definition = automatic(
        ticket("left"),
        ticket("right", outputs=["key"]),
        ticket("sound"),
        ticket("never", when="fields.size > 50"),
        ticket("last", summary="last: {{fulfillment.key}}", dependsOn=["left", "right", "never"]),
        parallel=True,
    )
    for name, times in (("left", 1), ("right", 2)):
        struck = {"method": "POST", "path": "/issue$", "summaryContains": f"{name}:"}
        bench.jira.fault("status", status=400, match=struck, times=times)
    request = await bench.submit(new_request(definition=definition))
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", fields={"size": 7})
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    return request


async def condition_broken(bench: Workbench) -> Request:
    """A condition names what its action did not make, until a person takes the manual way."""
    broken = ticket("second", when="outputs.first.absent == 'x'", dependsOn=["first"])
    holds = ticket("third", when="outputs.first.key != ''", dependsOn=["first"])
    definition = automatic(ticket("first"), broken, holds, manual=[ticket("by-hand")])
    request = await bench.submit(new_request(definition=definition))
    await bench.reached(request, "failed")
    await bench.decide(request, "retry")
    await bench.decide(request, "retry", mode="manual")
    await bench.reached(request, "completed")
    return request


async def fallback(bench: Workbench) -> Request:
    """The automatic way fails, and a person takes the manual one."""
    definition = automatic(ticket("first"), ticket("second"), manual=[ticket("first")])
    bench.jira.fault("cut-after", match=SECOND)
    request = await bench.submit(new_request(definition=definition))
    await bench.reached(request, "failed")
    await bench.decide(request, "retry", mode="manual")
    await bench.reached(request, "completed")
    return request


async def follow(bench: Workbench) -> Request:
    """A target works on while its worker ends and another one goes on waiting."""
    request = await bench.submit(new_request({"id": "job", "type": "job", "config": {}}))
    await eventually(lambda: JOB.follows)
    await bench.stop_worker()
    await bench.start_worker()
    JOB.end("done")
    await bench.reached(request, "completed")
    return request


async def ticket_waited_for(bench: Workbench) -> Request:
    """A ticket's end is waited for; first it will not be done, then it is."""
    config = {"name": "T-1", "kind": "resolution"}
    request = await bench.submit(new_request({"id": "ask", "type": "job", "config": config}))
    told = {"actionId": "ask", "status": "Won't Do", "mappedStatus": "failed"}
    await bench.is_waiting(request)
    await bench.proven_signal(request, "ticket_resolved", told)
    await bench.reached(request, "failed")
    await bench.decide(request, "retry")
    await bench.is_waiting(request)
    await bench.proven_signal(request, "ticket_resolved", {"actionId": "nobody"})
    await bench.proven_signal(request, "ticket_resolved", told | {"mappedStatus": "completed"})
    await bench.reached(request, "completed")
    return request


async def approval_waited_for(bench: Workbench) -> Request:
    """People are reminded, a deploy comes between, votes are refused, one rejects, two approve."""
    rules = {"approvers": {"users": ["ann", "bob"]}, "minimum": 2, "remindEvery": 1}
    asked = {"id": "ok", "type": "approval", "config": rules | {"deadline": "30d"}}
    request = await bench.submit(new_request(asked, ticket("after")))
    await bench.is_waiting(request)
    await bench.stop_worker()
    await bench.start_worker()
    await bench.decide(request, "reject", actionId="ok", by="eve")
    await bench.decide(request, "reject", actionId="ok", by="bob")
    await bench.reached(request, "failed")
    await bench.decide(request, "retry")
    await bench.is_waiting(request)
    await eventually(lambda: bench.has_logged(request, "is still waiting", times=2))
    await bench.decide(request, "approve", actionId="ok", by="ann")
    await bench.decide(request, "approve", actionId="ok", by="ann")
    await bench.decide(request, "approve", actionId="ok", by="bob")
    await bench.reached(request, "completed")
    return request


OF_REQUESTS: dict[str, Play] = {
    "success": success,
    "fail-then-retry": fail_then_retry,
    "outcome-unknown-then-adopt": outcome_unknown_then_adopt,
    "corrected-in-doubt": corrected_in_doubt,
    "revised": revised,
    "evidence": evidence,
    "abort": abort,
    "escalate": escalate,
    "bad-signals": bad_signals,
    "mirror-away": mirror_away,
    "branch-retried": branch_retried,
    "condition-broken": condition_broken,
    "fallback": fallback,
    "follow": follow,
    "wait-lost": wait_lost,
    "ticket-waited-for": ticket_waited_for,
    "approval-waited-for": approval_waited_for,
    "reset-after-corrections": reset_after_corrections,
    "row-lost": row_lost,
    "resumed": resumed,
    "clock-behind": clock_behind,
}
