"""SweepWorkflow: starts stored requests that have no workflow. Run by a schedule."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from pao.core import names
from workflows import policies
from workflows.maintenance import forget_earlier_runs


@workflow.defn(name=names.SWEEP_WORKFLOW)
class SweepWorkflow:
    """One sweep; what it could not do, the next one does a minute later."""

    @workflow.run
    async def run(self) -> int:
        """Return how many requests were started."""
        try:
            started: int = await workflow.execute_activity(
                names.SWEEP_ACTIVITY,
                result_type=int,
                start_to_close_timeout=timedelta(seconds=50),
                schedule_to_start_timeout=timedelta(seconds=50),
                retry_policy=policies.NO_RETRY,
                summary="start requests that were stored but not started",
            )
            await forget_earlier_runs()
        except FailureError as error:
            # What the activity raises was logged where it was raised.
            if not isinstance(error.cause, ApplicationError):
                workflow.logger.warning("the sweep failed; the next one continues: %s", error.cause)
            return 0
        return started
