"""What the JIRA client is told and what it answers; no input or output happens here."""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from pydantic import SecretStr

from pao.core.states import RequestStatus

MASK = "***"


class JiraFlavour(StrEnum):
    """Which JIRA stands behind an instance: Cloud speaks REST v3 and ADF, Data Center v2."""

    CLOUD = "cloud"
    DATACENTER = "datacenter"


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User name with a password (Data Center) or e-mail with an API token (Cloud)."""

    username: str
    token: SecretStr

    def mask(self, text: str) -> str:
        """Return the text without the token, plain or encoded, should a proxy have echoed it."""
        token = self.token.get_secret_value()
        encoded = base64.b64encode(f"{self.username}:{token}".encode()).decode()
        return _without(_without(text, encoded), token)


@dataclass(frozen=True, slots=True)
class PatAuth:
    """A personal access token of Data Center, sent as a bearer token."""

    token: SecretStr

    def mask(self, text: str) -> str:
        """Return the text without the token, should a proxy have echoed it."""
        return _without(text, self.token.get_secret_value())


JiraAuth = BasicAuth | PatAuth


def _without(text: str, secret: str) -> str:
    return text.replace(secret, MASK) if secret else text


@dataclass(frozen=True, slots=True)
class JiraInstance:
    """One JIRA that PAO may talk to. Timeouts are seconds; the total bounds a whole call.

    ``status_mapping`` names statuses of this instance, beside the common ones, by what they mean
    for a request; names are compared without regard to case.
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

    def browse_url(self, key: str) -> str:
        """Return the address at which a person reads the ticket."""
        return f"{self.base_url.rstrip('/')}/browse/{key}"


@dataclass(frozen=True, slots=True)
class CreatedIssue:
    """A ticket that exists: its key, JIRA's own id, and the page for people."""

    key: str
    id: str
    url: str


@dataclass(frozen=True, slots=True)
class TicketStatus:
    """Where a ticket stands in JIRA's words, and what that means for the request.

    ``mapped`` is false where neither category nor name is known: then the ticket counts as
    submitted.
    """

    status: str
    category_key: str
    resolution: str | None
    mapped_status: RequestStatus
    mapped: bool


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a JIRA says about itself."""

    version: str
    deployment: str
    base_url: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment (monotonic seconds) after which nothing may be sent any more.

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
