"""How calls to JIRA fail, as exception types: they differ in what may have changed there."""

from collections.abc import Mapping
from types import MappingProxyType

from pao.core.failure_classes import INTERRUPTED, LAGGING, UNSENT, FailureClass, classify_answer


class JiraError(Exception):
    """Base of all: ``message`` is for people and says what to do next, ``instance`` names the JIRA.

    ``status`` and ``body`` (as far as it was read, without credentials) are those of the answer, if
    there was one. ``judged`` is the row of the table that says what it means.
    """

    unanswered: FailureClass = UNSENT

    def __init__(
        self,
        message: str,
        *,
        instance: str,
        status: int | None = None,
        body: str | None = None,
        judged: FailureClass | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.instance = instance
        self.status = status
        self.body = body
        self.judged = judged or (self.unanswered if status is None else classify_answer(status))

    @property
    def retryable(self) -> bool:
        """Whether a retry may help; for people, nothing acts on it."""
        return self.judged.retryable


class JiraUnreachableError(JiraError):
    """No usable answer, and nothing was changed: the call was not sent, or only reads."""


class JiraTooEarlyError(JiraError):
    """A search found nothing, which is not certain yet: its index may lag. Nothing was changed."""

    unanswered = LAGGING


class JiraOutcomeUnknownError(JiraError):
    """A change was sent, and no answer proves that it was not made."""

    unanswered = INTERRUPTED

    @property
    def retryable(self) -> bool:
        """Always worth a retry: it looks first."""
        return True


class JiraRefusedError(JiraError):
    """JIRA, or a proxy before it, refused, or an answer cannot be used. Nothing was changed.

    ``retry_after`` is the header as it came (seconds or a date); ``errors`` has JIRA's text by
    field name, ``error_messages`` those that belong to no field.
    """

    def __init__(  # noqa: PLR0913 -- all keywords, each a fact of the answer
        self,
        message: str,
        *,
        instance: str,
        status: int,
        body: str | None = None,
        judged: FailureClass | None = None,
        retry_after: str | None = None,
        errors: Mapping[str, str] = MappingProxyType({}),
        error_messages: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, instance=instance, status=status, body=body, judged=judged)
        self.retry_after = retry_after
        self.errors = errors
        self.error_messages = error_messages
