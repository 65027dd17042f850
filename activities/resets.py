"""Refuses activities that Temporal runs again because somebody reset the workflow."""

from temporalio import activity

from activities.action_errors import OutcomeUnknownError, application_error
from pao.core.errors import ErrorCode


def refuse_after_reset(run_id: str | None) -> None:
    """Raise "outcome unknown" if another run than the current one scheduled this activity.

    A reset hands out an activity again, with its old input, while its first execution may still be
    running. Its effect is not known yet, so nothing is done a second time.
    """
    if run_id is None or run_id == activity.info().workflow_run_id:
        return
    raise application_error(
        OutcomeUnknownError(
            "The workflow was reset while the action ran; its effect may exist. "
            "A retry looks for it first.",
            code=ErrorCode.EXTERNAL_SERVICE_ERROR,
            retryable=True,
        )
    )
