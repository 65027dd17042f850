"""Tickets as JIRA's REST responses show them; v2 has wiki markup where v3 has ADF."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.jira.adf_check import adf_text, text_adf
from sandbox.jira.settings import (
    DEFAULT_PRIORITY,
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    STATUS_BY_NAME,
    ApiVersion,
    JiraSandboxSettings,
    find_name,
    id_of,
)
from sandbox.jira.store import Attachment, Comment, StoredLink, StoredTicket, TicketStore

_RICH = ("description", "environment")


@dataclass(frozen=True, slots=True)
class View:
    """How one caller sees the tickets: through one version, at one address."""

    version: ApiVersion
    base_url: str
    settings: JiraSandboxSettings
    store: TicketStore

    def url(self, resource: str) -> str:
        """Return the address of a REST resource."""
        return f"{self.base_url}/rest/api/{self.version}/{resource}"

    def reference(self, ticket: StoredTicket) -> dict[str, Any]:
        """Return the response to the creation of a ticket."""
        number = str(ticket.id)
        return {"id": number, "key": ticket.key, "self": self.url(f"issue/{number}")}

    def issue(self, ticket: StoredTicket, wanted: frozenset[str] | None = None) -> dict[str, Any]:
        """Return the ticket with the wanted fields (None: all)."""
        fields = {
            name: value
            for name, value in self._fields(ticket).items()
            if wanted is None or name in wanted
        }
        return {**self.reference(ticket), "fields": fields}

    def rich(self, text: Any) -> Any:
        """Return a text in this version's format."""
        if text is None:
            return None
        if self.version is ApiVersion.V3:
            return text if isinstance(text, dict) else text_adf(str(text))
        return adf_text(text) if isinstance(text, dict) else text

    def comment(self, comment: Comment) -> dict[str, Any]:
        """Return a comment."""
        return {
            "id": str(comment.id),
            "author": self.user(),
            "body": self.rich(comment.body),
            "created": timestamp(comment.created),
        }

    def comments(self, ticket: StoredTicket) -> dict[str, Any]:
        """Return the page of all comments of a ticket."""
        found = [self.comment(comment) for comment in self.store.comments(ticket)]
        return {"comments": found, "maxResults": len(found), "total": len(found), "startAt": 0}

    def attachment(self, attachment: Attachment) -> dict[str, Any]:
        """Return what is known about an attachment, without its content."""
        return {
            "id": str(attachment.id),
            "filename": attachment.name,
            "size": len(attachment.content),
            "mimeType": attachment.media_type,
            "author": self.user(),
            "created": timestamp(attachment.created),
        }

    def user(self) -> dict[str, Any]:
        """Return the one account that exists."""
        name = self.settings.username
        common = {"displayName": name, "emailAddress": f"{name}@example.invalid", "active": True}
        if self.version is ApiVersion.V3:
            return {"accountId": f"sandbox:{name}", "accountType": "atlassian", **common}
        return {"name": name, "key": name, **common}

    def project(self, key: str) -> dict[str, Any]:
        """Return a project."""
        number = str(10000 + self.settings.projects.index(key))
        return {"id": number, "key": key, "name": key.title(), "self": self.url(f"project/{key}")}

    def _fields(self, ticket: StoredTicket) -> dict[str, Any]:
        sent = ticket.fields
        rich = {name: self.rich(sent.get(name)) for name in _RICH}
        return {
            **sent,
            **rich,
            "project": self.project(ticket.project),
            "issuetype": id_and_name(ISSUE_TYPES, find_name(ISSUE_TYPES, sent.get("issuetype"))),
            "priority": id_and_name(PRIORITIES, find_name(PRIORITIES, sent.get("priority")))
            or id_and_name(PRIORITIES, DEFAULT_PRIORITY),
            "labels": list(ticket.labels),
            "status": STATUS_BY_NAME[ticket.status].document(),
            "resolution": {"name": ticket.resolution} if ticket.resolution else None,
            "reporter": self.user(),
            "created": timestamp(ticket.created),
            "updated": timestamp(ticket.updated),
            "comment": self.comments(ticket),
            "attachment": [self.attachment(one) for one in self.store.attachments(ticket)],
            "issuelinks": [self._link(ticket, link) for link in self.store.links(ticket.key)],
        }

    def _link(self, ticket: StoredTicket, link: StoredLink) -> dict[str, Any]:
        side, other = (
            ("outwardIssue", link.outward)
            if link.inward == ticket.key
            else ("inwardIssue", link.inward)
        )
        return {"id": str(link.id), "type": link_type(link.type), side: {"key": other}}


def id_and_name(known: tuple[tuple[str, str], ...], name: str | None) -> dict[str, str] | None:
    """Return a named value of JIRA as its id and name; None without a name."""
    return None if name is None else {"id": id_of(known, name), "name": name}


def link_type(name: str) -> Mapping[str, str] | None:
    """Return the link type of this name, in any case."""
    for number, known, inward, outward in LINK_TYPES:
        if known.lower() == name.lower():
            return {"id": number, "name": known, "inward": inward, "outward": outward}
    return None


def timestamp(when: datetime) -> str:
    """Return a time as JIRA writes it."""
    utc = when.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"
