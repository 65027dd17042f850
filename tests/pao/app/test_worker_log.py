"""The lines of Temporal's SDK: the request's ids, and a traceback only for what nobody expects."""

import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.action_errors import ActionFailedError, application_error
from db.availability import DatabaseUnavailableError
from pao.app.worker_log import REQUEST_IDS, SdkLines
from pao.core import names
from pao.runtime.logging import JsonFormatter, Redactor

RUN = "01a2b3c4-run"
IDS = {"requestId": "r-1", "correlationId": "c-1", "traceId": "t-1"}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    stream, logger = io.StringIO(), logging.getLogger("temporalio")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(Redactor()))
    handler.addFilter(SdkLines())
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def arise(error: Exception) -> None:
    raise error


def fail(error: Exception) -> None:
    """Log a failed activity as the SDK does."""
    about = {"activity_type": "mirror", "attempt": 3, "workflow_run_id": RUN}
    try:
        arise(error)
    except Exception:
        logging.getLogger("temporalio.activity").warning(
            "Completing activity as failed",
            exc_info=True,
            extra={"temporal_activity": about, "__temporal_error_identifier": "ActivityFailure"},
        )


def test_an_expected_failure_is_one_line_without_a_traceback(stream: io.StringIO) -> None:
    fail(RPCError("namespace not found", RPCStatusCode.NOT_FOUND, b""))
    fail(DatabaseUnavailableError())

    first, second = logged(stream)
    assert first["message"] == "Completing activity as failed: namespace not found"
    assert (first["activity"], first["attempt"]) == ("mirror", 3)
    assert second["message"].startswith("Completing activity as failed: The database does not")
    assert "exception" not in first | second
    assert "temporal_activity" not in first


def test_what_was_logged_with_its_cause_or_as_an_event_is_not_said_again(
    stream: io.StringIO,
) -> None:
    away = DatabaseUnavailableError()
    away.is_logged = True
    fail(away)
    fail(application_error(ActionFailedError("JIRA refused it")))

    assert logged(stream) == []


@pytest.mark.parametrize(
    "error",
    [KeyError("a bug"), ApplicationError("the state", type=names.MIRROR_REFUSED)],
    ids=["bug", "refused state"],
)
def test_an_unexpected_failure_keeps_its_traceback(stream: io.StringIO, error: Exception) -> None:
    fail(error)

    [line] = logged(stream)
    assert "Traceback" in line["exception"]


def test_lines_about_workflows_get_the_ids_of_their_run(stream: io.StringIO) -> None:
    REQUEST_IDS.note(RUN, IDS)
    flow = {"run_id": RUN, "workflow_id": "request-r-1"}
    logging.getLogger("temporalio.workflow").warning("x", extra={"temporal_workflow": flow})
    logging.getLogger("temporalio.worker._workflow").error("Failed on run ID %s", RUN)
    core = SimpleNamespace(fields={"run_id": RUN})
    logging.getLogger("temporalio.core").warning("evicted", extra={"temporal_log": core})

    lines = logged(stream)
    assert len(lines) == 3
    assert [{name: one.get(name) for name in IDS} for one in lines] == [IDS] * 3


def test_the_core_does_not_repeat_what_the_sdk_has_said(stream: io.StringIO) -> None:
    core = SimpleNamespace(fields={"run_id": RUN})
    logging.getLogger("temporalio.core").warning(
        "Failing workflow task", extra={"temporal_log": core}
    )

    assert logged(stream) == []
