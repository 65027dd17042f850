"""Every timeout and retry policy of the workflows, each with its reason. Nothing else."""

from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

from pao.core.names import slow_queue, waits_queue
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import WorkflowTimeouts

# No action is retried automatically: a failed one waits for a person.
NO_RETRY = RetryPolicy(maximum_attempts=1)


# How many actions of one request may run at once: a fair share of the worker's slots.
MOST_AT_ONCE = 20

# Between the end of an action's own deadline and Temporal's timeout, so that no late effect
# follows a look: as with the 8 s of a call to JIRA and its 12 s.
LEEWAY = 4.0


def action(waits: WorkflowTimeouts, planned: PlannedAction, *, queue: str) -> dict[str, Any]:
    """Return the options of an action's activity.

    The activity's own hard total (8 s for JIRA, else the action's timeout) ends before
    start_to_close. The heartbeat finds a killed worker in seconds. An action that no worker took in
    time was never started, which is a plain failure; slow ones may wait in their queue for long.
    """
    longest = waits.start_to_close if planned.timeout is None else planned.timeout + LEEWAY
    in_queue = waits.slow_schedule_to_start if planned.slow else waits.schedule_to_start
    return {
        "task_queue": slow_queue(queue) if planned.slow else queue,
        "start_to_close_timeout": timedelta(seconds=longest),
        "heartbeat_timeout": timedelta(seconds=waits.heartbeat),
        "schedule_to_start_timeout": timedelta(seconds=in_queue),
        "retry_policy": NO_RETRY,
        "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }


def look(waits: WorkflowTimeouts, planned: PlannedAction, *, queue: str) -> dict[str, Any]:
    """Return the options of a look before a correction: read-only, with an action's timeout."""
    longest = waits.start_to_close if planned.timeout is None else planned.timeout + LEEWAY
    return {
        "task_queue": slow_queue(queue) if planned.slow else queue,
        "start_to_close_timeout": timedelta(seconds=longest),
        "heartbeat_timeout": timedelta(seconds=waits.heartbeat),
        "schedule_to_start_timeout": timedelta(seconds=waits.schedule_to_start),
        "retry_policy": NO_RETRY,
    }


# Evidence is checked against a declaration, without calling any system.
EVIDENCE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(seconds=90),
    "retry_policy": RetryPolicy(maximum_attempts=3),
}


def follow(waits: WorkflowTimeouts, *, queue: str) -> dict[str, Any]:
    """Return the options of a read-only wait for a target.

    It repeats no change, so another worker continues the wait of a lost one. The type decides how
    long it may last; the bound here is for one that sets none. What the target has answered is
    final: those errors are marked as not retryable. Waits have a queue of their own with many
    slots: they do almost nothing, and must not take slots from work.
    """
    return {
        "task_queue": waits_queue(queue),
        "start_to_close_timeout": timedelta(seconds=waits.follow),
        "heartbeat_timeout": timedelta(seconds=waits.heartbeat),
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
        ),
        "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }


# Best effort, and harmless if repeated: if it fails, a person stops the target.
STOP_TARGET: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=20),
    "schedule_to_close_timeout": timedelta(seconds=60),
    "heartbeat_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(maximum_attempts=3),
}


def escalation(waits: WorkflowTimeouts) -> dict[str, Any]:
    """Return the options of the escalation ticket's activity: those of any call to JIRA."""
    return {
        "start_to_close_timeout": timedelta(seconds=waits.start_to_close),
        "heartbeat_timeout": timedelta(seconds=waits.heartbeat),
        "schedule_to_start_timeout": timedelta(seconds=waits.schedule_to_start),
        "retry_policy": NO_RETRY,
        "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }


def mirror_first_try(waits: WorkflowTimeouts) -> dict[str, Any]:
    """Return the options of the mirror write as a local activity: 12 ms instead of 50.

    Bounded, because a local activity holds the workflow task, and with it every signal.
    """
    return {
        "schedule_to_close_timeout": timedelta(seconds=waits.mirror),
        "retry_policy": RetryPolicy(
            maximum_attempts=3,
            initial_interval=timedelta(milliseconds=100),
            maximum_interval=timedelta(milliseconds=400),
        ),
    }


# While Postgres is unavailable, the write continues as a regular activity until it succeeds.
MIRROR_UNTIL_DONE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=30),
    ),
}

# A timer that fires proves that its run is the live one; its length matters little.
ALIVE = timedelta(milliseconds=10)

LONGEST_OUTCOME_WAIT = 30.0


def outcome_wait(seconds: float) -> timedelta:
    """Return how long a query for a decision may wait: at most ten may be in flight."""
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_OUTCOME_WAIT))


# A check of corrected fields reads nothing from outside; it fails only when no worker runs.
CORRECTION: dict[str, Any] = {
    "schedule_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=3),
}

# A proof is checked or made by a hash: it fails only when no worker runs.
SENDER: dict[str, Any] = CORRECTION

# A condition reads nothing from outside, and its templates are bounded: it fails only when no
# worker runs, or by its own text, which no repetition fixes.
CONDITION: dict[str, Any] = {
    "schedule_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=3),
}

# A duplicate message does no harm; a late one is useless.
NOTICE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=70),
    "schedule_to_close_timeout": timedelta(minutes=5),
    "retry_policy": RetryPolicy(maximum_attempts=3),
}

# The input of a component, and the states of components, are read from Postgres: fast as a local
# activity; while Postgres is unavailable, as a regular one until it is back.
COMPONENT_QUICKLY: dict[str, Any] = {
    "schedule_to_close_timeout": timedelta(seconds=3),
    "retry_policy": RetryPolicy(maximum_attempts=2),
}
COMPONENT_UNTIL_DONE: dict[str, Any] = MIRROR_UNTIL_DONE

# A component closes milliseconds after it has reported its end; one that still notifies people
# takes longer, and its bundle closes without it.
COMPONENT_ENDS = timedelta(seconds=1)

# A component is a separate request: whatever happens to the bundle's workflow, it is never ended
# silently and never run twice. The task timeout is that of any request.
CHILD: dict[str, Any] = {
    "parent_close_policy": ParentClosePolicy.ABANDON,
    "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
    "task_timeout": timedelta(seconds=3),
}

# A sync starts from what was known and repeats nothing, so it is tried until it succeeds: while
# Postgres is unavailable, and after a killed worker, which the heartbeat finds. A problem of the
# source is a result, not a failure: the next signal or poll looks again.
CATALOG_SYNC: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=15),
    "heartbeat_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=30),
    ),
}

# Authors wait for the check, and a branch may require it. A forge that is unavailable or denies
# access is asked again for a day, until somebody corrects that; the catalog's status shows it.
CATALOG_PROPOSAL: dict[str, Any] = {
    "schedule_to_close_timeout": timedelta(days=1),
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2),
        backoff_coefficient=4.0,
        maximum_interval=timedelta(minutes=10),
    ),
}

# Pushes come in bursts: a merge of several branches, a rebase, a bot. One sync reads them all.
BURST_QUIET = 2.0
BURST_LONGEST = 15.0
# Seconds after which a late replica of the forge is asked again; after that, the poll does it.
LATE_REPLICA = (5.0, 15.0, 60.0)
