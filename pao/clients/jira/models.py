"""The JIRA client's inputs and results. No I/O here."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from pao.clients.jira.auth import JiraAuth
from pao.core.states import RequestStatus


class JiraFlavour(StrEnum):
    """The product of an instance: Cloud uses REST v3 and ADF, Data Center v2."""

    CLOUD = "cloud"
    DATACENTER = "datacenter"


# Cloud's search is eventually consistent; Data Center's nodes index at once, and notify one another
# within seconds.
DEFAULT_LAG = {JiraFlavour.CLOUD: 60.0, JiraFlavour.DATACENTER: 5.0}


@dataclass(frozen=True, slots=True)
class JiraInstance:
    """One JIRA that PAO may talk to. Timeouts are seconds; the total bounds a whole call.

    ``projects`` are those whose tickets go here, beside ``default_project``. ``status_mapping``
    names statuses of this instance, over the common ones, by what they mean for a request; names
    are compared without regard to case. ``site_url`` is where people read tickets, where that is
    another address than the one of the API; ``ca_file`` holds the authorities to trust.
    ``search_lag`` is how many seconds its search may be behind its tickets; None: the
    default of its flavour. ``alone`` says that no other JIRA is configured.
    """

    name: str
    base_url: str
    flavour: JiraFlavour
    auth: JiraAuth
    default_project: str
    connect_timeout: float = 2.0
    total_timeout: float = 8.0
    status_mapping: Mapping[str, RequestStatus] = field(
        default_factory=lambda: MappingProxyType({})
    )
    projects: tuple[str, ...] = ()
    site_url: str | None = None
    ca_file: str | None = None
    search_lag: float | None = None
    alone: bool = False

    @property
    def title(self) -> str:
        """Its name for people; without the configured name if it is the only one."""
        return "JIRA" if self.alone else f'JIRA "{self.name}"'

    @property
    def target(self) -> str:
        """Its name among the targets of circuit breakers."""
        return f"jira:{self.name}"

    @property
    def index_lag(self) -> float:
        """After how many seconds its search certainly shows a ticket."""
        return DEFAULT_LAG[self.flavour] if self.search_lag is None else self.search_lag

    @property
    def site(self) -> str:
        """The address of the pages for people, without a slash at its end."""
        return (self.site_url or self.base_url).rstrip("/")

    def browse_url(self, key: str) -> str:
        """Return the address at which a person reads the ticket."""
        return f"{self.site}/browse/{key}"

    def serves(self, project: str | None) -> bool:
        """Return whether tickets of a project go here."""
        return bool(project) and project in {self.default_project, *self.projects}


@dataclass(frozen=True, slots=True)
class CreatedIssue:
    """A ticket that exists: its key, JIRA's own id, and the page for people."""

    key: str
    id: str
    url: str


@dataclass(frozen=True, slots=True)
class TicketStatus:
    """A ticket's status in JIRA, and what it means for the request.

    ``mapped`` is false where neither category nor name is known: then the ticket counts as
    submitted.
    """

    status: str
    category_key: str
    resolution: str | None
    mapped_status: RequestStatus
    mapped: bool

    @property
    def resolved(self) -> bool:
        """Return whether the ticket is resolved, with or without success."""
        return self.mapped_status in {RequestStatus.COMPLETED, RequestStatus.FAILED}

    @property
    def refused(self) -> bool:
        """Return whether it ended without being done, as by "Won't Do"."""
        return self.mapped_status is RequestStatus.FAILED


@dataclass(frozen=True, slots=True)
class TicketParts:
    """The attachments of a ticket by name and size in bytes, and its links by type and ticket.

    Types are in small letters; a link counts in whichever direction it points.
    """

    attachments: frozenset[tuple[str, int]] = frozenset()
    links: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a JIRA says about itself."""

    version: str
    deployment: str
    base_url: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment (monotonic seconds) after which nothing may be sent.

    Several calls share one, so that a look and the creation after it stay within one budget.
    """

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds that are left; 0 when the deadline has passed."""
        return max(0.0, self.at - time.monotonic())

    def or_earlier(self, other: "Deadline | None") -> "Deadline":
        """Return whichever comes first."""
        return self if other is None or self.at <= other.at else other
