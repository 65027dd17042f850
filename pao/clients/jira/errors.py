"""How a call to JIRA can end badly, as types: what was changed there decides between them."""

from collections.abc import Mapping
from types import MappingProxyType

BODY_LIMIT = 64 * 1024


class JiraError(Exception):
    """Base of all: ``message`` is for people and says what to do next, ``instance`` names the JIRA.

    ``status`` and ``body`` (at most 64 kB, without credentials) are those of the answer, where
    there was one. ``retryable`` is a judgement for the human who decides, nothing acts on it.
    """

    def __init__(
        self,
        message: str,
        *,
        instance: str,
        status: int | None = None,
        body: str | None = None,
        retryable: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.instance = instance
        self.status = status
        self.body = body
        self.retryable = retryable


class JiraUnreachable(JiraError):  # noqa: N818 -- it names what happened
    """No usable answer, and nothing was changed: the call never left, or it only asked."""


class JiraOutcomeUnknown(JiraError):  # noqa: N818 -- it names what happened
    """A change was sent and no answer that can be read came back: it may have been made."""


class JiraRefused(JiraError):  # noqa: N818 -- it names what happened
    """JIRA, or what stands in front of it, answered no: nothing was changed.

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
        retryable: bool = False,
        retry_after: str | None = None,
        errors: Mapping[str, str] = MappingProxyType({}),
        error_messages: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, instance=instance, status=status, body=body, retryable=retryable)
        self.retry_after = retry_after
        self.errors = errors
        self.error_messages = error_messages
