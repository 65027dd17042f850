"""The client of github.com and GitHub Enterprise Server; import from here."""

from pao.clients.github.answers import Commit, Entry, PullRequest, Run
from pao.clients.github.auth import AppAuth, GitHubAuth, TokenAuth
from pao.clients.github.client import PAGE, GitHub
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
from pao.clients.github.wire import GitHubResponse, Outbound, Send

__all__ = [
    "PAGE",
    "AppAuth",
    "Commit",
    "Entry",
    "GitHub",
    "GitHubAuth",
    "GitHubError",
    "GitHubFlavour",
    "GitHubInstance",
    "GitHubInstances",
    "GitHubOutcomeUnknownError",
    "GitHubRefusedError",
    "GitHubResponse",
    "Outbound",
    "PullRequest",
    "Run",
    "Send",
    "TokenAuth",
    "flavour_of",
]
