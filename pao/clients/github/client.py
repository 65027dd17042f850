"""The GitHub client: one server, one repository, one method per REST call."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from pao.clients.github import answers
from pao.clients.github.answers import (
    FailedStep,
    GitHubCommit,
    GitHubTreeEntry,
    PullRequest,
    WorkflowRun,
)
from pao.clients.github.auth import Remaining
from pao.clients.github.authorized_calls import AuthorizedCalls
from pao.clients.github.github_errors import GitHubRefusedError
from pao.clients.github.instances import GitHubInstance
from pao.clients.github.wire import GitHubCall, Send
from pao.core.failure_classes import HIDDEN

T = TypeVar("T")

PAGE = 100

_CREATED = frozenset({201})
_NOT_FOUND, _CONFLICT = 404, 409
# GitHub answers 409 for a branch of an empty repository.
_ABSENT = frozenset({_NOT_FOUND, _CONFLICT})


class GitHubClient:
    """The client of one repository; requests are sent by ``send``.

    Methods raise GitHubRefusedError, those with an effect also GitHubOutcomeUnknownError, and
    whatever ``send`` raises. Nothing is retried, except one call with a new token if an App's
    token was refused. ``learn`` gets every token that is used, to mask it. ``remaining`` limits
    the wait for a token that another task is fetching.
    """

    def __init__(
        self,
        instance: GitHubInstance,
        repository: str,
        *,
        send: Send,
        learn: Callable[[str], None] = lambda _token: None,
        remaining: Remaining | None = None,
    ) -> None:
        self.instance = instance
        self.repository = repository
        self._calls = AuthorizedCalls(
            instance, repository, send=send, learn=learn, remaining=remaining
        )
        self._root = f"/repos/{repository}"

    async def default_branch(self) -> str:
        """Return the name of the repository's default branch."""
        doing = f"read the repository {self.repository}"
        return await self._calls.ask(
            GitHubCall(doing=doing, method="GET", path=self._root), answers.read_default_branch
        )

    async def file(self, path: str, ref: str) -> bytes | None:
        """Return the content of a file; None if there is none."""
        call = GitHubCall(
            doing=f"read {path}",
            method="GET",
            path=f"{self._root}/contents/{quote(path)}",
            query={"ref": ref},
        )
        return await self._ask_optional(call, _decode_content)

    async def dispatch(
        self, workflow: str, ref: str, inputs: Mapping[str, str]
    ) -> WorkflowRun | None:
        """Start a workflow; return the run if the server reports it."""
        body: dict[str, Any] = {"ref": ref}
        if inputs:
            body["inputs"] = dict(inputs)
        if self.instance.returns_run:
            body["return_run_details"] = True
        call = GitHubCall(
            doing=f"start the workflow {workflow} of {self.repository} on {ref}",
            method="POST",
            path=f"{self._root}/actions/workflows/{quote(workflow, safe='')}/dispatches",
            body=body,
            expected=frozenset({200, 204}),
            effect=True,
        )
        return await self._calls.ask(
            call, lambda found: found and answers.read_dispatched_run(found)
        )

    async def runs(
        self, workflow: str, ref: str | None, since: str, page: int
    ) -> list[WorkflowRun]:
        """Return a page of the runs by dispatch since a moment, newest first; None: on any ref."""
        query = {
            "event": "workflow_dispatch",
            "created": f">={since}",
            "per_page": str(PAGE),
            "page": str(page),
        }
        call = GitHubCall(
            doing=f"list the runs of {workflow} in {self.repository}",
            method="GET",
            path=f"{self._root}/actions/workflows/{quote(workflow, safe='')}/runs",
            query=query | ({"branch": ref} if ref else {}),
        )
        return await self._calls.ask(call, answers.read_runs)

    async def run(self, number: int) -> WorkflowRun:
        """Return a run; one that is gone raises GitHubRefusedError with status 404."""
        path = f"{self._root}/actions/runs/{number}"
        call = GitHubCall(doing=f"read the run {number}", method="GET", path=path)
        try:
            return await self._calls.ask(call, answers.read_run)
        except GitHubRefusedError as error:
            if error.status == _NOT_FOUND:
                await self._require_repository()
            raise

    async def failed_steps(self, number: int) -> list[FailedStep]:
        """Return the jobs and steps of a run that failed."""
        call = GitHubCall(
            doing=f"read the jobs of run {number}",
            method="GET",
            path=f"{self._root}/actions/runs/{number}/jobs",
            query={"filter": "latest", "per_page": "100"},
        )
        return await self._calls.ask(call, answers.read_failed_steps)

    async def cancel(self, number: int) -> None:
        """Cancel a run; does nothing if it has ended."""
        call = GitHubCall(
            doing=f"cancel the run {number}",
            method="POST",
            path=f"{self._root}/actions/runs/{number}/cancel",
            expected=frozenset({202, _CONFLICT}),
            effect=True,
        )
        await self._calls.ask(call, lambda _: None)

    async def branch(self, name: str) -> str | None:
        """Return the commit at the tip of a branch; None if there is no such branch."""
        call = GitHubCall(
            doing=f"read the branch {name} of {self.repository}",
            method="GET",
            path=f"{self._root}/git/ref/heads/{quote(name)}",
        )
        return await self._ask_optional(call, answers.read_ref, absent=_ABSENT)

    async def commit(self, sha: str) -> GitHubCommit:
        """Return a commit."""
        path = f"{self._root}/git/commits/{sha}"
        call = GitHubCall(doing=f"read the commit {sha}", method="GET", path=path)
        return await self._calls.ask(call, answers.read_commit)

    async def commits(self, branch: str, since: str, page: int) -> list[GitHubCommit]:
        """Return a page of a branch's commits since a moment, newest first; [] without it."""
        call = GitHubCall(
            doing=f"list the commits of {branch} in {self.repository}",
            method="GET",
            path=f"{self._root}/commits",
            query={"sha": branch, "since": since, "per_page": str(PAGE), "page": str(page)},
        )
        return await self._ask_optional(call, answers.read_commits, absent=_ABSENT) or []

    async def is_empty(self) -> bool:
        """Return whether the repository has no commit, for which GitHub answers 409."""
        call = GitHubCall(
            doing=f"list the commits of {self.repository}",
            method="GET",
            path=f"{self._root}/commits",
            query={"per_page": "1"},
        )
        found = await self._ask_optional(call, answers.read_commits, absent=frozenset({_CONFLICT}))
        return found is None

    async def create_first_commit(self, path: str, content: bytes, message: str) -> str:
        """Create the first commit of an empty repository, with one file; return its hash."""
        call = GitHubCall(
            doing=f"make the first commit in {self.repository}",
            method="PUT",
            path=f"{self._root}/contents/{quote(path)}",
            body={"message": message, "content": base64.b64encode(content).decode()},
            expected=_CREATED,
            effect=True,
        )
        return await self._calls.ask(call, answers.read_file_commit)

    async def tree(self, sha: str) -> dict[str, GitHubTreeEntry]:
        """Return the entries of one directory by name."""
        path = f"{self._root}/git/trees/{sha}"
        call = GitHubCall(doing=f"read the directory {sha}", method="GET", path=path)
        return await self._calls.ask(call, answers.read_tree)

    async def create_blob(self, content: bytes) -> str:
        """Store the content of a file; return its hash."""
        encoded = base64.b64encode(content).decode()
        call = self._git_data_call(
            "blobs", "store a file", {"content": encoded, "encoding": "base64"}
        )
        return await self._calls.ask(call, answers.read_sha)

    async def create_tree(self, base: str, entries: Sequence[Mapping[str, Any]]) -> str:
        """Store a tree that differs from another by these entries; return its hash."""
        body = {"base_tree": base, "tree": list(entries)}
        return await self._calls.ask(
            self._git_data_call("trees", "store the tree", body), answers.read_sha
        )

    async def create_commit(self, message: str, tree: str, parent: str) -> GitHubCommit:
        """Store and return a commit, which is on no branch yet."""
        body = {"message": message, "tree": tree, "parents": [parent]}
        return await self._calls.ask(
            self._git_data_call("commits", "store the commit", body), answers.read_commit
        )

    async def create_branch(self, name: str, sha: str) -> None:
        """Create a branch at a commit; refused if the branch exists."""
        call = GitHubCall(
            doing=f"create the branch {name} of {self.repository}",
            method="POST",
            path=f"{self._root}/git/refs",
            body={"ref": f"refs/heads/{name}", "sha": sha},
            expected=_CREATED,
            effect=True,
        )
        await self._calls.ask(call, answers.read_ref)

    async def move_branch(self, name: str, sha: str) -> None:
        """Move a branch forward to a commit; refused unless it descends from the tip."""
        call = GitHubCall(
            doing=f"put the commit on the branch {name} of {self.repository}",
            method="PATCH",
            path=f"{self._root}/git/refs/heads/{quote(name)}",
            body={"sha": sha, "force": False},
            effect=True,
        )
        await self._calls.ask(call, answers.read_ref)

    async def pull_requests(self, head: str, base: str) -> list[PullRequest]:
        """Return the pull requests from one branch into another, open or not, newest first."""
        owner = self.repository.partition("/")[0]
        call = GitHubCall(
            doing=f"list the pull requests of {self.repository}",
            method="GET",
            path=f"{self._root}/pulls",
            query={"state": "all", "head": f"{owner}:{head}", "base": base, "per_page": "100"},
        )
        return await self._calls.ask(call, answers.read_pulls)

    async def create_pull_request(
        self, head: str, base: str, *, title: str, body: str
    ) -> PullRequest:
        """Open a pull request."""
        call = GitHubCall(
            doing=f"open a pull request from {head} into {base} of {self.repository}",
            method="POST",
            path=f"{self._root}/pulls",
            body={"title": title, "head": head, "base": base, "body": body},
            expected=_CREATED,
            effect=True,
        )
        return await self._calls.ask(call, answers.read_pull)

    async def request_review(
        self, number: int, *, users: Sequence[str], teams: Sequence[str]
    ) -> None:
        """Request reviews; earlier requests stay."""
        call = GitHubCall(
            doing=f"ask for reviews of pull request {number} of {self.repository}",
            method="POST",
            path=f"{self._root}/pulls/{number}/requested_reviewers",
            body={"reviewers": list(users), "team_reviewers": list(teams)},
            expected=_CREATED,
            effect=True,
        )
        await self._calls.ask(call, answers.read_pull)

    def _git_data_call(self, what: str, doing: str, body: Mapping[str, Any]) -> GitHubCall:
        return GitHubCall(
            doing=f"{doing} in {self.repository}",
            method="POST",
            path=f"{self._root}/git/{what}",
            body=body,
            expected=_CREATED,
            effect=True,
        )

    async def _ask_optional(
        self,
        call: GitHubCall,
        read: Callable[[Any], T],
        *,
        absent: frozenset[int] = frozenset({_NOT_FOUND}),
    ) -> T | None:
        try:
            return await self._calls.ask(call, read)
        except GitHubRefusedError as error:
            if error.status not in absent:
                raise
            gone = error.status == _NOT_FOUND
        if gone:
            await self._require_repository()
        return None

    async def _require_repository(self) -> None:
        """Raise if the repository is not visible: a 404 then says nothing about its contents."""
        call = GitHubCall(
            doing=f"see the repository {self.repository}", method="GET", path=self._root
        )
        try:
            await self._calls.ask(call, lambda _: None)
        except GitHubRefusedError as error:
            if error.status == _NOT_FOUND:
                error.judged = HIDDEN
            raise


def _decode_content(document: Any) -> bytes:
    try:
        # The content of a large file is empty, without an encoding.
        if document["encoding"] != "base64":
            raise answers.UnreadableAnswerError
        return base64.b64decode(document["content"])
    except (KeyError, TypeError, binascii.Error) as error:
        raise answers.UnreadableAnswerError from error
