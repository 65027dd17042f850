"""The client of GitLab, as far as a catalog needs it."""

from pao.clients.gitlab.client import (
    GitLabBranchMissingError,
    GitLabCommit,
    GitLabInstance,
    GitLabProject,
    TreeItem,
)
from pao.clients.gitlab.gitlab_errors import GitLabError

__all__ = [
    "GitLabBranchMissingError",
    "GitLabCommit",
    "GitLabError",
    "GitLabInstance",
    "GitLabProject",
    "TreeItem",
]
