"""Reports about a commit: check runs by an App, statuses by a token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pao.clients.github.answers import UnreadableAnswerError
from pao.clients.github.repository import Repository
from pao.clients.github.wire import GitHubCall

MOST_ANNOTATIONS = 50
"""How many annotations one call may carry."""
MOST_DESCRIPTION = 140
_CREATED = frozenset({201})


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run: its id, its creator's id for it, and whether it is completed."""

    id: int
    external_id: str
    is_completed: bool


class CommitChecks:
    """The checks of one repository; raises what its ``Repository`` raises."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._root = repository.root

    async def latest(self, sha: str, name: str) -> CheckRun | None:
        """Return the newest check run of that name at a commit."""
        call = GitHubCall(
            doing=f"list the check runs of {sha}",
            method="GET",
            path=f"{self._root}/commits/{sha}/check-runs",
            query={"check_name": name, "filter": "latest", "per_page": "1"},
        )
        return await self._repository.calls.ask(call, _read_first_run)

    async def create(self, run: Mapping[str, Any]) -> CheckRun:
        """Create a check run and return it."""
        call = GitHubCall(
            doing=f"create a check run in {self._repository.name}",
            method="POST",
            path=f"{self._root}/check-runs",
            body=run,
            expected=_CREATED,
            effect=True,
        )
        return await self._repository.calls.ask(call, _read_check_run)

    async def update(self, number: int, change: Mapping[str, Any]) -> None:
        """Change a check run; annotations are added to the existing ones."""
        call = GitHubCall(
            doing=f"change the check run {number}",
            method="PATCH",
            path=f"{self._root}/check-runs/{number}",
            body=change,
            effect=True,
        )
        await self._repository.calls.ask(call, _read_check_run)

    async def set_status(self, sha: str, status: Mapping[str, Any]) -> None:
        """Set the status of a commit."""
        call = GitHubCall(
            doing=f"set the status of the commit {sha}",
            method="POST",
            path=f"{self._root}/statuses/{sha}",
            body=status,
            expected=_CREATED,
            effect=True,
        )
        await self._repository.calls.ask(call, lambda _: None)


def _read_check_run(document: Any) -> CheckRun:
    try:
        return CheckRun(
            int(document["id"]),
            str(document.get("external_id") or ""),
            document.get("status") == "completed",
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableAnswerError from error


def _read_first_run(document: Any) -> CheckRun | None:
    try:
        runs: Sequence[Any] = document["check_runs"]
        return _read_check_run(runs[0]) if runs else None
    except (KeyError, TypeError, IndexError) as error:
        raise UnreadableAnswerError from error
