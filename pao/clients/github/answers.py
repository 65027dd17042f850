"""Reads GitHub's responses into the few types that PAO needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class UnreadableAnswerError(Exception):
    """The document is not a valid response of GitHub."""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run of a workflow; ``title`` is its rendered run-name."""

    id: int
    url: str
    title: str = ""
    status: str = "queued"
    conclusion: str | None = None

    @property
    def done(self) -> bool:
        """Whether it has ended, with or without success."""
        return self.status == "completed"


@dataclass(frozen=True, slots=True)
class GitHubCommit:
    """A commit, its tree and its message."""

    sha: str
    tree: str
    message: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class GitHubTreeEntry:
    """One entry of a directory: its type is blob, tree or commit (a submodule)."""

    path: str
    mode: str
    type: str
    sha: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request, whether it was merged, and who was asked to review it."""

    number: int
    url: str
    state: str
    body: str
    merged: bool = False
    head_sha: str = ""
    reviewers: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FailedStep:
    """Where a run failed."""

    job: str
    step: str | None
    conclusion: str
    url: str


def read_run(document: Any) -> WorkflowRun:
    """Return a run, from a list or alone."""
    return WorkflowRun(
        id=_number(document, "id"),
        url=_text(document, "html_url"),
        title=str(document.get("display_title") or ""),
        status=_text(document, "status"),
        conclusion=document.get("conclusion"),
    )


def read_dispatched_run(document: Any) -> WorkflowRun:
    """Return the run in the response to a dispatch."""
    return WorkflowRun(id=_number(document, "workflow_run_id"), url=_text(document, "html_url"))


def read_runs(document: Any) -> list[WorkflowRun]:
    """Return a page of runs."""
    return [read_run(run) for run in _list(_object(document).get("workflow_runs"))]


def read_failed_steps(document: Any) -> list[FailedStep]:
    """Return the failed jobs of a run, each with its first failed step."""
    jobs = _list(_object(document).get("jobs"))
    return [_read_failed_step(job) for job in jobs if _has_failed(_object(job))]


def _read_failed_step(job: Mapping[str, Any]) -> FailedStep:
    steps = job.get("steps")
    bad = [step for step in steps if _has_failed(_object(step))] if isinstance(steps, list) else []
    return FailedStep(
        job=str(job.get("name")),
        step=str(bad[0].get("name")) if bad else None,
        conclusion=str(job.get("conclusion")),
        url=str(job.get("html_url") or ""),
    )


def _has_failed(part: Mapping[str, Any]) -> bool:
    return part.get("conclusion") not in {None, "success", "skipped", "neutral"}


def read_ref(document: Any) -> str:
    """Return the commit that a reference points to."""
    return _text(_object(document).get("object"), "sha")


def read_sha(document: Any) -> str:
    """Return the hash of a created object."""
    return _text(document, "sha")


def read_file_commit(document: Any) -> str:
    """Return the commit that has written a file."""
    return _text(_object(document).get("commit"), "sha")


def read_commit(document: Any) -> GitHubCommit:
    """Return a commit of the Git data API."""
    return GitHubCommit(
        sha=_text(document, "sha"),
        tree=_text(document.get("tree"), "sha"),
        message=str(document.get("message") or ""),
        url=str(document.get("html_url") or ""),
    )


def read_commits(document: Any) -> list[GitHubCommit]:
    """Return a page of a branch's commits."""
    return [_read_listed_commit(_object(commit)) for commit in _list(document)]


def _read_listed_commit(document: Mapping[str, Any]) -> GitHubCommit:
    inner = _object(document.get("commit"))
    return GitHubCommit(
        sha=_text(document, "sha"),
        tree=_text(inner.get("tree"), "sha"),
        message=str(inner.get("message") or ""),
        url=str(document.get("html_url") or ""),
    )


def read_tree(document: Any) -> dict[str, GitHubTreeEntry]:
    """Return the entries of one directory by name; raises if they are truncated."""
    if _object(document).get("truncated"):
        raise UnreadableAnswerError
    entries = [
        GitHubTreeEntry(*(_text(entry, key) for key in ("path", "mode", "type", "sha")))
        for entry in _list(_object(document).get("tree"))
    ]
    return {entry.path: entry for entry in entries}


def read_default_branch(document: Any) -> str:
    """Return the default branch of a repository."""
    return _text(document, "default_branch")


def read_pull(document: Any) -> PullRequest:
    """Return a pull request, from a list or alone."""
    return PullRequest(
        number=_number(document, "number"),
        url=_text(document, "html_url"),
        state=_text(document, "state"),
        body=str(document.get("body") or ""),
        merged=bool(document.get("merged_at")),
        head_sha=_text(document.get("head"), "sha"),
        reviewers=_names(document.get("requested_reviewers"), "login"),
        teams=_names(document.get("requested_teams"), "slug"),
    )


def read_pulls(document: Any) -> list[PullRequest]:
    """Return a page of pull requests."""
    return [read_pull(pull) for pull in _list(document)]


def _names(there: Any, key: str) -> frozenset[str]:
    entries = there if isinstance(there, list) else []
    return frozenset(str(_object(entry).get(key)).lower() for entry in entries)


def _object(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise UnreadableAnswerError
    return document


def _list(document: Any) -> list[Any]:
    if not isinstance(document, list):
        raise UnreadableAnswerError
    return document


def _text(document: Any, key: str) -> str:
    value = _object(document).get(key)
    if not isinstance(value, str) or not value:
        raise UnreadableAnswerError
    return value


def _number(document: Any, key: str) -> int:
    value = _object(document).get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnreadableAnswerError
    return value
