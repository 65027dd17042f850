"""The connection to a JIRA: calls in threads, with credentials and a deadline."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import requests
import urllib3

from pao.clients.jira.answers import JiraResponse
from pao.clients.jira.auth import OAuth2Auth
from pao.clients.jira.dialects import Dialect, dialect_for
from pao.clients.jira.jira_errors import (
    JiraOutcomeUnknownError,
    JiraRefusedError,
    JiraUnreachableError,
)
from pao.clients.jira.models import Deadline, JiraInstance
from pao.clients.jira.reasons import is_loopback, why_no_answer
from pao.clients.jira.tokens import JiraTokens, TokenEndpointError
from pao.clients.jira.transport import (
    BoundedAdapter,
    BoundedSession,
    CallEndedError,
    HeaderAuth,
    JiraCall,
)
from pao.core.failure_classes import INTERRUPTED, NOT_READY, UNSENT, FailureClass
from pao.runtime.masking import SecretMasks

CONNECTIONS = 32
# A thread notices its deadline at once, unless it hangs in name resolution, which cannot be
# interrupted; then the caller returns this much later, and the thread will send nothing.
_THREAD_GRACE = 0.25

Question = Callable[[Dialect], requests.Response]


class _UnansweredError(Exception):
    def __init__(self, reason: str, *, sent: bool, judged: FailureClass) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.judged = judged


class JiraConnection:
    """The connection to one instance; safe to share between tasks and threads."""

    def __init__(self, instance: JiraInstance) -> None:
        self._instance = instance
        self._adapter = BoundedAdapter(connections=CONNECTIONS)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=f"jira-{instance.name}")
        auth = instance.auth
        self._tokens = JiraTokens(auth, self._session) if isinstance(auth, OAuth2Auth) else None

    def close(self) -> None:
        """Close the pooled connections; calls in flight still end by their own deadlines."""
        self._threads.shutdown(wait=False)
        self._adapter.close()

    def hide(self, text: str) -> str:
        """Return the text without credentials and tokens, in any encoding."""
        tokens = self._tokens.latest if self._tokens else ()
        return SecretMasks((*self._instance.auth.secrets(), *tokens)).hide(text)

    async def ask(
        self,
        doing: str,
        question: Question,
        correlation_id: str | None,
        *,
        deadline: Deadline | None,
    ) -> JiraResponse:
        """Make a call that changes nothing; raises JiraUnreachableError without an answer."""
        try:
            return await self._exchange(doing, question, correlation_id, deadline=deadline)
        except _UnansweredError as exc:
            raise self._unreachable(doing, exc) from None
        except TokenEndpointError as exc:
            raise self._token_refusal(doing, exc) from None

    async def change(
        self,
        doing: str,
        question: Question,
        correlation_id: str | None,
        *,
        deadline: Deadline | None,
    ) -> JiraResponse:
        """Make a change; raises JiraOutcomeUnknownError if it was sent and no answer came."""
        try:
            return await self._exchange(doing, question, correlation_id, deadline=deadline)
        except TokenEndpointError as exc:
            raise self._token_refusal(doing, exc) from None
        except _UnansweredError as exc:
            if not exc.sent:
                raise self._unreachable(doing, exc) from None
            raise JiraOutcomeUnknownError(
                f"{self._instance.title} was asked to {doing}, but {exc.reason}: it may or "
                "may not have done it. Look in JIRA, or retry: a retry looks first and adopts "
                "what it finds.",
                instance=self._instance.name,
            ) from None

    def _unreachable(self, doing: str, exc: _UnansweredError) -> JiraUnreachableError:
        return JiraUnreachableError(
            f"{self._instance.title} could not {doing}: {exc.reason}. Nothing was changed; "
            "retry later.",
            instance=self._instance.name,
            judged=exc.judged,
        )

    async def _exchange(
        self,
        doing: str,
        question: Question,
        correlation_id: str | None,
        *,
        deadline: Deadline | None,
    ) -> JiraResponse:
        call = JiraCall(Deadline.after(self._instance.total_timeout).or_earlier(deadline))
        context = contextvars.copy_context()
        future = self._threads.submit(
            context.run, self._run, call, question, correlation_id=correlation_id
        )
        try:
            async with asyncio.timeout(call.deadline.remaining() + _THREAD_GRACE):
                response = await asyncio.wrap_future(future)
        except TimeoutError:
            reason = why_no_answer(CallEndedError(), call)
            raise _UnansweredError(reason, sent=call.sent, judged=_unanswered_class(call)) from None
        finally:
            # Also if the task was cancelled: a call that nobody waits for must not be sent.
            call.end()
        return JiraResponse(self._instance, doing, response, call.truncated, self.hide)

    def _token_refusal(self, doing: str, exc: TokenEndpointError) -> JiraRefusedError:
        return JiraRefusedError(
            f"{self._instance.title} was not asked to {doing}: {self.hide(exc.reason)}.",
            instance=self._instance.name,
            status=exc.status or HTTPStatus.UNAUTHORIZED,
            judged=exc.judged,
        )

    def _run(
        self, call: JiraCall, question: Question, *, correlation_id: str | None
    ) -> requests.Response:
        session = self._session(call, self._instance.base_url)
        if correlation_id:
            session.headers["X-Correlation-ID"] = correlation_id
        try:
            with call.running():
                return self._authorized_call(question, call, session)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            CallEndedError,
        ) as exc:
            reason = why_no_answer(exc, call)
            raise _UnansweredError(reason, sent=call.sent, judged=_unanswered_class(call)) from exc

    def _authorized_call(
        self, question: Question, call: JiraCall, session: BoundedSession
    ) -> requests.Response:
        """Make the call; a token that is refused is renewed once."""
        dialect = dialect_for(self._instance, session)
        if self._tokens is None:
            session.auth = HeaderAuth(self._instance.auth.authorization())
            return question(dialect)
        token = self._tokens.bearer(call)
        session.auth = HeaderAuth(f"Bearer {token}")
        response = question(dialect)
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        # JIRA has refused the token, so nothing was done yet.
        renewed = self._tokens.bearer(call, instead_of=token)
        session.auth = HeaderAuth(f"Bearer {renewed}")
        return question(dialect)

    def _session(self, call: JiraCall, url: str) -> BoundedSession:
        session = BoundedSession(
            self._adapter,
            call,
            target=self._instance.name,
            connect_timeout=self._instance.connect_timeout,
        )
        session.verify = self._instance.ca_file or True
        # Otherwise a proxy in the environment would be used for the stand-in on loopback.
        session.trust_env = not is_loopback(url)
        return session


def _unanswered_class(call: JiraCall) -> FailureClass:
    """Return the class of a call without an answer; running out of time unconnected is ours."""
    if call.contacted:
        return INTERRUPTED
    return NOT_READY if call.ended and not call.had_time_to_connect else UNSENT
