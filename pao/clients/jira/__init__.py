"""The client of JIRA Cloud and Data Center; import from here."""

from pao.clients.jira.auth import BasicAuth, JiraAuth, OAuth2Auth, PatAuth
from pao.clients.jira.client import JiraClient
from pao.clients.jira.errors import (
    JiraError,
    JiraOutcomeUnknown,
    JiraRefused,
    JiraTooEarly,
    JiraUnreachable,
)
from pao.clients.jira.models import (
    CreatedIssue,
    Deadline,
    JiraFlavour,
    JiraInstance,
    ServerInfo,
    TicketParts,
    TicketStatus,
)

__all__ = [
    "BasicAuth",
    "CreatedIssue",
    "Deadline",
    "JiraAuth",
    "JiraClient",
    "JiraError",
    "JiraFlavour",
    "JiraInstance",
    "JiraOutcomeUnknown",
    "JiraRefused",
    "JiraTooEarly",
    "JiraUnreachable",
    "OAuth2Auth",
    "PatAuth",
    "ServerInfo",
    "TicketParts",
    "TicketStatus",
]
