"""The operator's options for GitHub: its servers, and how runs are polled."""

from dataclasses import dataclass, field

from pao.clients.github import GitHubInstances


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubOptions:
    """The configured servers and, in seconds, the intervals of polling.

    A run is asked for every ``poll_first``, growing up to ``poll_most``; GitHub lists a new run
    after ``listing_lag`` at the latest.
    """

    instances: GitHubInstances = field(default_factory=GitHubInstances)
    poll_first: float = 2.0
    poll_most: float = 30.0
    listing_lag: float = 4.0
