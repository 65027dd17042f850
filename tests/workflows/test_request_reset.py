from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, eventually

SIGNALS = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL
SECOND = {"method": "POST", "path": "/issue$", "summaryContains": "second"}


async def reset(
    bench: Workbench, request: Request, *, task: int, with_signals: bool = True
) -> None:
    """Reset as ``temporal workflow reset`` does, to the workflow task of this number, from 0.

    ``with_signals``: those that came after this task are played again.
    """
    completed: list[int] = []

    async def has_come_so_far() -> bool:
        description = await bench.handle(request).describe()
        history = await bench.handle(request).fetch_history()
        completed[:] = [
            event.event_id
            for event in history.events
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        ]
        # Only of one that is at rest, and was when it was read, the last task is known.
        same = description.raw_description.workflow_execution_info.history_length
        at_rest = not description.raw_description.HasField("pending_workflow_task")
        return at_rest and same == len(history.events) and len(completed) > task

    await eventually(has_come_so_far)
    description = await bench.handle(request).describe()
    await bench.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=bench.client.namespace,
            workflow_execution=WorkflowExecution(
                workflow_id=request.workflow_id, run_id=description.run_id
            ),
            reason="a test",
            workflow_task_finish_event_id=completed[task],
            request_id=str(uuid4()),
            reset_reapply_exclude_types=[] if with_signals else [SIGNALS],
        )
    )


async def test_a_finished_request_that_is_reset_does_nothing_again(bench: Workbench) -> None:
    request = await bench.submit()
    await bench.handle(request).result()
    before = await bench.row(request)
    await reset(bench, request, task=0)
    outcome = await bench.handle(request).result()
    assert "ended without acting" in outcome["note"]
    assert len(bench.tickets(request)) == 1
    after = await bench.row(request)
    assert (after["status"], after["run_id"]) == ("completed", before["run_id"])


async def test_a_failed_request_that_is_reset_looks_first_and_adopts(bench: Workbench) -> None:
    bench.jira.fault("cut-after")
    request = await bench.submit()
    await bench.reached(request, "failed")
    await reset(bench, request, task=0)
    await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    [action] = await bench.actions(request)
    assert (action["external_reference"], action["adopted"]) == (made["key"], True)


async def test_a_reset_between_two_actions_looks_for_the_second_one(bench: Workbench) -> None:
    bench.jira.fault("cut-after", match=SECOND)
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await bench.reached(request, "failed")
    await reset(bench, request, task=1)
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 2
    assert [action["adopted"] for action in await bench.actions(request)] == [False, True]


async def test_an_action_in_hand_during_a_reset_has_an_unknown_outcome(bench: Workbench) -> None:
    bench.jira.fault("slow", seconds=1.5, when="before")
    request = await bench.submit()
    await eventually(lambda: not bench.jira.faults())
    await bench.decide(request, "retry")
    await reset(bench, request, task=1)
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    await eventually(lambda: bench.tickets(request))
    record = await bench.decide(request, "retry")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1


async def test_decisions_made_before_a_reset_point_stay_made(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="d-1")
    await bench.reached(request, "failed", attempt=2)
    await reset(bench, request, task=-1)
    record = await bench.decide(request, "retry", decisionId="d-2")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    decided = [(one["decision_id"], one["outcome"]) for one in await bench.decisions(request)]
    assert decided == [("d-1", "done"), ("d-2", "done")]
    assert len(bench.tickets(request)) == 1


async def test_an_aborted_request_that_is_reset_makes_nothing(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    await reset(bench, request, task=0)
    outcome = await bench.handle(request).result()
    assert "ended without acting" in outcome["note"]
    assert bench.tickets(request) == []
    assert (await bench.row(request))["status"] == "aborted"


async def test_a_failed_request_that_is_reset_takes_its_old_signals_and_lives_on(
    bench: Workbench,
) -> None:
    request = await bench.failed(times=3)
    await bench.decide(request, "retry")
    await bench.reached(request, "failed", attempt=2)
    before = (await bench.row(request))["run_id"]
    await reset(bench, request, task=0)

    async def at_rest_in_the_new_run() -> bool:
        row = await bench.row(request)
        return row["run_id"] != before and row["status"] == "failed" and not row["retrying"]

    await eventually(at_rest_in_the_new_run)
    await bench.decide(request, "abort")
    assert (await bench.reached(request, "aborted"))["status"] == "aborted"


async def test_a_reset_after_a_slow_mirror_write_makes_no_second_ticket(
    idle_bench: Workbench,
) -> None:
    bench = idle_bench
    request = await bench.store(new_request(box=bench.box))
    async with bench.locked(request):
        await bench.workflows.start(request.given, summary="slow")
        await bench.start_worker()
        await eventually(lambda: bench.times_scheduled(request, "mirror"))
    await bench.reached(request, "completed")
    before = (await bench.row(request))["run_id"]
    await reset(bench, request, task=1)
    await eventually(lambda: has_closed(bench, request, before))
    assert len(bench.tickets(request)) == 1


async def has_closed(bench: Workbench, request: Request, before: str) -> bool:
    description = await bench.handle(request).describe()
    return description.run_id != before and description.close_time is not None


async def test_an_aborted_request_that_is_reset_to_its_last_task_ends(bench: Workbench) -> None:
    request = await bench.failed()
    await bench.decide(request, "abort")
    await bench.reached(request, "aborted")
    await reset(bench, request, task=-1)
    outcome = await bench.handle(request).result()
    assert "ended without acting" in outcome["note"]
    assert (await bench.row(request))["status"] == "aborted"


async def test_an_abort_whose_task_is_done_again_after_its_worker_died_ends_the_request(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    async with bench.owning() as owner:
        # What a worker has left behind that died before it could tell Temporal of the task.
        await owner.execute(
            "UPDATE requests SET status = 'aborted', mirror_at = mirror_at + interval '1 s' "
            "WHERE id = $1",
            request.id,
        )
        await owner.execute(
            "INSERT INTO decisions (request_id, decision_id, decision, at, by, via, accepted,"
            " outcome, mirror_at, mirror_seq)"
            " VALUES ($1, 'd-1', 'abort', now(), 'ann', 'api', true, 'done', now(), 99)",
            request.id,
        )
    await bench.decide(request, "abort", decisionId="d-1")
    outcome = await bench.handle(request).result()
    assert outcome["status"] == "aborted"
