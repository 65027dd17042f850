"""Filters and sort order of the list of requests."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pao.core.failure_classes import Cause
from pao.core.states import RequestStatus


class Sort(StrEnum):
    """``created``: newest first. ``waiting``: what waits for a decision, the longest first."""

    CREATED = "created"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilters:
    """The filters of a list. ``since`` is included, ``until`` is not.

    ``team`` is a team that the submitter had; a request has every one of ``tags``. ``text`` is what
    a person remembers: words of the title, the item or a tag by their beginnings, a ticket key, or
    the beginning of an id. Without ``parent`` or ``external_reference`` the children of bundles are
    left out; their parent is listed. Without ``as_admin`` an admin's further rights do not count.
    ``waiting_after`` leaves what has begun to wait after a moment.
    """

    statuses: tuple[RequestStatus, ...] = ()
    causes: tuple[Cause, ...] = ()
    tags: tuple[str, ...] = ()
    text: str | None = None
    catalog_item_id: str | None = None
    user_id: str | None = None
    team: str | None = None
    correlation_id: str | None = None
    external_reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    parent: str | None = None
    decidable: bool = False
    as_admin: bool = True
    waiting_after: datetime | None = None
    sort: Sort = Sort.CREATED
