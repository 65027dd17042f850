"""The client of github.com and GitHub Enterprise Server; import from here."""

from pao.clients.github.answers import GitHubCommit, GitHubTreeEntry, PullRequest, WorkflowRun
from pao.clients.github.auth import AppAuth, GitHubAuth, TokenAuth
from pao.clients.github.client import PAGE, GitHubClient
from pao.clients.github.github_errors import (
    GitHubError,
    GitHubOutcomeUnknownError,
    GitHubRefusedError,
)
from pao.clients.github.instances import (
    GitHubFlavour,
    GitHubInstance,
    GitHubInstances,
    flavour_of,
)
from pao.clients.github.wire import GitHubRequest, GitHubResponse, Send

__all__ = [
    "PAGE",
    "AppAuth",
    "GitHubAuth",
    "GitHubClient",
    "GitHubCommit",
    "GitHubError",
    "GitHubFlavour",
    "GitHubInstance",
    "GitHubInstances",
    "GitHubOutcomeUnknownError",
    "GitHubRefusedError",
    "GitHubRequest",
    "GitHubResponse",
    "GitHubTreeEntry",
    "PullRequest",
    "Send",
    "TokenAuth",
    "WorkflowRun",
    "flavour_of",
]
