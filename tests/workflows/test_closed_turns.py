"""Maintenance does not fill Temporal's list of workflows."""

import secrets

from activities.completed_runs import KEPT
from pao.core import names
from tests.support.worker import Workbench, eventually

TURNS = 3 * KEPT


async def test_completed_turns_are_removed_but_the_newest(bench: Workbench) -> None:
    await bench.failed()
    first = [await turn(bench) for _ in range(TURNS)]
    later = [await turn(bench) for _ in range(TURNS)]

    async def removed() -> bool:
        return not (await listed(bench, names.RECONCILE_WORKFLOW)).intersection(first)

    # Temporal deletes a workflow only when everything about its end is done, up to minutes later.
    await eventually(removed, "the turns stay in the list", seconds=250)
    assert later[-1] in await listed(bench, names.RECONCILE_WORKFLOW)
    assert len(await listed(bench, names.REQUEST_WORKFLOW)) == 1


async def turn(bench: Workbench) -> str:
    workflow_id = f"turn-{secrets.token_hex(4)}"
    await bench.client.execute_workflow(
        names.RECONCILE_WORKFLOW, id=workflow_id, task_queue=bench.task_queue
    )
    return workflow_id


async def listed(bench: Workbench, kind: str) -> set[str]:
    query = f"WorkflowType = '{kind}' AND TaskQueue = '{bench.task_queue}'"
    return {one.id async for one in bench.client.list_workflows(query)}
