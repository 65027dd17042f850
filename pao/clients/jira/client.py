"""The JIRA client: one instance, asynchronous methods, every way to fail a type of its own."""

import asyncio
import contextvars
import logging
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import requests
import urllib3

from pao.clients.jira.answers import Answer, read_change, read_object, unreadable
from pao.clients.jira.dialects import Dialect, dialect_for
from pao.clients.jira.errors import JiraOutcomeUnknown, JiraUnreachable
from pao.clients.jira.models import (
    CreatedIssue,
    Deadline,
    JiraInstance,
    ServerInfo,
    TicketStatus,
)
from pao.clients.jira.reasons import TOO_LATE, is_loopback, why_no_answer
from pao.clients.jira.status import ticket_status
from pao.clients.jira.transport import BoundedAdapter, BoundedSession, Call, CallEnded

_log = logging.getLogger(__name__)

CONNECTIONS = 32
# A thread notices its deadline at once, unless it hangs in name resolution, which nothing can
# interrupt; then the caller gets its answer this much later and the thread will send nothing.
_THREAD_GRACE = 0.25
_SEARCH_LIMIT = 20
_KEY = re.compile(r"[A-Z][A-Z0-9_]*-[0-9]+")
_CREATED = 201

Question = Callable[[Dialect], requests.Response]


class _NoAnswer(Exception):  # noqa: N818 -- becomes one of the public errors, which say more
    def __init__(self, reason: str, *, left: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.left = left


class JiraClient:
    """Speaks to one JIRA; safe to share between tasks and threads.

    Every method raises JiraRefused, JiraUnreachable or (changes only) JiraOutcomeUnknown, and ends
    within the instance's total timeout, or the earlier deadline given. After that, or after its
    task was cancelled, nothing is sent any more. Nothing is retried and no redirect is followed.
    """

    def __init__(self, instance: JiraInstance) -> None:
        self.instance = instance
        self._adapter = BoundedAdapter(connections=CONNECTIONS)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=f"jira-{instance.name}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections; calls in flight still end by their own deadlines."""
        self._threads.shutdown(wait=False)
        self._adapter.close()

    async def create_issue(
        self,
        fields: Mapping[str, Any],
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> CreatedIssue:
        """Create a ticket from JIRA's own field names; texts are wiki markup, also for Cloud."""
        doing = "create the ticket"
        answer = await self._change(
            doing, lambda jira: jira.create(fields), correlation_id, deadline=deadline
        )
        issue = self._issue(read_change(answer, expected=_CREATED))
        if issue is None:
            raise unreadable(answer)
        _log.info("created JIRA ticket %s on %s", issue.key, self.instance.name)
        return issue

    async def find_by_label(
        self,
        label: str,
        project: str | None = None,
        *,
        lag_seconds: float = 1.0,
        correlation_id: str | None = None,
        deadline: Deadline | None = None,
    ) -> CreatedIssue | None:
        """Return the oldest ticket with the label, or None after two empty answers.

        A search index lags behind the tickets, so an empty answer is asked for again after
        ``lag_seconds`` (0: once only).
        """
        jql = _jql(label, project)
        found = await self._search(jql, correlation_id, deadline=deadline)
        if found is not None or not lag_seconds:
            return found
        await asyncio.sleep(lag_seconds)
        return await self._search(jql, correlation_id, deadline=deadline)

    async def get_status(
        self,
        key: str,
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> TicketStatus:
        """Return where the ticket stands now; a ticket that is gone is a JiraRefused with 404."""
        answer = await self._ask(
            f"read {key}", lambda jira: jira.status(key), correlation_id, deadline=deadline
        )
        fields = read_object(answer).get("fields")
        known = fields if isinstance(fields, Mapping) else {}
        return ticket_status(known, self.instance.status_mapping)

    async def add_comment(
        self,
        key: str,
        text: str,
        *,
        correlation_id: str | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Add a comment in wiki markup."""
        doing = f"comment on {key}"
        answer = await self._change(
            doing, lambda jira: jira.comment(key, text), correlation_id, deadline=deadline
        )
        read_change(answer, expected=_CREATED)

    async def link_issues(
        self,
        inward: str,
        outward: str,
        *,
        link_type: str = "Relates",
        correlation_id: str | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Link two tickets; for "Blocks", the inward one blocks the outward one."""
        link = {
            "type": {"name": link_type},
            "inwardIssue": {"key": inward},
            "outwardIssue": {"key": outward},
        }
        doing = f"link {inward} to {outward}"
        answer = await self._change(
            doing, lambda jira: jira.link(link), correlation_id, deadline=deadline
        )
        read_change(answer, expected=_CREATED)

    async def server_info(
        self, correlation_id: str | None = None, *, deadline: Deadline | None = None
    ) -> ServerInfo:
        """Return version and deployment; answered without a look at the credentials."""
        answer = await self._ask(
            "say what it is", lambda jira: jira.server_info(), correlation_id, deadline=deadline
        )
        info = read_object(answer)
        return ServerInfo(
            version=str(info.get("version", "")),
            deployment=str(info.get("deploymentType", "")),
            base_url=str(info.get("baseUrl", "")),
        )

    async def ping(
        self, correlation_id: str | None = None, *, deadline: Deadline | None = None
    ) -> None:
        """Return when JIRA answers and accepts the credentials; raises otherwise."""
        answer = await self._ask(
            "say who we are", lambda jira: jira.myself(), correlation_id, deadline=deadline
        )
        read_object(answer)

    async def _search(
        self, jql: str, correlation_id: str | None, *, deadline: Deadline | None
    ) -> CreatedIssue | None:
        answer = await self._ask(
            "search for the ticket",
            lambda jira: jira.search(jql, limit=_SEARCH_LIMIT),
            correlation_id,
            deadline=deadline,
        )
        issues = read_object(answer).get("issues")
        if not isinstance(issues, list):
            raise JiraUnreachable(
                f'JIRA "{self.instance.name}" answered a search without a list of issues.',
                instance=self.instance.name,
                status=answer.status,
                body=answer.text(),
            )
        found = [issue for issue in map(self._issue, issues) if issue is not None]
        return min(found, key=lambda issue: int(issue.id), default=None)

    def _issue(self, document: Any) -> CreatedIssue | None:
        if not isinstance(document, Mapping):
            return None
        key, number = document.get("key"), str(document.get("id", ""))
        if not isinstance(key, str) or not _KEY.fullmatch(key) or not number.isdecimal():
            return None
        return CreatedIssue(key=key, id=number, url=self.instance.browse_url(key))

    async def _ask(
        self,
        doing: str,
        question: Question,
        correlation_id: str | None,
        *,
        deadline: Deadline | None,
    ) -> Answer:
        try:
            return await self._exchange(doing, question, correlation_id, deadline=deadline)
        except _NoAnswer as exc:
            raise self._unreachable(doing, exc) from None

    async def _change(
        self,
        doing: str,
        question: Question,
        correlation_id: str | None,
        *,
        deadline: Deadline | None,
    ) -> Answer:
        try:
            return await self._exchange(doing, question, correlation_id, deadline=deadline)
        except _NoAnswer as exc:
            if not exc.left:
                raise self._unreachable(doing, exc) from None
            raise JiraOutcomeUnknown(
                f'JIRA "{self.instance.name}" was asked to {doing}, but {exc.reason}: it may or '
                "may not have done it. Look in JIRA, or retry: a retry looks first and adopts "
                "what it finds.",
                instance=self.instance.name,
            ) from None

    def _unreachable(self, doing: str, exc: _NoAnswer) -> JiraUnreachable:
        return JiraUnreachable(
            f'JIRA "{self.instance.name}" could not {doing}: {exc.reason}. Nothing was changed; '
            "retry when it is back.",
            instance=self.instance.name,
        )

    async def _exchange(
        self,
        doing: str,
        question: Question,
        correlation_id: str | None,
        *,
        deadline: Deadline | None,
    ) -> Answer:
        call = Call(Deadline.after(self.instance.total_timeout).or_earlier(deadline))
        context = contextvars.copy_context()
        future = self._threads.submit(
            context.run, self._run, call, question, correlation_id=correlation_id
        )
        try:
            async with asyncio.timeout(call.deadline.remaining() + _THREAD_GRACE):
                response = await asyncio.wrap_future(future)
        except TimeoutError:
            raise _NoAnswer(TOO_LATE, left=call.left) from None
        finally:
            # Also when the task was cancelled: a call that nobody waits for must not be sent.
            call.end()
        return Answer(self.instance, doing, response, call.truncated)

    def _run(
        self, call: Call, question: Question, *, correlation_id: str | None
    ) -> requests.Response:
        session = BoundedSession(
            self._adapter,
            call,
            target=self.instance.name,
            connect_timeout=self.instance.connect_timeout,
        )
        session.headers["User-Agent"] = "pao"
        if correlation_id:
            session.headers["X-Correlation-ID"] = correlation_id
        # A proxy set for the way out would otherwise be asked for the stand-in on loopback, too.
        session.trust_env = not is_loopback(self.instance.base_url)
        try:
            with call.running():
                return question(dialect_for(self.instance, session))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, CallEnded) as exc:
            raise _NoAnswer(why_no_answer(exc, call), left=call.left) from exc


def _jql(label: str, project: str | None) -> str:
    clauses = [f"labels = {_quoted(label)}"]
    if project:
        clauses.append(f"project = {_quoted(project)}")
    return f"{' AND '.join(clauses)} ORDER BY created ASC"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
