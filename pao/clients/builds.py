"""The builds of workers that poll."""

from temporalio.api.enums.v1 import WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo

_VERSIONED = WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED


def build_of(poller: PollerInfo) -> str:
    """Return the build of a worker; empty without one, for which the SDK makes up an id."""
    options = poller.deployment_options
    return options.build_id if options.worker_versioning_mode == _VERSIONED else ""
