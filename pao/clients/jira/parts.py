"""A ticket's attachments and links, parsed from JIRA's answers. No I/O here."""

from collections.abc import Iterator, Mapping
from typing import Any

from pao.clients.jira.models import TicketParts

_EPIC_LINK = "com.pyxis.greenhopper.jira:gh-epic-link"


def ticket_parts(fields: Mapping[str, Any]) -> TicketParts:
    """Read attachments and links from an issue's fields; what cannot be read is left out."""
    return TicketParts(attachments=frozenset(_attachments(fields)), links=frozenset(_links(fields)))


def epic_field(known: list[Any]) -> str | None:
    """Find the field that Data Center keeps a ticket's epic in; its number is each JIRA's own."""
    for field in _objects(known):
        if _object(field.get("schema")).get("custom") == _EPIC_LINK:
            return str(field.get("id") or "") or None
    return None


def _attachments(fields: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for one in _objects(fields.get("attachment")):
        name, size = one.get("filename"), one.get("size")
        if isinstance(name, str) and isinstance(size, int):
            yield name, size


def _links(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in _objects(fields.get("issuelinks")):
        kind = str(_object(one.get("type")).get("name", "")).casefold()
        for side in ("inwardIssue", "outwardIssue"):
            other = _object(one.get(side)).get("key")
            if isinstance(other, str):
                yield kind, other


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping):
            yield one


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
