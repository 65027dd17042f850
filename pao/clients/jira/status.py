"""What a ticket's status means for the request: by its category first, then by names."""

from collections.abc import Mapping
from typing import Any

from pao.clients.jira.models import TicketStatus
from pao.core.states import RequestStatus

_CATEGORIES: dict[str, RequestStatus] = {
    "new": RequestStatus.SUBMITTED,
    "indeterminate": RequestStatus.IN_PROGRESS,
    "done": RequestStatus.COMPLETED,
}

_NAMES: dict[str, RequestStatus] = {
    "open": RequestStatus.SUBMITTED,
    "to do": RequestStatus.SUBMITTED,
    "backlog": RequestStatus.SUBMITTED,
    "in progress": RequestStatus.IN_PROGRESS,
    "in review": RequestStatus.IN_PROGRESS,
    "testing": RequestStatus.IN_PROGRESS,
    "done": RequestStatus.COMPLETED,
    "closed": RequestStatus.COMPLETED,
    "resolved": RequestStatus.COMPLETED,
    "won't do": RequestStatus.FAILED,
    "won't fix": RequestStatus.FAILED,
    "cancelled": RequestStatus.FAILED,
    "canceled": RequestStatus.FAILED,
    "rejected": RequestStatus.FAILED,
}


def ticket_status(
    fields: Mapping[str, Any], overrides: Mapping[str, RequestStatus]
) -> TicketStatus:
    """Read status and resolution from an issue's fields and say what they mean.

    The category decides whether a ticket is done, never a name. A ticket that is done has failed
    if its status or its resolution has a name for that: JIRA often keeps "Won't Do" as the
    resolution of "Done".
    """
    status = _mapping(fields.get("status"))
    name = str(status.get("name") or "")
    category = str(_mapping(status.get("statusCategory")).get("key") or "")
    resolution = _mapping(fields.get("resolution")).get("name")
    meaning = _meaning(category, (name, str(resolution or "")), overrides)
    return TicketStatus(
        status=name,
        category_key=category,
        resolution=str(resolution) if resolution else None,
        mapped_status=meaning or RequestStatus.SUBMITTED,
        mapped=meaning is not None,
    )


def _meaning(
    category: str, names: tuple[str, str], overrides: Mapping[str, RequestStatus]
) -> RequestStatus | None:
    own = {_normalize(name): meaning for name, meaning in overrides.items()}
    by_category = _CATEGORIES.get(category)
    chosen = own.get(_normalize(names[0]))
    if chosen is not None and _may_override(chosen, by_category):
        return chosen
    if by_category is None:
        return _NAMES.get(_normalize(names[0]))
    known = {**_NAMES, **own}
    refused = any(known.get(_normalize(name)) is RequestStatus.FAILED for name in names)
    if by_category is RequestStatus.COMPLETED and refused:
        return RequestStatus.FAILED
    return by_category


def _may_override(chosen: RequestStatus, by_category: RequestStatus | None) -> bool:
    """Return whether a name may override the category: it never makes an open ticket done."""
    if chosen is not RequestStatus.COMPLETED:
        return True
    return by_category in {None, RequestStatus.COMPLETED}


def _normalize(name: str) -> str:
    return name.replace("’", "'").strip().casefold()  # noqa: RUF001 -- JIRA's typographic apostrophe


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
