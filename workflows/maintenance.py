"""Maintenance of the installation: one workflow per schedule, each of which runs one activity."""

import contextlib
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from pao.core import names
from workflows import policies


async def _run_activity(activity: str, *, seconds: float, summary: str) -> dict[str, Any]:
    """Run an activity once; a failure is reported in the result, and the next run continues."""
    try:
        result: dict[str, Any] = await workflow.execute_activity(
            activity,
            result_type=dict,
            start_to_close_timeout=timedelta(seconds=seconds),
            schedule_to_start_timeout=timedelta(seconds=seconds),
            retry_policy=policies.NO_RETRY,
            summary=summary,
        )
        await forget_earlier_runs()
    except FailureError as error:
        # What an activity raises was logged where it was raised.
        if not isinstance(error.cause, ApplicationError):
            workflow.logger.warning("%s failed; the next run continues: %s", activity, error.cause)
        return {"failed": str(error.cause or error)[:500]}
    return result


async def forget_earlier_runs() -> None:
    """Remove earlier runs of this workflow type from Temporal's list, if that is possible."""
    if not workflow.patched("forget-turns"):
        return
    with contextlib.suppress(FailureError):
        await workflow.execute_activity(
            names.FORGET_RUNS_ACTIVITY,
            workflow.info().workflow_type,
            start_to_close_timeout=timedelta(seconds=30),
            schedule_to_start_timeout=timedelta(seconds=30),
            retry_policy=policies.NO_RETRY,
            summary="remove earlier runs from Temporal's list",
        )


@workflow.defn(name=names.RECONCILE_WORKFLOW)
class ReconcileWorkflow:
    """Compares open requests with their workflows, and repairs the mirror."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        """Return the counts of what was found, by kind."""
        return await _run_activity(
            names.RECONCILE_ACTIVITY, seconds=50, summary="compare requests with their workflows"
        )


@workflow.defn(name=names.TICKETS_WORKFLOW)
class TicketStatusWorkflow:
    """Asks JIRA for the status of tickets that are not done, for lists and reports."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        """Return how many tickets were checked, changed, and found resolved."""
        return await _run_activity(
            names.TICKETS_ACTIVITY, seconds=240, summary="ask JIRA for the status of open tickets"
        )


@workflow.defn(name=names.MAINTENANCE_WORKFLOW)
class MaintenanceWorkflow:
    """Removes expired rows."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        """Return how many requests, audit lines and signatures were removed."""
        return await _run_activity(
            names.MAINTENANCE_ACTIVITY, seconds=3_000, summary="remove what has expired"
        )


@workflow.defn(name=names.ANCHOR_WORKFLOW)
class AuditAnchorWorkflow:
    """Anchors the chains of the audit trail."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        """Return which anchor was made, and how many chains it covers."""
        return await _run_activity(
            names.ANCHOR_ACTIVITY, seconds=120, summary="anchor the chains of the audit trail"
        )


@workflow.defn(name=names.CATALOG_POLL_WORKFLOW)
class CatalogPollWorkflow:
    """Triggers a look at the catalog's source."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        """Return a result that says that the sync was signaled."""
        return await _run_activity(
            names.POLL_CATALOG_ACTIVITY, seconds=30, summary="trigger a look at the catalog source"
        )


MAINTENANCE_WORKFLOWS: list[type] = [
    CatalogPollWorkflow,
    ReconcileWorkflow,
    TicketStatusWorkflow,
    MaintenanceWorkflow,
    AuditAnchorWorkflow,
]
