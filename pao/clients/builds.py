"""Which build of the workers somebody is who polls."""

from temporalio.api.enums.v1 import WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo

_VERSIONED = WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED


def build_of(poller: PollerInfo) -> str:
    """Return the build of a worker; empty for one without: the SDK makes up an id for those."""
    options = poller.deployment_options
    return options.build_id if options.worker_versioning_mode == _VERSIONED else ""
