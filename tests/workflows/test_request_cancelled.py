from tests.support.requests import new_request, ticket
from tests.support.worker import Workbench

CANCELLED = "The workflow was cancelled in Temporal."


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


async def test_an_action_in_hand_ends_before_a_cancellation_counts(bench: Workbench) -> None:
    bench.jira.fault("slow", seconds=0.5, when="before")
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await bench.reached(request, "in_progress")
    await bench.handle(request).cancel()
    row = await bench.reached(request, "aborted")
    assert [made["summary"].partition(":")[0] for made in bench.tickets(request)] == ["first"]
    assert row["error"]["message"] == CANCELLED
    assert [one["id"] for one in row["error_context"]["partialResources"]] != []


async def test_an_action_that_completes_the_request_wins_over_the_cancellation(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=0.5, when="before")
    request = await bench.submit()
    await bench.reached(request, "in_progress")
    await bench.handle(request).cancel()
    await bench.reached(request, "completed")
    assert (await bench.handle(request).result())["status"] == "completed"


async def test_a_cancelled_action_that_fails_is_not_retried_but_aborted(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    bench.jira.fault("slow", seconds=0.5, match={"path": "/search"})
    await bench.signal(request, "retry")
    await bench.handle(request).cancel()
    await bench.reached(request, "aborted")


async def test_a_request_cancelled_before_a_worker_took_it_makes_nothing(
    idle_bench: Workbench,
) -> None:
    request = await idle_bench.submit()
    await idle_bench.handle(request).cancel()
    await idle_bench.start_worker()
    await idle_bench.reached(request, "aborted")
    assert idle_bench.tickets(request) == []


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
    await bench.handle(request).result()
    decisions = {one["decision_id"]: one["outcome"] for one in await bench.decisions(request)}
    assert decisions["late"] in {"done", "rejected"}
    assert "open" not in decisions.values()
