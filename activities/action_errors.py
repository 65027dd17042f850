"""How actions fail, as exception types, and what goes into Temporal's history."""

from collections.abc import Iterable

from temporalio.exceptions import ApplicationError

from pao.core.answers import KEPT_CHARACTERS, shorten
from pao.core.documents import to_document
from pao.core.errors import ErrorCode
from pao.core.failure_classes import Cause, FailureClass, cause_of, classify_answer
from pao.core.payloads.failures import ActionFailure, PartialResource

MESSAGE_LIMIT = 4_000
PARTIAL_LIMIT = 500
SHUTDOWN = "The worker was stopped while the action ran; its effect may exist."
_ELSEWHERE = frozenset({Cause.TARGET_DOWN, Cause.QUOTA})


class ActionError(Exception):
    """Base of both: a message for people, and what the target answered where it did.

    Both texts may be as long as what was read (4 MB): they are cut where they leave the activity,
    after they were masked. ``judged`` is the row of the table in pao/core/failure_classes.py
    that says what happened: it decides ``cause``, ``code`` and ``retryable`` unless these are
    given, and whether the circuit breaker counts the failure.
    ``partial`` lists what the action has left behind, such as half of an infrastructure.
    ``refused`` means that people have declined. ``whole`` means that ``partial`` is complete, so
    that it replaces what earlier attempts have listed.
    """

    type_name = "ActionFailed"
    # A retry looks first, so it is always worthwhile.
    always_retryable = False

    def __init__(  # noqa: PLR0913 -- what a failure consists of, each part named.
        self,
        message: str,
        *,
        code: ErrorCode | None = None,
        http_status: int | None = None,
        response_body: str | None = None,
        retryable: bool | None = None,
        partial: Iterable[PartialResource] = (),
        refused: bool = False,
        whole: bool = False,
        judged: FailureClass | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or _default_code(judged, unknown=self.always_retryable)
        self.http_status = http_status
        self.response_body = response_body
        self.retryable = (
            self.always_retryable or (judged is not None and judged.retryable)
            if retryable is None
            else retryable
        )
        self.partial = tuple(partial)
        self.refused = refused
        self.whole = whole
        # Whether the look of this attempt was answered; filled in by the executor.
        self.answered = False
        self.absent = False
        # What was sent, sealed, and whether the target can be asked; filled in by the executor.
        self.sent: str | None = None
        self.digest: str | None = None
        # None: as ``Action.askable`` says.
        self.askable: bool | None = None
        self.retry: str | None = None
        self.by_hand: str | None = None
        self.judged = judged

    @property
    def cause(self) -> Cause:
        """Who, or what, is behind the failure."""
        if self.judged is not None and not self.refused:
            return self.judged.cause
        return cause_of(
            None, status=self.http_status, retryable=self.retryable, declined=self.refused
        )

    @property
    def counts(self) -> bool:
        """Return whether the circuit breaker counts it as a failure of the target."""
        if self.judged is not None:
            return self.judged.counts
        if self.code != ErrorCode.EXTERNAL_SERVICE_ERROR:
            return False
        return self.http_status is None or classify_answer(self.http_status).counts

    @property
    def silent(self) -> bool:
        """Return whether nothing was sent, so that the failure says nothing about the target."""
        return self.judged is not None and self.judged.silent


class ActionFailedError(ActionError):
    """The target refused, or the call was never sent: there is no effect."""


class RepeatIsSafeError(ActionFailedError):
    """Raised by a look without a result if repeating the call has no second effect.

    A retry continues; a look alone returns ``unknown``.
    """


class IncompleteError(ActionFailedError):
    """Raised by a look that finds a part of the effect; the message says what is missing.

    A retry creates the rest; a look alone reports the part.
    """


class NothingToAdoptError(ActionFailedError):
    """Raised by a look that finds nothing to adopt, only what earlier attempts left: ``partial``.

    A retry acts again. ``partial`` is all that is left, and stays listed if the retry fails; what
    stays if it succeeds is in its result.
    """


class OutcomeUnknownError(ActionError):
    """The call was sent and no readable response came back: the effect may exist."""

    type_name = "OutcomeUnknown"
    always_retryable = True


def application_error(error: ActionError) -> ApplicationError:
    """Return the error for Temporal's history: not retried automatically, its facts as details.

    Texts must have been masked before; here they are truncated.
    """
    body = error.response_body[:KEPT_CHARACTERS] if error.response_body else None
    failure = ActionFailure(
        code=error.code,
        message=shorten(error.message, MESSAGE_LIMIT),
        http_status=error.http_status,
        response_body=body,
        retryable=error.retryable,
        outcome_unknown=isinstance(error, OutcomeUnknownError),
        partial=list(error.partial[:PARTIAL_LIMIT]),
        refused=error.refused,
        answered=error.answered,
        whole=error.whole,
        absent=error.absent,
        sent=error.sent,
        digest=error.digest,
        askable=error.askable is not False,
        retry=error.retry,
        by_hand=error.by_hand,
        cause=error.cause,
    )
    facts = to_document(failure)
    message = facts.pop("message")
    return ApplicationError(message, facts, type=error.type_name, non_retryable=True)


def worker_shutdown(*, repeatable: bool = False) -> ApplicationError:
    """Return the error of an action that its worker's shutdown interrupted.

    An activity that only reads is ``repeatable``: Temporal hands it to another worker at once.
    """
    return ApplicationError(
        SHUTDOWN,
        {"code": ErrorCode.EXTERNAL_SERVICE_ERROR, "retryable": True, "cause": Cause.OURS},
        type="WorkerShutdown",
        non_retryable=not repeatable,
    )


def _default_code(judged: FailureClass | None, *, unknown: bool) -> ErrorCode:
    elsewhere = unknown or (judged is not None and judged.cause in _ELSEWHERE)
    return ErrorCode.EXTERNAL_SERVICE_ERROR if elsewhere else ErrorCode.ACTION_FAILED
