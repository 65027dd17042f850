"""The client of github.com and GitHub Enterprise Server; import from here."""

from pao.clients.github.answers import Commit, Entry, PullRequest, Run
from pao.clients.github.auth import AppAuth, GitHubAuth, TokenAuth
from pao.clients.github.client import GitHub
from pao.clients.github.errors import GitHubError, GitHubOutcomeUnknown, GitHubRefused
from pao.clients.github.instances import (
    GitHubFlavour,
    GitHubInstance,
    GitHubInstances,
    flavour_of,
)
from pao.clients.github.wire import Answered, Outbound, Send

__all__ = [
    "Answered",
    "AppAuth",
    "Commit",
    "Entry",
    "GitHub",
    "GitHubAuth",
    "GitHubError",
    "GitHubFlavour",
    "GitHubInstance",
    "GitHubInstances",
    "GitHubOutcomeUnknown",
    "GitHubRefused",
    "Outbound",
    "PullRequest",
    "Run",
    "Send",
    "TokenAuth",
    "flavour_of",
]
