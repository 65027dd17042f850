"""What a list of requests is narrowed to, how it is sorted, and on whose behalf it is read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.repositories import approvers
from pao.core.states import RequestStatus


class Sort(StrEnum):
    """``created``: newest first. ``waiting``: failed requests, the oldest first."""

    CREATED = "created"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """On whose behalf a list is read."""

    user_id: str
    teams: tuple[str, ...] = ()
    admin: bool = False
    email: str | None = None

    @property
    def asked(self) -> list[str]:
        """The viewers that stand for somebody who was asked to approve."""
        return approvers.viewers(self.user_id, self.email, self.teams)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilters:
    """What a list is narrowed to. ``since`` is included, ``until`` is not.

    ``team`` is a team that the submitter had. Without ``parent`` or ``external_reference`` the
    children of bundles are left out; their parent is listed.
    """

    statuses: tuple[RequestStatus, ...] = ()
    catalog_item_id: str | None = None
    user_id: str | None = None
    team: str | None = None
    correlation_id: str | None = None
    external_reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    parent: str | None = None
    decidable: bool = False
    sort: Sort = Sort.CREATED
