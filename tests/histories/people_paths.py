"""Paths of what people are asked, told and decide, each played once to be recorded."""

from tests.histories.request_paths import Play, escalated_at_the_second_try, reset_to
from tests.support.requests import Document, Request, item, new_request, ticket
from tests.support.worker import Workbench, eventually
from tests.workflows.test_request_reset import reset

NOTICE = {
    "type": "notification",
    "name": "To the team",
    "config": {"url": "http://127.0.0.1:9/hook", "text": "{{fulfillment.event}}"},
}


def gate(**rules: object) -> Document:
    config = {"approvers": {"users": ["ann", "bob"], "teams": ["team-ops"]}, **rules}
    return {"id": "ok", "type": "approval", "name": "The gate", "config": config}


async def votes_after_reset(bench: Workbench) -> Request:
    """A vote is played again and counts; another run's approval is asked anew, without it."""
    request = await bench.submit(new_request(gate(minimum=2)))
    await bench.is_waiting(request)
    await bench.decide(request, "approve", decisionId="v-1", by="ann")
    before = (await bench.row(request))["run_id"]
    await reset(bench, request, task=-1)
    # Who belongs to no team of the approvers is refused, who does is counted.
    await bench.decide(request, "approve", decisionId="v-2", by="eve", teams=["team-net"])
    await bench.decide(request, "approve", decisionId="v-3", by="cem", teams=["team-ops"])

    async def another_run() -> bool:
        row = await bench.row(request)
        return bool(row["run_id"] != before and row["status"] == "completed")

    await eventually(another_run)
    return request


async def deadline_passed(bench: Workbench) -> Request:
    """Whoever has submitted may not approve; at the deadline it is rejected, and a vote is late."""
    rules = {"deadline": "3s", "remindEvery": 2, "approvers": {"users": ["dana@example.com"]}}
    definition = item([gate(**rules)])
    definition["fulfillment"] |= {"onWaiting": [NOTICE], "onFailure": [NOTICE]}
    request = await bench.submit(new_request(definition=definition))
    await bench.is_waiting(request)
    await bench.decide(request, "approve", by="d", email="dana@example.com")
    await bench.reached(request, "failed")
    await bench.decide(request, "approve", actionId="ok", by="ann")
    await bench.decide(request, "approve", by="ann")
    # A decision's id that another one has used makes it a decision of its own, which is refused.
    await bench.decide(request, "escalate", decisionId="once", attempt=7)
    await bench.signal(request, "abort", {"decisionId": "once"})
    await eventually(lambda: bench.has_logged(request, "To the team could not be sent", times=3))
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


async def corrected_after_use(bench: Workbench) -> Request:
    """A correction of what a completed action has used is refused, until a person accepts it."""
    second = {"method": "POST", "path": "/issue$", "summaryContains": "second:"}
    request = new_request(ticket("first"), ticket("second"), title="old")
    await bench.failed(request, match=second)
    await bench.decide(request, "retry", fields={"title": "new"})
    await bench.decide(request, "retry", fields={"title": "new"}, acceptUsed=True)
    await bench.reached(request, "completed")
    return request


async def corrected_with_evidence(bench: Workbench) -> Request:
    """A correction cannot come with an effect that somebody has seen, but with its absence."""
    bench.jira.fault("cut-before")
    request = await bench.submit(new_request(ticket("first"), ticket("second"), title="old"))
    await bench.reached(request, "failed")
    seen = {"key": "PLATFORM-1", "id": "1", "url": "https://jira.example.com/browse/PLATFORM-1"}
    new = {"title": "new"}
    await bench.decide(request, "retry", evidence={"present": True, "outputs": seen}, fields=new)
    await bench.decide(request, "retry", evidence={"present": False}, fields=new)
    await bench.reached(request, "completed")
    return request


async def decided_after_reset(bench: Workbench) -> Request:
    """Signals that a reset has dropped come once more: one as it was, one as another decision."""
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="as-it-was", attempt=7)
    await bench.decide(request, "retry", decisionId="as-another", attempt=7)
    await reset_to(bench, request, "failed", task=0, with_signals=False)
    await bench.signal(request, "abort", 7)
    await bench.decide(request, "retry", decisionId="as-it-was", attempt=1)
    await bench.decide(request, "cancel", decisionId="as-another")
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


async def escalated_after_reset(bench: Workbench) -> Request:
    """Escalated by a run that others came before, which may have made the ticket."""
    request = await bench.failed(times=2)
    await bench.decide(request, "abort", decisionId="wrong", attempt=7)
    await reset_to(bench, request, "failed", task=0)
    await bench.decide(request, "escalate")
    await bench.reached(request, "escalated")
    return request


async def escalated_when_resumed(bench: Workbench) -> Request:
    """Terminated, resumed, and escalated: the first escalation fails, the second does not."""
    request = await bench.failed()
    await bench.terminate(request)
    await bench.take_up(request, "The workflow was terminated in Temporal.")
    await escalated_at_the_second_try(bench, request)
    return request


async def told_in_vain(bench: Workbench) -> Request:
    """Signals of PAO's own processes: without a proof, malformed, and valid but of no use."""
    request = await bench.failed()
    for name, told in (
        ("cleanup_done", {"entry_id": "e-1", "by": "ann", "note": "removed"}),
        (
            "ticket_resolved",
            {"action_id": "ticket", "status": "Done", "mapped_status": "completed"},
        ),
    ):
        await bench.signal(request, name)
        await bench.signal(request, name, told)
        await bench.proven_signal(request, name, dict.fromkeys(told, 7))
        await bench.proven_signal(request, name, told)
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    return request


OF_PEOPLE: dict[str, Play] = {
    "votes-after-reset": votes_after_reset,
    "deadline-passed": deadline_passed,
    "corrected-after-use": corrected_after_use,
    "corrected-with-evidence": corrected_with_evidence,
    "decided-after-reset": decided_after_reset,
    "escalated-after-reset": escalated_after_reset,
    "escalated-when-resumed": escalated_when_resumed,
    "told-in-vain": told_in_vain,
}
