"""Maintenance does not fill Temporal's list of workflows."""

import secrets

from activities.closed_turns import KEPT
from pao.core import names
from tests.support.worker import Workbench, eventually

TURNS = 6 * KEPT


async def test_completed_turns_are_removed_but_the_newest(bench: Workbench) -> None:
    await bench.failed()
    for _ in range(TURNS):
        await turn(bench)
    # The server lists late what has just closed, and deletes later still; each turn goes on.
    await eventually(lambda: few_are_left_by_a_turn(bench), "the turns stay in the list")
    assert await listed(bench, names.REQUEST_WORKFLOW) == 1


async def turn(bench: Workbench) -> None:
    await bench.client.execute_workflow(
        names.RECONCILE_WORKFLOW, id=f"turn-{secrets.token_hex(4)}", task_queue=bench.task_queue
    )


async def few_are_left_by_a_turn(bench: Workbench) -> bool:
    await turn(bench)
    return await listed(bench, names.RECONCILE_WORKFLOW) < TURNS // 2


async def listed(bench: Workbench, kind: str) -> int:
    query = f"WorkflowType = '{kind}' AND TaskQueue = '{bench.task_queue}'"
    return (await bench.client.count_workflows(query)).count
