"""The payloads of events, with the parts of GitHub's own that receivers rely on."""

from typing import Any

from sandbox.github.deliveries import NOBODY
from sandbox.kit.git import Git


def push_payload(
    git: Git, repository: dict[str, Any], ref: str, *, before: str | None, after: str | None
) -> dict[str, Any]:
    """Return the payload about a reference that moved, was created or was deleted."""
    name = repository["full_name"]
    past = [sha for sha, _ in git.log(name, after)] if after else []
    fresh = past[: past.index(before)] if before in past else past[:20]
    commits = [_commit(git, name, sha) for sha in reversed(fresh[:2048])]
    return {
        "ref": f"refs/{ref}",
        "before": before or NOBODY,
        "after": after or NOBODY,
        "created": before is None,
        "deleted": after is None,
        "forced": bool(before and after and before not in past),
        "base_ref": None,
        "compare": "",
        "commits": commits,
        "head_commit": commits[-1] if commits else None,
        "repository": repository_shape(repository),
        "pusher": {"name": "ann", "email": "ann@users.noreply.example.com"},
        "sender": {"login": "ann", "id": 1, "type": "User"},
    }


def pull_payload(repository: dict[str, Any], pull: dict[str, Any], action: str) -> dict[str, Any]:
    """Return the payload about a pull request."""
    return {
        "action": action,
        "number": pull["number"],
        "pull_request": pull,
        "repository": repository_shape(repository),
        "sender": {"login": "ann", "id": 1, "type": "User"},
    }


def check_payload(repository: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """Return the payload by which an App is asked to repeat its check run."""
    return {
        "action": "rerequested",
        "check_run": run,
        "repository": repository_shape(repository),
        "sender": {"login": "ann", "id": 1, "type": "User"},
    }


def repository_shape(repository: dict[str, Any]) -> dict[str, Any]:
    """Return a repository as events describe it."""
    owner, _, name = repository["full_name"].partition("/")
    return {
        "id": 1,
        "name": name,
        "full_name": repository["full_name"],
        "private": True,
        "fork": False,
        "owner": {"login": owner, "name": owner, "id": 2, "type": "Organization"},
        "default_branch": repository["default_branch"],
    }


def _commit(git: Git, name: str, sha: str) -> dict[str, Any]:
    commit = git.commit(name, sha) or {}
    return {
        "id": sha,
        "tree_id": commit["tree"],
        "message": commit["message"],
        "timestamp": commit["who"]["date"],
        "author": commit["who"],
        "committer": commit["who"],
        "added": [],
        "removed": [],
        "modified": [],
    }
