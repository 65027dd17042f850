"""Facts about this run of a workflow: cancelled, or the reset of another run."""

from temporalio import workflow


def is_cancelled() -> bool:
    """Return whether this run was cancelled in Temporal."""
    return workflow.cancellation_reason() is not None


def is_reset() -> bool:
    """Return whether this run is a reset of another; PAO itself never continues as new."""
    info = workflow.info()
    return info.first_execution_run_id != info.run_id
