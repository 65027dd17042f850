"""Paths of what people are asked and told, each played once to be recorded."""

from tests.histories.request_paths import Play
from tests.support.requests import Document, Request, item, new_request
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


OF_PEOPLE: dict[str, Play] = {
    "votes-after-reset": votes_after_reset,
    "deadline-passed": deadline_passed,
}
