"""Logging of the processes that `pao` starts, from their settings."""

import logging
import os

from temporalio import activity, workflow
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from pao.app.worker_log import SdkLines
from pao.clients.secret_store import VARIABLE
from pao.runtime.logging import configure_logging
from pao.runtime.sdk_metrics import SDK
from pao.settings import Settings


def configure_from(settings: Settings) -> None:
    """Set logging up so that no secret of these settings is ever written."""
    secrets = settings.secret_values()
    # The variables that templates may name are known by their prefix.
    secrets += [value for name, value in os.environ.items() if name.startswith(VARIABLE) and value]
    given = settings.logging
    configure_logging(level=given.level, style=given.format, secrets=secrets, filters=[SdkLines()])
    _configure_sdk()


def _configure_sdk() -> None:
    """Route the logs of Temporal's SDK and its core through ours, and collect its metrics."""
    # The filter adds these facts as fields; in messages they would be repeated.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    # PAO's worker logs its own start and end, once for all its pools.
    worker_logger = logging.getLogger("temporalio.worker")
    worker_logger.setLevel(max(logging.WARNING, logging.getLogger().level))
    forwarding = LogForwardingConfig(
        logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    telemetry = TelemetryConfig(
        logging=LoggingConfig(levels, forwarding=forwarding),
        metrics=SDK.buffer(),
        attach_service_name=False,
    )
    Runtime.set_default(Runtime(telemetry=telemetry))
    SDK.start()
