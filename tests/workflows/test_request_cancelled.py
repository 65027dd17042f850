from tests.support.requests import new_request, ticket
from tests.support.worker import Workbench, eventually


async def test_cancelling_a_failed_request_aborts_it(bench: Workbench) -> None:
    request = await bench.failed()
    await bench.handle(request).cancel()
    await bench.reached(request, "aborted")
    assert (await bench.handle(request).result())["status"] == "aborted"
    [decision] = await bench.decisions(request)
    assert (decision["decision"], decision["by"], decision["outcome"]) == (
        "abort",
        "temporal",
        "done",
    )


async def test_cancelling_a_running_request_ends_what_runs_and_leaves_it_failed(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=30, when="before")
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await bench.reached(request, "in_progress")
    await bench.handle(request).cancel()
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    assert row["error"]["message"].startswith("Cancelled by temporal")
    assert [one["status"] for one in await bench.actions(request)] == ["failed", "pending"]
    [decision] = await bench.decisions(request)
    assert (decision["decision"], decision["by"], decision["outcome"]) == (
        "cancel",
        "temporal",
        "done",
    )
    record = await bench.decide(request, "abort")
    assert record.outcome == "done", record.message
    await bench.reached(request, "aborted")


async def test_an_action_that_completes_the_request_wins_over_the_cancellation(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=0.5, when="before")
    request = await bench.submit()
    await bench.reached(request, "in_progress")
    await bench.handle(request).cancel()
    await bench.reached(request, "completed")
    assert (await bench.handle(request).result())["status"] == "completed"


async def test_cancelling_a_retry_ends_it_and_a_further_one_can_follow(bench: Workbench) -> None:
    request = await bench.failed()
    bench.jira.fault("slow", seconds=30, when="before", match={"path": "/search"})
    await bench.signal(request, "retry")
    await eventually(lambda: not bench.jira.faults())
    await bench.handle(request).cancel()
    await bench.reached(request, "failed", attempt=2)
    record = await bench.decide(request, "retry")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1


async def test_a_request_cancelled_before_a_worker_took_it_makes_nothing(
    idle_bench: Workbench,
) -> None:
    request = await idle_bench.submit()
    await idle_bench.handle(request).cancel()
    await idle_bench.start_worker()
    row = await idle_bench.reached(request, "failed")
    assert idle_bench.tickets(request) == []
    assert not row["error"]["outcomeUnknown"]


async def test_a_signal_that_came_before_a_worker_did_is_refused_and_recorded(
    idle_bench: Workbench,
) -> None:
    request = await idle_bench.submit()
    await idle_bench.signal(request, "retry")
    await idle_bench.start_worker()
    await idle_bench.reached(request, "completed")
    [decision] = await idle_bench.decisions(request)
    assert decision["outcome"] == "rejected"


async def test_a_cancellation_does_not_keep_late_signals_out_of_the_record(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    await bench.stop_worker()
    await bench.handle(request).cancel()
    await bench.signal(request, "retry", {"decisionId": "late"})
    await bench.start_worker()

    async def decided() -> bool:
        outcomes = {one["decision_id"]: one["outcome"] for one in await bench.decisions(request)}
        return "late" in outcomes and len(outcomes) > 1 and "open" not in outcomes.values()

    # Whichever comes first: the cancellation aborts the request, or ends what the retry runs.
    await eventually(decided)
    if (await bench.row(request))["status"] == "failed":
        await bench.decide(request, "abort")
    await bench.handle(request).result()
