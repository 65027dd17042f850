"""The only way actions reach the network: bounded responses, one deadline, typed failures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn

from activities.action_errors import ActionError, ActionFailedError, OutcomeUnknownError
from activities.breakers import Breakers
from activities.call_origin import label_of
from catalog.templating import has_dot_segments
from pao.clients.jira import Deadline
from pao.clients.outgoing import (
    AddressRefusedError,
    CallBrokenError,
    CallInvalidError,
    CallTimeoutError,
    HttpClient,
    OutgoingCall,
    OutgoingError,
    OutgoingResponse,
    host_of,
)
from pao.core import answers
from pao.core.failure_classes import (
    BAD_CALL,
    INTERRUPTED,
    NOT_ALLOWED,
    NOT_READY,
    UNREADABLE,
    UNSENT,
    FailureClass,
    classify_answer,
)
from pao.runtime import tracing
from pao.runtime.masking import SecretMasks

CALL_SECONDS = 30.0
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# With less time a call would probably time out, which would count against the target.
LEAST_SECONDS = 0.5
_UNSENT_CLASSES: Mapping[type[OutgoingError], FailureClass] = {
    AddressRefusedError: NOT_ALLOWED,
    CallInvalidError: BAD_CALL,
    CallTimeoutError: NOT_READY,
}


@dataclass(frozen=True, slots=True)
class TargetResponse:
    """A target's response: header names in lower case, the body as far as it was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool = False
    url: str = ""

    @property
    def is_success(self) -> bool:
        """Return whether the status is one of the 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_html(self) -> bool:
        """Return whether the body is a page for people, such as that of a login."""
        start = self.body[:200].lstrip().lower()
        kind = self.headers.get("content-type", "").lower()
        return "html" in kind or start.startswith((b"<html", b"<!doctype html"))

    @property
    def text(self) -> str:
        """The body as text; invalid bytes become replacement characters.

        An ellipsis at its end says that it was cut: a secret may have been cut there as well.
        """
        text = self.body.decode(errors="replace")
        return f"{text[:-1]}\N{HORIZONTAL ELLIPSIS}" if self.truncated else text

    def json(self) -> Any:
        """Read the body as JSON; raises ``ValueError`` where it is invalid or truncated."""
        if self.truncated:
            raise ValueError("the answer is longer than what is read of it")
        return answers.parse_answer(self.body)

    @property
    def judged(self) -> FailureClass:
        """The row of the table in pao/core/failure_classes.py that says what the answer means."""
        return classify_answer(self.status, self.headers, self.text)

    def failure(self, message: str, *, reading: bool = False) -> ActionError:
        """Return the error for an unsuccessful response, to be raised by the caller.

        The message also says where a redirect leads, when to retry, and the target's reason. A
        call that changes something has an unknown outcome unless the answer proves that nothing
        was done: a 5xx or a redirect does not.
        """
        judged = self.judged
        unknown = judged.doubtful and not reading
        kind = OutcomeUnknownError if unknown else ActionFailedError
        return kind(
            " ".join(filter(None, [message, *self._details(unknown=unknown)])),
            http_status=self.status,
            response_body=self.text or None,
            judged=judged,
        )

    def unreadable(self, message: str, *, reading: bool = True) -> ActionError:
        """Return the error for a successful response that cannot be used."""
        kind = ActionFailedError if reading else OutcomeUnknownError
        return kind(
            message,
            http_status=self.status,
            response_body=self.text or None,
            judged=UNREADABLE,
        )

    def _details(self, *, unknown: bool) -> Iterator[str]:
        if location := self.headers.get("location"):
            yield f"It redirects to {answers.safe_url(location)}; that is not followed."
        if after := self.headers.get("retry-after"):
            yield f"It asks for a pause (Retry-After: {after})."
        if unknown:
            yield "It may have done what was asked."
        if reason := answers.message_text(self.text):
            yield f"It said: {reason}"


@dataclass(frozen=True, slots=True)
class NetworkAccess:
    """What all executions of a process share: pooled connections and circuit breakers."""

    client: HttpClient = field(default_factory=HttpClient)
    breakers: Breakers = field(default_factory=Breakers)


class ActionHttpClient:
    """Calls for one execution; safe to use from several tasks of it.

    Nothing is ever sent twice. ``deadline`` bounds every call as a whole, however slow the answer.
    """

    def __init__(
        self,
        network: NetworkAccess | None = None,
        deadline: Deadline | None = None,
        secrets: SecretMasks | None = None,
    ) -> None:
        self._network = network or NetworkAccess()
        self._deadline = deadline
        self._secrets = secrets

    async def request(  # noqa: PLR0913 -- what a call consists of, each part named.
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        target: str | None = None,
        max_body: int = answers.READ_BYTES,
        seconds: float = CALL_SECONDS,
        redirects: int = 0,
        reading: bool | None = None,
    ) -> TargetResponse:
        """Send one request and read its answer, whatever its status.

        ``target`` names what is called for the circuit breaker and the traces (its host unless
        given). ``reading`` says that the call changes nothing (GET, HEAD and OPTIONS unless
        given): only such a call follows ``redirects``, each checked like the first address;
        another host gets no credentials. Raises ``ActionFailedError`` if nothing was sent or the
        call only reads, ``OutcomeUnknownError`` if it was sent and no whole answer came.
        """
        if has_dot_segments(url):
            raise ActionFailedError(
                "The path of the address has a segment . or .., which leads elsewhere; nothing was "
                "sent. Correct the value that it is made of.",
                judged=BAD_CALL,
            )
        reads = method.upper() in READING if reading is None else reading
        call = OutgoingCall(
            method=method.upper(),
            url=url,
            headers=headers or {},
            content=content,
            max_body=max_body,
            redirects=redirects if reads else 0,
        )
        reply = await self._send(call, target or host_of(url), seconds=seconds, reads=reads)
        return TargetResponse(reply.status, reply.headers, reply.body, reply.truncated, reply.url)

    async def _send(
        self, call: OutgoingCall, target: str, *, seconds: float, reads: bool
    ) -> OutgoingResponse:
        async with self._network.breakers.guard(target, self._secrets) as permit:
            name = label_of(target)
            with tracing.client_span(target, method=call.method, system="http", counted_as=name):
                try:
                    reply = await self._network.client.send(
                        call, seconds=self._limit_seconds(seconds)
                    )
                except OutgoingError as error:
                    _raise_action_error(error, reads=reads)
            if classify_answer(reply.status).counts:
                permit.failure = f"It answered {reply.status}."
            return reply

    def _limit_seconds(self, seconds: float) -> float:
        left = self._deadline.remaining() if self._deadline else seconds
        if left < min(seconds, LEAST_SECONDS):
            raise ActionFailedError(
                "No time was left for the call; nothing was sent. Give the action a longer "
                "timeout.",
                judged=NOT_READY,
            )
        return min(left, seconds)


def _raise_action_error(error: OutgoingError, *, reads: bool) -> NoReturn:
    if isinstance(error, CallBrokenError):
        kind = ActionFailedError if reads else OutcomeUnknownError
        raise kind(error.message, judged=INTERRUPTED) from error
    raise ActionFailedError(
        error.message, judged=_UNSENT_CLASSES.get(type(error), UNSENT)
    ) from error
