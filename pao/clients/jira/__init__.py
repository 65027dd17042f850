"""The client of JIRA Cloud and Data Center; import from here."""

from pao.clients.jira.auth import BasicAuth, JiraAuth, OAuth2Auth, PatAuth
from pao.clients.jira.client import JiraClient
from pao.clients.jira.jira_errors import (
    JiraError,
    JiraOutcomeUnknownError,
    JiraRefusedError,
    JiraTooEarlyError,
    JiraUnreachableError,
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
    "JiraOutcomeUnknownError",
    "JiraRefusedError",
    "JiraTooEarlyError",
    "JiraUnreachableError",
    "OAuth2Auth",
    "PatAuth",
    "ServerInfo",
    "TicketParts",
    "TicketStatus",
]
