"""Request ids on a worker's log lines, including those of Temporal's SDK.

Within an activity the ids are bound to its task, so that all its lines have them. The
SDK logs about workflows from its own threads: those lines get the ids that the workflow's
start, or its replay, has registered.
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

# More than a worker runs at once.
MAX_CACHED = 20_000
_NOTE = "pao_note_request"
# Their failure is an event of the request, which is logged as such.
_LOGGED_ELSEWHERE = frozenset(
    {ActionFailedError.type_name, OutcomeUnknownError.type_name, "WorkerShutdown"}
)
# The SDK's core repeats what the SDK itself has logged with a traceback.
_REPEATED = ("Failing workflow task", "Error while completing workflow activation")

Fields = dict[str, str]


class RequestIdCache:
    """The ids of requests whose workflows this process has seen, by request and by run."""

    def __init__(self) -> None:
        self._fields: OrderedDict[str, Fields] = OrderedDict()
        self._lock = Lock()

    def note(self, key: str, fields: Fields) -> None:
        """Store the ids of a request or a run; the oldest are dropped."""
        with self._lock:
            self._fields[key] = {**self._fields.pop(key, {}), **fields}
            while len(self._fields) > MAX_CACHED:
                self._fields.popitem(last=False)

    def get(self, key: str) -> Fields:
        """Return the ids, or nothing if they are not known."""
        return self._fields.get(key, {})


REQUEST_IDS = RequestIdCache()
"""One per process, as there is one log."""


class RequestIds(Interceptor):
    """Puts a request's ids on the lines of its activities, and registers those of workflows.

    Add it to a worker after the tracing interceptor, so that the trace is known.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 -- the SDK's name
        """Return an interceptor that puts the ids on what ``next`` logs."""
        return _ActivityIds(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 -- as above
    ) -> type[WorkflowInboundInterceptor]:
        """Return the interceptor of workflows."""
        input.unsafe_extern_functions[_NOTE] = REQUEST_IDS.note
        return _WorkflowIds


class _ActivityIds(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 -- as above
        about = _ids_of(input.args)
        request_id = about.get("requestId", "")
        set_task_log_fields(**{**REQUEST_IDS.get(request_id), **about, **trace_fields()})
        return await super().execute_activity(input)


class _WorkflowIds(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 -- as above
        fields = {**_ids_of(input.args), **trace_fields()}
        note: Callable[[str, Fields], None] = workflow.extern_functions()[_NOTE]
        for key in (workflow.info().run_id, fields.get("requestId")):
            if key:
                note(key, fields)
        return await super().execute_workflow(input)


def _ids_of(args: Sequence[Any]) -> Fields:
    """Return the ids of the request that a payload is about."""
    given = args[0] if args else None
    context = getattr(given, "context", given)
    request_id = getattr(context, "request_id", None)
    correlation_id = getattr(context, "correlation_id", None)
    found = {"requestId": request_id, "correlationId": correlation_id}
    return {name: one for name, one in found.items() if isinstance(one, str) and one}


class SdkLines(logging.Filter):
    """Rewrites the lines of Temporal's SDK.

    They get the request's ids, and expected errors become one line without a traceback. Events of a
    request, and errors that were logged with their cause before, are dropped.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        if not record.name.startswith("temporalio"):
            return True
        error = record.exc_info[1] if record.exc_info else None
        if _is_logged_elsewhere(record, error):
            return logging.getLogger().isEnabledFor(logging.DEBUG)
        _identify(record)
        if error is not None and _is_expected(error):
            record.msg, record.args = f"{record.getMessage()}: {_text(error)}", ()
            record.exc_info = record.exc_text = None
        return True


def _is_logged_elsewhere(record: logging.LogRecord, error: BaseException | None) -> bool:
    if isinstance(error, ApplicationError) and error.type in _LOGGED_ELSEWHERE:
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
    """Replace the SDK's extra fields by the request's ids and short names."""
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
    record.__dict__.update({**extra, **REQUEST_IDS.get(run)})


def _run_of(record: logging.LogRecord, details: Any, core: Any) -> str:
    """Return the run that a line is about, however it says so; "" for none."""
    if details is not None:
        return str(details.get("run_id") or details.get("workflow_run_id") or "")
    if core is not None:
        return str(core.fields.get("run_id", ""))
    args = record.args if isinstance(record.args, tuple) else ()
    return next((one for one in args if isinstance(one, str) and REQUEST_IDS.get(one)), "")
