"""The client of GitLab, as far as a catalog needs it."""

from pao.clients.gitlab.client import (
    Branch,
    GitLabInstance,
    GitLabProject,
    NoBranchError,
    TreeItem,
)
from pao.clients.gitlab.gitlab_errors import GitLabError

__all__ = [
    "Branch",
    "GitLabError",
    "GitLabInstance",
    "GitLabProject",
    "NoBranchError",
    "TreeItem",
]
