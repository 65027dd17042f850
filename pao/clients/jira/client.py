"""The JIRA client: one instance, asynchronous methods, a type for each kind of failure."""

import logging
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self

from pao.clients.jira import create_fields
from pao.clients.jira.answers import JiraResponse, read_change, read_object, unreadable_change
from pao.clients.jira.create_fields import Ask, IssueType, ScreenField
from pao.clients.jira.dialects import File
from pao.clients.jira.field_list import FieldList
from pao.clients.jira.jira_errors import JiraRefusedError
from pao.clients.jira.label_search import KEY, LabelSearch, read_issue
from pao.clients.jira.limits import TEXT_LIMIT, cut_wiki, units
from pao.clients.jira.models import (
    CreatedIssue,
    Deadline,
    JiraFlavour,
    JiraInstance,
    ServerInfo,
    TicketParts,
    TicketStatus,
)
from pao.clients.jira.parts import ticket_parts
from pao.clients.jira.status import ticket_status
from pao.clients.jira.wire import JiraConnection, Question

_log = logging.getLogger(__name__)

# Cloud's limit for a bulk fetch; also short enough for the address of a search.
_STATUS_BATCH = 100
_CREATED = 201
_CHANGED = 204
_ATTACHED = 200


class JiraClient:
    """Speaks to one JIRA; safe to share between tasks and threads.

    Every method raises JiraRefusedError, JiraUnreachableError or (changes only)
    JiraOutcomeUnknownError, and ends within the instance's total timeout, or an earlier deadline.
    After that, or after its task was cancelled, nothing more is sent. No redirect is followed, and
    nothing is retried, except once with a new token if JIRA refuses an OAuth token.
    """

    def __init__(self, instance: JiraInstance) -> None:
        self.instance = instance
        self._wire = JiraConnection(instance)
        self._fields = FieldList()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections; calls in flight still end by their own deadlines."""
        self._wire.close()

    async def create_issue(
        self,
        fields: Mapping[str, Any],
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> CreatedIssue:
        """Create a ticket from JIRA's own field names; texts are wiki markup, also for Cloud.

        On Cloud a text of a custom field for long texts becomes a document as well.
        """
        doing = "create the ticket"
        long = await self._long_texts(fields, correlation_id, deadline)
        answer = await self._wire.change(
            doing, lambda jira: jira.create(fields, long), correlation_id, deadline=deadline
        )
        issue = read_issue(self.instance, read_change(answer, expected=_CREATED))
        if issue is None:
            raise unreadable_change(answer)
        _log.debug("created JIRA ticket %s on %s", issue.key, self.instance.name)
        return issue

    async def _long_texts(
        self, fields: Mapping[str, Any], correlation_id: str | None, deadline: Deadline | None
    ) -> Collection[str]:
        """Return the custom fields that Cloud wants as documents."""
        if self.instance.flavour is not JiraFlavour.CLOUD:
            return ()
        return await self._fields.textareas(self._bind_ask(correlation_id, deadline), fields)

    async def text_lines(
        self, *, correlation_id: str | None = None, deadline: Deadline | None = None
    ) -> Collection[str]:
        """Return the custom fields that hold a single line, for which JIRA has a lower limit."""
        return await self._fields.text_lines(self._bind_ask(correlation_id, deadline))

    async def edit_issue(
        self,
        key: str,
        fields: Mapping[str, Any],
        *,
        correlation_id: str | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Set fields of a ticket by JIRA's own field names; None empties one."""
        long = await self._long_texts(fields, correlation_id, deadline)
        answer = await self._wire.change(
            f"change {key}",
            lambda jira: jira.edit(key, fields, long),
            correlation_id,
            deadline=deadline,
        )
        read_change(answer, expected=_CHANGED)

    async def find_by_label(
        self,
        label: str,
        project: str | None = None,
        *,
        settles_in: float = 0.0,
        correlation_id: str | None = None,
        deadline: Deadline | None = None,
    ) -> CreatedIssue | None:
        """Return the oldest ticket with the label; None if there is certainly none.

        An empty answer is certain only after ``settles_in`` seconds. Raises JiraTooEarlyError if
        that is more than half of the time until the deadline.
        """
        whole = Deadline.after(self.instance.total_timeout).or_earlier(deadline)
        search = LabelSearch(self.instance, label, project)
        return await search.run(
            self._bind_ask(correlation_id, whole), settles_in=settles_in, deadline=whole
        )

    async def get_status(
        self,
        key: str,
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> TicketStatus:
        """Return the ticket's status; JiraRefusedError 404 means that it is gone."""
        answer = await self._wire.ask(
            f"read {key}", lambda jira: jira.status(key), correlation_id, deadline=deadline
        )
        return self._read_status(read_object(answer))

    async def get_statuses(
        self,
        keys: Collection[str],
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> dict[str, TicketStatus | None]:
        """Return the status of many tickets, by key; None for one that does not exist.

        A hundred tickets are one call. Those that JIRA leaves out are read one by one: that is the
        only call that finds a moved ticket by its old key. Without a deadline each call has the
        instance's total timeout.
        """
        wanted = sorted({key for key in keys if KEY.fullmatch(key)})
        found: dict[str, TicketStatus | None] = dict.fromkeys(keys)
        for start in range(0, len(wanted), _STATUS_BATCH):
            batch = wanted[start : start + _STATUS_BATCH]
            for issue in await self._fetch_statuses(batch, correlation_id, deadline=deadline):
                if issue.get("key") in found:
                    found[str(issue["key"])] = self._read_status(issue)
        for key in wanted:
            if found[key] is None:
                found[key] = await self._find_status(key, correlation_id, deadline=deadline)
        return found

    async def add_comment(
        self,
        key: str,
        text: str,
        *,
        correlation_id: str | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Add a comment in wiki markup; one that is too long is attached in full and truncated."""
        doing = f"comment on {key}"
        if units(text) > TEXT_LIMIT:
            whole = ("comment.txt", text.encode(errors="replace"), "text/plain")
            await self.attach(key, whole, correlation_id=correlation_id, deadline=deadline)
        shown = cut_wiki(text, "This comment was truncated; see the attached comment.txt.")
        answer = await self._wire.change(
            doing, lambda jira: jira.comment(key, shown), correlation_id, deadline=deadline
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
        answer = await self._wire.change(
            doing, lambda jira: jira.link(link), correlation_id, deadline=deadline
        )
        read_change(answer, expected=_CREATED)

    async def get_parts(
        self,
        key: str,
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> TicketParts:
        """Return what is attached and linked to a ticket."""
        answer = await self._wire.ask(
            f"read {key}", lambda jira: jira.parts(key), correlation_id, deadline=deadline
        )
        fields = read_object(answer).get("fields")
        return ticket_parts(fields if isinstance(fields, Mapping) else {})

    async def attach(
        self,
        key: str,
        file: File,
        *,
        correlation_id: str | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Attach one file to a ticket."""
        answer = await self._wire.change(
            f"attach {file[0]} to {key}",
            lambda jira: jira.attach(key, file),
            correlation_id,
            deadline=deadline,
        )
        if not isinstance(read_change(answer, expected=_ATTACHED), list):
            raise unreadable_change(answer)

    async def epic_fields(
        self,
        epic: str,
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> dict[str, Any]:
        """Return the field that puts a new ticket under an epic: Cloud's parent, or Epic Link.

        Data Center is asked once for the field; raises LookupError if it has none.
        """
        if self.instance.flavour is JiraFlavour.CLOUD:
            return {"parent": {"key": epic}}
        field = await self._fields.epic(self._bind_ask(correlation_id, deadline))
        if field is None:
            raise LookupError(f"{self.instance.title} has no field for epics; leave epicKey out")
        return {field: epic}

    async def issue_types(
        self,
        project: str,
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> list[IssueType]:
        """Return the issue types of a project; JiraRefusedError 404 means that it is missing."""
        return await create_fields.issue_types(self._bind_ask(correlation_id, deadline), project)

    async def screen_fields(
        self,
        project: str,
        kind: IssueType,
        correlation_id: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> list[ScreenField]:
        """Return the fields that a new ticket of a type can or must have."""
        return await create_fields.screen_fields(
            self._bind_ask(correlation_id, deadline), project, kind
        )

    async def server_info(
        self, correlation_id: str | None = None, *, deadline: Deadline | None = None
    ) -> ServerInfo:
        """Return version and deployment; JIRA does not check the credentials for that."""
        answer = await self._wire.ask(
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
        """Raise unless JIRA answers and accepts the credentials."""
        answer = await self._wire.ask(
            "say who we are", lambda jira: jira.myself(), correlation_id, deadline=deadline
        )
        read_object(answer)

    def _bind_ask(self, correlation_id: str | None, deadline: Deadline | None) -> Ask:
        async def ask(doing: str, question: Question) -> JiraResponse:
            return await self._wire.ask(doing, question, correlation_id, deadline=deadline)

        return ask

    async def _fetch_statuses(
        self, keys: Sequence[str], correlation_id: str | None, *, deadline: Deadline | None
    ) -> list[Mapping[str, Any]]:
        answer = await self._wire.ask(
            f"read {len(keys)} tickets",
            lambda jira: jira.statuses(keys),
            correlation_id,
            deadline=deadline,
        )
        issues = read_object(answer).get("issues")
        listed = issues if isinstance(issues, list) else []
        return [issue for issue in listed if isinstance(issue, Mapping)]

    async def _find_status(
        self, key: str, correlation_id: str | None, *, deadline: Deadline | None
    ) -> TicketStatus | None:
        try:
            return await self.get_status(key, correlation_id, deadline=deadline)
        except JiraRefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _read_status(self, issue: Mapping[str, Any]) -> TicketStatus:
        fields = issue.get("fields")
        known = fields if isinstance(fields, Mapping) else {}
        return ticket_status(known, self.instance.status_mapping)
