"""The client of JIRA Cloud and Data Center; import from here."""

from pao.clients.jira.client import JiraClient
from pao.clients.jira.errors import (
    JiraError,
    JiraOutcomeUnknown,
    JiraRefused,
    JiraUnreachable,
)
from pao.clients.jira.models import (
    BasicAuth,
    CreatedIssue,
    Deadline,
    JiraAuth,
    JiraFlavour,
    JiraInstance,
    PatAuth,
    ServerInfo,
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
    "JiraUnreachable",
    "PatAuth",
    "ServerInfo",
    "TicketStatus",
]
