"""How long each activity may take, where it runs, and that no action is ever run twice."""

from datetime import timedelta

import pytest
from temporalio.workflow import ActivityCancellationType

from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import WorkflowTimeouts
from workflows.policies import (
    LEEWAY,
    LONGEST_OUTCOME_WAIT,
    NO_RETRY,
    action,
    escalation,
    follow,
    look,
    mirror_first_try,
    outcome_wait,
)

WAITS = WorkflowTimeouts(
    start_to_close=12,
    heartbeat=3,
    schedule_to_start=60,
    mirror=1.5,
    slow_schedule_to_start=1_800,
    follow=86_400,
)
QUICK = PlannedAction("ticket", 0, "jira-ticket", "The ticket")
SLOW = PlannedAction("apply", 0, "terraform", "The apply", timeout=600, slow=True)
UNTIL_ENDED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("planned", "queue", "longest", "in_queue"),
    [(QUICK, "pao", 12, 60), (SLOW, "pao-slow", 600 + LEEWAY, 1_800)],
)
def test_an_action_runs_once_in_its_queue_and_ends_before_it_is_given_up(
    planned: PlannedAction, queue: str, longest: float, in_queue: float
) -> None:
    options = {
        "task_queue": queue,
        "start_to_close_timeout": seconds(longest),
        "heartbeat_timeout": seconds(3),
        "schedule_to_start_timeout": seconds(in_queue),
        "retry_policy": NO_RETRY,
        "cancellation_type": UNTIL_ENDED,
    }
    assert action(WAITS, planned, queue="pao") == options
    # A look changes nothing: it need not end before the workflow goes on, nor stand in a queue.
    del options["cancellation_type"]
    options["schedule_to_start_timeout"] = seconds(60)
    assert look(WAITS, planned, queue="pao") == options
    assert NO_RETRY.maximum_attempts == 1


def test_a_wait_is_repeated_for_as_long_as_it_may_last() -> None:
    options = follow(WAITS, queue="pao")
    retries = options.pop("retry_policy")
    assert options == {
        "task_queue": "pao-waits",
        "start_to_close_timeout": seconds(86_400),
        "heartbeat_timeout": seconds(3),
        "cancellation_type": UNTIL_ENDED,
    }
    assert (retries.maximum_attempts, retries.initial_interval) == (0, seconds(1))
    assert retries.maximum_interval == seconds(30)


def test_an_escalation_is_tried_once() -> None:
    assert escalation(WAITS) == {
        "start_to_close_timeout": seconds(12),
        "heartbeat_timeout": seconds(3),
        "schedule_to_start_timeout": seconds(60),
        "retry_policy": NO_RETRY,
        "cancellation_type": UNTIL_ENDED,
    }


def test_the_first_write_holds_the_workflow_task_only_briefly() -> None:
    options = mirror_first_try(WAITS)
    retries = options.pop("retry_policy")
    assert options == {"schedule_to_close_timeout": seconds(1.5)}
    assert retries.maximum_attempts == 3
    assert (retries.initial_interval, retries.maximum_interval) == (seconds(0.1), seconds(0.4))


@pytest.mark.parametrize(
    ("asked", "waits"), [(-1, 0), (0, 0), (7.5, 7.5), (1_000, LONGEST_OUTCOME_WAIT)]
)
def test_whoever_asks_for_an_outcome_waits_within_bounds(asked: float, waits: float) -> None:
    assert outcome_wait(asked) == seconds(waits)
