"""What a worker logs of requests: their ids on every line, also on those of Temporal's SDK.

Within an activity the ids are put on its task, so that they are on whatever is logged there. The
SDK logs about workflows from threads of its own: those lines get the ids that the workflow's
beginning, or its replay, has made known.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from db.availability import DatabaseUnavailableError
from pao.core import names
from pao.core.errors import PaoError
from pao.runtime.logging import set_task_log_fields, trace_fields

# More than a worker has in hand.
MOST_KNOWN = 20_000
_NOTE = "pao_note_request"
# Their failure is an event of the request, which is logged as such.
_TOLD = frozenset({ActionFailedError.type_name, OutcomeUnknownError.type_name, "WorkerShutdown"})
# What the SDK's core says of a failed workflow task, the SDK itself has said with its traceback.
_REPEATED = ("Failing workflow task", "Error while completing workflow activation")

Fields = dict[str, str]


class KnownRequests:
    """The ids of the requests whose workflows this process has seen, by request and by run."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Fields] = OrderedDict()
        self._lock = Lock()

    def note(self, key: str, fields: Fields) -> None:
        """Remember the ids of a request or a run; the oldest are forgotten."""
        with self._lock:
            self._known[key] = {**self._known.pop(key, {}), **fields}
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)

    def get(self, key: str) -> Fields:
        """Return what is known."""
        return self._known.get(key, {})


KNOWN = KnownRequests()
"""The process has one log, and so one memory of what its lines are about."""


class RequestIds(Interceptor):
    """Puts a request's ids on the lines of its activities, and makes those of workflows known.

    Give it to a worker behind what makes spans: the trace is known by then.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 -- the SDK's name
        """Put the ids on what ``next`` logs."""
        return _Activities(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 -- as above
    ) -> type[WorkflowInboundInterceptor]:
        """Return what runs beside each workflow."""
        input.unsafe_extern_functions[_NOTE] = KNOWN.note
        return _Workflows


class _Activities(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 -- as above
        about = _about(input.args)
        request_id = about.get("requestId", "")
        set_task_log_fields(**{**KNOWN.get(request_id), **about, **trace_fields()})
        return await super().execute_activity(input)


class _Workflows(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 -- as above
        fields = {**_about(input.args), **trace_fields()}
        note: Callable[[str, Fields], None] = workflow.extern_functions()[_NOTE]
        for key in (workflow.info().run_id, fields.get("requestId")):
            if key:
                note(key, fields)
        return await super().execute_workflow(input)


def _about(args: Sequence[Any]) -> Fields:
    """Return the ids of the request that a payload is about."""
    given = args[0] if args else None
    context = getattr(given, "context", given)
    request_id = getattr(context, "request_id", None)
    correlation_id = getattr(context, "correlation_id", None)
    found = {"requestId": request_id, "correlationId": correlation_id}
    return {name: one for name, one in found.items() if isinstance(one, str) and one}


class SdkLines(logging.Filter):
    """Makes the lines of Temporal's SDK ours.

    They get the request's ids, and say in one line what was to be expected; only what was not keeps
    its traceback. What is an event of a request, or was logged with its cause before, is dropped.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        if not record.name.startswith("temporalio"):
            return True
        error = record.exc_info[1] if record.exc_info else None
        if _is_said_elsewhere(record, error):
            return logging.getLogger().isEnabledFor(logging.DEBUG)
        _identify(record)
        if error is not None and _is_expected(error):
            record.msg, record.args = f"{record.getMessage()}: {_text(error)}", ()
            record.exc_info = record.exc_text = None
        return True


def _is_said_elsewhere(record: logging.LogRecord, error: BaseException | None) -> bool:
    if isinstance(error, ApplicationError) and error.type in _TOLD:
        return True
    if isinstance(error, DatabaseUnavailableError) and error.is_logged:
        return True
    return hasattr(record, "temporal_log") and record.getMessage().startswith(_REPEATED)


def _is_expected(error: BaseException) -> bool:
    if isinstance(error, ApplicationError):
        return error.type != names.MIRROR_REFUSED
    return isinstance(error, PaoError | RPCError)


def _text(error: BaseException) -> str:
    return error.message if isinstance(error, ApplicationError) else str(error)


def _identify(record: logging.LogRecord) -> None:
    """Replace what the SDK adds to a line by the request's ids and short names."""
    about = record.__dict__.pop("temporal_activity", None)
    flow = record.__dict__.pop("temporal_workflow", None)
    core = record.__dict__.pop("temporal_log", None)
    record.__dict__.pop("__temporal_error_identifier", None)
    extra: dict[str, Any] = {}
    if about is not None:
        extra = {"activity": about["activity_type"], "attempt": about["attempt"]}
    if core is not None:
        extra = {"core": core.fields}
    run = _run_of(record, flow or about, core)
    if flow is not None:
        extra["workflowId"] = flow["workflow_id"]
    record.__dict__.update({**extra, **KNOWN.get(run)})


def _run_of(record: logging.LogRecord, details: Any, core: Any) -> str:
    """Return the run that a line is about, however it says so; "" for none."""
    if details is not None:
        return str(details.get("run_id") or details.get("workflow_run_id") or "")
    if core is not None:
        return str(core.fields.get("run_id", ""))
    args = record.args if isinstance(record.args, tuple) else ()
    return next((one for one in args if isinstance(one, str) and KNOWN.get(one)), "")
