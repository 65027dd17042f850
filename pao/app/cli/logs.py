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
    # What templates may name is known by the variables' common beginning alone.
    secrets += [value for name, value in os.environ.items() if name.startswith(VARIABLE) and value]
    given = settings.logging
    configure_logging(level=given.level, style=given.format, secrets=secrets, filters=[SdkLines()])
    _take_over_sdk()


def _take_over_sdk() -> None:
    """Have Temporal's SDK write where everybody writes, its core included, and count for us."""
    # The filter gives these facts names of ours; in messages they would stand a second time.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    # What it says of a worker's beginning and end, the worker says itself, once for its pools.
    talkative = logging.getLogger("temporalio.worker")
    talkative.setLevel(max(logging.WARNING, logging.getLogger().level))
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
