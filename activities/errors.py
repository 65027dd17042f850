"""How an action can end badly, as types; what Temporal is told about each is decided here."""

from collections.abc import Iterable
from dataclasses import asdict

from temporalio.exceptions import ApplicationError

from pao.core.errors import ErrorCode
from pao.core.payloads import PartialResource

BODY_LIMIT = 64 * 1024
PARTIAL_LIMIT = 500


class ActionError(Exception):
    """Base of both: a message for people, and what the target answered where it did.

    ``partial`` lists what the action left behind all the same, such as half of an infrastructure.
    ``refused`` means that people said no, whatever is tried. ``whole`` means that ``partial`` is
    all that is there, so that it replaces what earlier attempts have listed.
    """

    type_name = "ActionFailed"

    def __init__(  # noqa: PLR0913 -- what a failure consists of, each part named.
        self,
        message: str,
        *,
        code: ErrorCode = ErrorCode.ACTION_FAILED,
        http_status: int | None = None,
        response_body: str | None = None,
        retryable: bool = False,
        partial: Iterable[PartialResource] = (),
        refused: bool = False,
        whole: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.http_status = http_status
        self.response_body = response_body
        self.retryable = retryable
        self.partial = tuple(partial)
        self.refused = refused
        self.whole = whole
        # Whether the look of this very attempt had been answered; the executor fills it in.
        self.answered = False


class ActionFailedError(ActionError):
    """The target answered no, or the call never left: there is no effect."""


class RepeatIsSafeError(ActionFailedError):
    """Raised by a look that cannot tell, where doing the same again has no second effect.

    A retry goes on; who merely looks is told that nobody knows.
    """


class IncompleteError(ActionFailedError):
    """Raised by a look that finds a part of the effect; its text says which, and what is missing.

    A retry goes on and makes the rest; who merely looks is told of the part.
    """


class OutcomeUnknownError(ActionError):
    """The call left and no readable answer came: the effect may exist."""

    type_name = "OutcomeUnknown"


def told_to_temporal(error: ActionError) -> ApplicationError:
    """Give the error as it goes into history: never retried by itself, its facts as details.

    Texts must have been masked before.
    """
    body = error.response_body[:BODY_LIMIT] if error.response_body else None
    facts = {
        "code": error.code,
        "http_status": error.http_status,
        "response_body": body,
        "retryable": error.retryable,
        "partial": [asdict(one) for one in error.partial[:PARTIAL_LIMIT]],
        "refused": error.refused,
        "answered": error.answered,
        "whole": error.whole,
    }
    return ApplicationError(error.message, facts, type=error.type_name, non_retryable=True)


def worker_shutdown(*, repeatable: bool = False) -> ApplicationError:
    """Give the error of an action that was cut off by its own worker's end.

    What only reads is ``repeatable``: Temporal hands it to another worker at once.
    """
    return ApplicationError(
        "The worker was stopped while the action ran; its effect may exist. "
        "A retry looks for it first.",
        {"code": ErrorCode.EXTERNAL_SERVICE_ERROR, "retryable": True},
        type="WorkerShutdown",
        non_retryable=not repeatable,
    )
