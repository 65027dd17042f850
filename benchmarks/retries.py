"""From the signal that asks for a retry to the start of the action, by Temporal's own history."""

import time

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from benchmarks import bare
from benchmarks.load import CREATED, LoadCaller, StackAddresses
from pao.core.names import workflow_id
from pao.core.states import Decision

REFUSAL = {
    "kind": "status",
    "status": 400,
    "times": 1,
    "match": {"method": "POST", "path": "/issue$"},
}


async def retries(place: StackAddresses, *, count: int) -> tuple[list[float], list[str]]:
    """Fail and retry requests one by one; return the seconds and the ids of all requests."""
    client = await bare.connected(place.temporal, place.namespace)
    seconds: list[float] = []
    made: list[str] = []
    async with LoadCaller(place, "platform") as api, httpx.AsyncClient(trust_env=False) as jira:
        for _ in range(count):
            (await jira.post(f"{place.jira}/sandbox/faults", json=REFUSAL)).raise_for_status()
            submitted = await api.submit()
            if submitted.status != CREATED or submitted.id is None:
                raise RuntimeError(f"a request to be retried was answered {submitted.status}")
            made.append(submitted.id)
            handle = client.get_workflow_handle(workflow_id(submitted.id))
            sent = time.time()
            await handle.signal(Decision.RETRY, {"by": "bench", "reason": "measured"})
            await handle.result()
            seconds.append(await _last_start(handle) - sent)
    return seconds, made


async def _last_start(handle: "WorkflowHandle[object, object]") -> float:
    """Return when the last action started, in seconds since the epoch; it is the same machine."""
    starts = [
        event.event_time.ToNanoseconds() / 1e9
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    ]
    return starts[-1]
