"""Tickets as JIRA's REST answers show them; v2 has wiki markup where v3 has ADF."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.jira.adf_check import adf_text, text_adf
from sandbox.jira.store import Attachment, Comment, Link, Store, Ticket
from sandbox.jira.world import (
    DEFAULT_PRIORITY,
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    STATUS_BY_NAME,
    ApiVersion,
    Settings,
    id_of,
    named,
)

_RICH = ("description", "environment")


@dataclass(frozen=True, slots=True)
class View:
    """How one caller sees the tickets: through one version, at one address."""

    version: ApiVersion
    base_url: str
    settings: Settings
    store: Store

    def url(self, resource: str) -> str:
        """Return the address of a REST resource."""
        return f"{self.base_url}/rest/api/{self.version}/{resource}"

    def reference(self, ticket: Ticket) -> dict[str, Any]:
        """Return what the creation of a ticket answers."""
        number = str(ticket.id)
        return {"id": number, "key": ticket.key, "self": self.url(f"issue/{number}")}

    def issue(self, ticket: Ticket, wanted: frozenset[str] | None = None) -> dict[str, Any]:
        """Return the ticket with the wanted fields (None: all)."""
        fields = {
            name: value
            for name, value in self._fields(ticket).items()
            if wanted is None or name in wanted
        }
        return {**self.reference(ticket), "fields": fields}

    def rich(self, text: Any) -> Any:
        """Return a text in this version's own form."""
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
            "created": moment(comment.created),
        }

    def comments(self, ticket: Ticket) -> dict[str, Any]:
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
            "created": moment(attachment.created),
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

    def _fields(self, ticket: Ticket) -> dict[str, Any]:
        sent = ticket.fields
        rich = {name: self.rich(sent.get(name)) for name in _RICH}
        return {
            **sent,
            **rich,
            "project": self.project(ticket.project),
            "issuetype": thing(ISSUE_TYPES, named(ISSUE_TYPES, sent.get("issuetype"))),
            "priority": thing(PRIORITIES, named(PRIORITIES, sent.get("priority")))
            or thing(PRIORITIES, DEFAULT_PRIORITY),
            "labels": list(ticket.labels),
            "status": STATUS_BY_NAME[ticket.status].document(),
            "resolution": {"name": ticket.resolution} if ticket.resolution else None,
            "reporter": self.user(),
            "created": moment(ticket.created),
            "updated": moment(ticket.updated),
            "comment": self.comments(ticket),
            "attachment": [self.attachment(one) for one in self.store.attachments(ticket)],
            "issuelinks": [self._link(ticket, link) for link in self.store.links(ticket.key)],
        }

    def _link(self, ticket: Ticket, link: Link) -> dict[str, Any]:
        side, other = (
            ("outwardIssue", link.outward)
            if link.inward == ticket.key
            else ("inwardIssue", link.inward)
        )
        return {"id": str(link.id), "type": link_type(link.type), side: {"key": other}}


def thing(known: tuple[tuple[str, str], ...], name: str | None) -> dict[str, str] | None:
    """Return id and name of something that exists."""
    return None if name is None else {"id": id_of(known, name), "name": name}


def link_type(name: str) -> Mapping[str, str] | None:
    """Return the link type of this name, in any case."""
    for number, known, inward, outward in LINK_TYPES:
        if known.lower() == name.lower():
            return {"id": number, "name": known, "inward": inward, "outward": outward}
    return None


def moment(when: datetime) -> str:
    """Return a time as JIRA writes it."""
    utc = when.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"
