"""PAO's use of Temporal from outside of workflows: start, signal, query, check."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import uuid4

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from pao.core import names
from pao.core.components import is_bundle
from pao.core.payloads.actions import ActionInput, LookResult
from pao.core.payloads.choices import ChoicesAnswer, ChoicesQuestion
from pao.core.payloads.decisions import (
    DecisionRecord,
    EvidenceAnswer,
    EvidenceInput,
    OutcomeQuery,
)
from pao.core.payloads.files import FilesAnswer
from pao.core.payloads.requests import RequestInput, SettledRequest
from pao.core.search_attributes import search_attributes

_log = logging.getLogger(__name__)

# A killed worker costs this much instead of Temporal's default of ten seconds.
TASK_TIMEOUT = timedelta(seconds=3)
# rpc_timeout bounds one attempt only; every call has an asyncio.timeout around it as well.
RPC_TIMEOUT = timedelta(seconds=5)
CHECK_SECONDS = 1.0
# The server, or the way to it, was too slow; any other status is a start that it refused.
SLOW = {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.UNAVAILABLE}
# A request has one workflow; another one only resumes after a lost one.
FIRST_START = WorkflowIDReusePolicy.REJECT_DUPLICATE
FURTHER_START = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
# An answer is trusted this long, so that submissions under load need no check.
TRUSTED_SECONDS = 1.0
_NO_WORKER = "no worker has answered yet; try again"

AnswerT = TypeVar("AnswerT", LookResult, EvidenceAnswer, ChoicesAnswer, FilesAnswer)


@dataclass(frozen=True, slots=True)
class _Question(Generic[AnswerT]):
    """A short workflow, the prefix of its ids, and the answer if none comes."""

    workflow: str
    kind: str
    fallback: AnswerT


_LOOK = _Question(names.LOOK_WORKFLOW, "look", LookResult(answer="unknown", reason=_NO_WORKER))
_EVIDENCE = _Question(names.EVIDENCE_WORKFLOW, "evidence", EvidenceAnswer(message=_NO_WORKER))
_CHOICES = _Question(names.CHOICES_WORKFLOW, "choices", ChoicesAnswer(problem=_NO_WORKER))
_FILES = _Question(names.FILES_WORKFLOW, "files", FilesAnswer(problem=_NO_WORKER))


class TemporalUnavailableError(Exception):
    """Temporal cannot be reached now, or did not answer in time."""


class WorkflowGoneError(Exception):
    """The workflow has closed, or Temporal does not know it (any more)."""


class RequestWorkflows:
    """Starts the workflows of requests, signals them and asks them; nothing here decides."""

    def __init__(self, client: Client, *, task_queue: str) -> None:
        self._client = client
        self._queue = task_queue
        self._seen = float("-inf")

    async def require(self) -> None:
        """Return when Temporal answered within the last second, or answers now."""
        if time.monotonic() - self._seen > TRUSTED_SECONDS:
            await self.ping()

    async def start_and_wait(
        self, request_input: RequestInput, *, summary: str, budget: float
    ) -> SettledRequest | None:
        """Start a request's workflow and wait until it settles, at most ``budget`` seconds.

        None means that it has not settled yet, or that this is unknown: the request's row says
        which. Repeating the call is safe; it attaches to an existing workflow.
        """
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            _kind(request_input), request_input, **self._start_options(request_input, summary)
        )
        try:
            async with asyncio.timeout(budget):
                settled: SettledRequest = await self._client.execute_update_with_start_workflow(
                    names.SETTLED_UPDATE,
                    start_workflow_operation=operation,
                    id=names.SETTLED_UPDATE,
                    result_type=SettledRequest,
                    rpc_timeout=timedelta(seconds=budget + 1),
                )
        except (
            TimeoutError,
            WorkflowUpdateRPCTimeoutOrCancelledError,
            WorkflowUpdateFailedError,
            WorkflowAlreadyStartedError,
            RPCError,
        ) as error:
            self._seen = float("-inf")
            _warn_of_refusal(error, request_input.context.request_id)
            # The operation keeps the error a second time; unread, it would be logged as forgotten.
            await asyncio.gather(operation.workflow_handle(), return_exceptions=True)
            return None
        self._seen = time.monotonic()
        return settled

    async def start(
        self,
        request_input: RequestInput,
        *,
        summary: str,
        reuse: WorkflowIDReusePolicy | None = None,
    ) -> bool:
        """Start a request's workflow without waiting; False when it had ended before.

        ``reuse`` says after which ends another workflow may start; by default none follows a first
        one, and one that resumes follows those that were lost.
        Raises the SDK's ``RPCError`` when Temporal refuses or cannot be reached.
        """
        try:
            await self._client.start_workflow(
                _kind(request_input),
                request_input,
                rpc_timeout=RPC_TIMEOUT,
                **self._start_options(request_input, summary, reuse),
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def start_only(self, request_input: RequestInput, *, summary: str, budget: float) -> None:
        """Start a request's workflow as its submission does, without waiting for it to settle.

        Errors are only logged: the request is stored, and the sweeper starts it.
        """
        try:
            async with asyncio.timeout(budget):
                await self.start(request_input, summary=summary)
        except (TimeoutError, RPCError) as error:
            self._seen = float("-inf")
            _warn_of_refusal(error, request_input.context.request_id)
            return
        self._seen = time.monotonic()

    def _start_options(
        self, request_input: RequestInput, summary: str, reuse: WorkflowIDReusePolicy | None = None
    ) -> dict[str, Any]:
        context = request_input.context
        default = FIRST_START if request_input.resumption is None else FURTHER_START
        return {
            "id": names.workflow_id(context.request_id),
            "task_queue": self._queue,
            "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
            "id_reuse_policy": reuse or default,
            "task_timeout": TASK_TIMEOUT,
            "memo": {"correlationId": context.correlation_id},
            "search_attributes": search_attributes(context),
            "static_summary": summary,
        }

    async def decide(
        self, request_id: str, decision: str, payload: dict[str, object], *, budget: float
    ) -> DecisionRecord | None:
        """Signal a decision and wait for its outcome, at most ``budget`` seconds.

        None means that the signal has arrived and its outcome is not known yet. Raises
        ``WorkflowGoneError`` when the workflow has closed (an abort closes it) and
        ``TemporalUnavailableError`` if it is unknown whether the signal has arrived.
        """
        handle = self._client.get_workflow_handle(names.workflow_id(request_id))
        try:
            async with asyncio.timeout(budget + CHECK_SECONDS):
                await handle.signal(decision, payload, rpc_timeout=RPC_TIMEOUT)
        except TimeoutError as error:
            raise TemporalUnavailableError from error
        except RPCError as error:
            raise _translate_error(error) from error
        return await self._outcome(handle, str(payload["decisionId"]), budget)

    async def signal_cleaned(self, request_id: str, payload: dict[str, Any]) -> None:
        """Signal that what an open request left behind is cleaned up.

        Raises as ``decide`` does.
        """
        handle = self._client.get_workflow_handle(names.workflow_id(request_id))
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await handle.signal(names.CLEANUP_SIGNAL, payload, rpc_timeout=RPC_TIMEOUT)
        except TimeoutError as error:
            raise TemporalUnavailableError from error
        except RPCError as error:
            raise _translate_error(error) from error

    async def _outcome(
        self, handle: WorkflowHandle[Any, Any], decision_id: str, budget: float
    ) -> DecisionRecord | None:
        """Return a decision's outcome; the signal has arrived, whatever fails here."""
        query = OutcomeQuery(decision_id=decision_id, wait_seconds=budget)
        try:
            async with asyncio.timeout(budget + CHECK_SECONDS):
                record: DecisionRecord = await handle.execute_update(
                    names.DECISION_OUTCOME_UPDATE,
                    query,
                    id=f"outcome-{query.decision_id}",
                    result_type=DecisionRecord,
                    rpc_timeout=timedelta(seconds=budget + CHECK_SECONDS),
                )
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            return None
        except WorkflowUpdateFailedError as error:
            raise WorkflowGoneError from error
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise WorkflowGoneError from error
            return None
        return record

    async def look(self, action_input: ActionInput, *, budget: float) -> LookResult:
        """Ask the worker to look for an action's effect; ``unknown`` when no answer comes."""
        summary = f"look for {action_input.action.name}"
        return await self._ask(_LOOK, action_input, summary, budget)

    async def check_evidence(self, evidence: EvidenceInput, *, budget: float) -> EvidenceAnswer:
        """Ask the worker to check a person's evidence; without a result when no answer comes."""
        summary = f"check the evidence about {evidence.about.action.name}"
        return await self._ask(_EVIDENCE, evidence, summary, budget)

    async def fetch_choices(self, question: ChoicesQuestion, *, budget: float) -> ChoicesAnswer:
        """Ask the worker for the choices of a field; with a problem when no answer comes."""
        return await self._ask(_CHOICES, question, f"fetch {question.call.action.name}", budget)

    async def read_files(self, given: ActionInput, *, budget: float) -> FilesAnswer:
        """Ask the worker what the files hold that a commit would change; it reads only."""
        return await self._ask(_FILES, given, f"read what {given.action.name} would change", budget)

    async def _ask(
        self, question: _Question[AnswerT], given: Any, summary: str, budget: float
    ) -> AnswerT:
        """Run a short workflow; return its answer, or the fallback after ``budget`` seconds."""
        try:
            async with asyncio.timeout(budget):
                found: AnswerT = await self._client.execute_workflow(
                    question.workflow,
                    given,
                    id=f"{question.kind}-{uuid4()}",
                    task_queue=self._queue,
                    result_type=type(question.fallback),
                    execution_timeout=timedelta(seconds=30),
                    task_timeout=TASK_TIMEOUT,
                    static_summary=summary,
                    rpc_timeout=timedelta(seconds=budget),
                )
        except TimeoutError:
            return question.fallback
        except WorkflowFailureError as error:
            # Somebody has ended it, or it took too long; the caller may try again.
            _log.warning("a %s workflow ended without an answer: %s", question.kind, error.cause)
            return question.fallback
        except RPCError as error:
            raise _translate_error(error) from error
        return found

    async def ping(self) -> None:
        """Return when Temporal answers; raise ``TemporalUnavailableError`` otherwise."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._client.service_client.check_health(
                    timeout=timedelta(seconds=CHECK_SECONDS)
                )
        except (TimeoutError, RPCError, RuntimeError) as error:
            # The last answer is no longer trusted.
            self._seen = float("-inf")
            raise TemporalUnavailableError from error
        self._seen = time.monotonic()


def _kind(request_input: RequestInput) -> str:
    """Return the workflow type of a request."""
    return names.BUNDLE_WORKFLOW if is_bundle(request_input.plan) else names.REQUEST_WORKFLOW


def _warn_of_refusal(error: BaseException, request_id: str) -> None:
    """Log a start that the server refused: unlike a slow one, it may never happen."""
    if isinstance(error, RPCError) and error.status not in SLOW:
        _log.warning(
            "Temporal has refused to start the request's workflow: %s",
            error.message,
            extra={"requestId": request_id, "rpcStatus": error.status.name},
        )


def _translate_error(error: RPCError) -> Exception:
    if error.status == RPCStatusCode.NOT_FOUND:
        return WorkflowGoneError()
    return TemporalUnavailableError()
