"""A repository, read by commits, trees and blobs; read-only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from pao.clients.github.answers import (
    GitHubTreeEntry,
    UnreadableAnswerError,
    read_default_branch,
    read_ref,
)
from pao.clients.github.authorized_calls import AuthorizedCalls
from pao.clients.github.github_errors import GitHubRefusedError, unreadable_answer
from pao.clients.github.instances import GitHubInstance
from pao.clients.github.wire import GitHubCall, GitHubResponse, Send
from pao.core.answers import parse_answer
from pao.core.failure_classes import FORBIDDEN, HIDDEN
from pao.core.timestamps import moment

T = TypeVar("T")

RAW = "application/vnd.github.raw+json"
# A tree has at most 100,000 entries and 7 MB; a blob that is read is no longer than a document.
_TREE_BYTES = 16 * 1024 * 1024
_NOT_FOUND, _CONFLICT, _NOT_MODIFIED = 404, 409, 304


@dataclass(frozen=True, slots=True)
class Tip:
    """The commit of a branch; with the ``etag`` the next call is free while it is unchanged."""

    sha: str
    etag: str | None


@dataclass(frozen=True, slots=True)
class GitHubCommitDetails:
    """A commit: its tree, and its facts for people."""

    sha: str
    tree: str
    subject: str
    author: str
    at: datetime | None
    url: str


@dataclass(frozen=True, slots=True)
class SizedTreeEntry(GitHubTreeEntry):
    """An entry of a tree with the length of its content, where it is a file."""

    size: int | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """The entries of a tree; a ``truncated`` one is incomplete."""

    entries: tuple[SizedTreeEntry, ...]
    truncated: bool


class GitHubBranchMissingError(LookupError):
    """The repository does not have the branch."""


class Repository:
    """Reads one repository; raises ``GitHubRefusedError`` and whatever ``send`` raises.

    ``learn`` gets every token that is used, to mask it.
    """

    def __init__(
        self,
        instance: GitHubInstance,
        name: str,
        *,
        send: Send,
        learn: Callable[[str], None] = lambda _token: None,
    ) -> None:
        self.instance = instance
        self.name = name
        self.calls = AuthorizedCalls(instance, name, send=send, learn=learn)
        self.root = f"/repos/{name}"

    async def tip(self, branch: str, known: str | None = None) -> Tip | None:
        """Return the tip of a branch; None if it still has the ``known`` entity tag.

        Raises ``GitHubBranchMissingError`` if there is no such branch, and ``LookupError`` if the
        repository is empty.
        """
        call = self._get(
            f"read the branch {branch} of {self.name}",
            f"/git/ref/heads/{quote(branch)}",
            known=known,
            expected=frozenset({200, _NOT_MODIFIED}),
        )
        try:
            answer = await self.calls.answer(call)
        except GitHubRefusedError as error:
            if error.status == _CONFLICT:
                raise LookupError(f"the repository {self.name} is empty") from error
            if error.status != _NOT_FOUND:
                raise
            default = await self._default_branch()
            text = f"{self.name} has no branch {branch} (its default branch is {default})"
            raise GitHubBranchMissingError(text) from error
        if answer.status == _NOT_MODIFIED:
            return None
        return Tip(self._read(call, answer, read_ref), answer.headers.get("etag"))

    async def commit(self, sha: str) -> GitHubCommitDetails:
        """Return a commit."""
        call = self._get(f"read the commit {sha}", f"/git/commits/{sha}")
        return await self.calls.ask(call, _read_commit)

    async def merge_base(self, branch: str, head: str) -> str | None:
        """Return the merge base of a branch and a head; None without one."""
        call = self._get(
            f"compare {branch} with {head}",
            f"/compare/{branch}...{head}",
            # The first page would list up to 300 files with their changes.
            query={"per_page": "1", "page": "2"},
        )
        try:
            return await self.calls.ask(call, _read_merge_base)
        except GitHubRefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            return None

    async def tree(self, sha: str, *, deep: bool = False) -> Tree:
        """Return a directory, with ``deep`` everything below it."""
        call = self._get(
            f"read the directory {sha}",
            f"/git/trees/{sha}",
            query={"recursive": "1"} if deep else {},
            max_body=_TREE_BYTES,
        )
        return await self.calls.ask(call, _read_tree)

    async def blob(self, sha: str, *, most: int) -> bytes:
        """Return the bytes of a file, at most ``most`` plus one."""
        call = self._get(f"read the file {sha}", f"/git/blobs/{sha}", accept=RAW, max_body=most + 1)
        return (await self.calls.answer(call)).body

    async def archive(self, sha: str, *, most: int) -> bytes | None:
        """Return a commit as a compressed archive; None if it is longer than ``most``."""
        call = self._get(f"pack the commit {sha}", f"/tarball/{sha}", max_body=most, redirects=3)
        answer = await self.calls.answer(call)
        return None if answer.truncated else answer.body

    async def requires_code_owners(self, branch: str) -> bool | None:
        """Return whether the rules of a branch require approval by code owners.

        None if that is unknown: private repositories have no rules in some plans, and old servers
        no such call.
        """
        call = self._get(
            f"read the rules of the branch {branch}",
            f"/rules/branches/{quote(branch, safe='')}",
            query={"per_page": "100"},
        )
        try:
            return await self.calls.ask(call, _read_code_owner_rule)
        except GitHubRefusedError as error:
            if error.judged is not FORBIDDEN and error.status != _NOT_FOUND:
                raise
            return None

    async def code_owner_errors(self, sha: str) -> tuple[str, ...]:
        """Return the errors that GitHub reports for the CODEOWNERS of a commit."""
        call = self._get("check CODEOWNERS", "/codeowners/errors", query={"ref": sha})
        try:
            return await self.calls.ask(call, _read_code_owner_errors)
        except GitHubRefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            return ()

    def _get(self, doing: str, path: str, **more: Any) -> GitHubCall:
        return GitHubCall(doing=doing, method="GET", path=f"{self.root}{path}", **more)

    def _read(self, call: GitHubCall, answer: GitHubResponse, read: Callable[[Any], T]) -> T:
        try:
            return read(parse_answer(answer.body))
        except (ValueError, UnreadableAnswerError):
            raise unreadable_answer(self.instance.title, call.doing, answer, effect=False) from None

    async def _default_branch(self) -> str:
        """Return the default branch.

        Raises if the repository is not visible: a 404 then says nothing about its contents.
        """
        try:
            return await self.calls.ask(self._get(f"see {self.name}", ""), read_default_branch)
        except GitHubRefusedError as error:
            if error.status == _NOT_FOUND:
                error.judged = HIDDEN
            raise


def _read_commit(document: Any) -> GitHubCommitDetails:
    try:
        message = str(document.get("message") or "")
        return GitHubCommitDetails(
            sha=str(document["sha"]),
            tree=str(document["tree"]["sha"]),
            subject=message.partition("\n")[0][:200],
            author=str((document.get("author") or {}).get("name") or "")[:200],
            at=moment((document.get("committer") or {}).get("date")),
            url=str(document.get("html_url") or ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableAnswerError from error


def _read_merge_base(document: Any) -> str:
    try:
        return str(document["merge_base_commit"]["sha"])
    except (KeyError, TypeError) as error:
        raise UnreadableAnswerError from error


def _read_tree(document: Any) -> Tree:
    try:
        entries = tuple(
            SizedTreeEntry(one["path"], one["mode"], one["type"], one["sha"], one.get("size"))
            for one in document["tree"]
        )
        return Tree(entries, truncated=bool(document["truncated"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableAnswerError from error


def _read_code_owner_rule(document: Any) -> bool:
    if not isinstance(document, list):
        raise UnreadableAnswerError
    return any(_requires_code_owners(rule) for rule in document)


def _requires_code_owners(rule: Any) -> bool:
    parameters = rule.get("parameters") if isinstance(rule, Mapping) else None
    return (
        isinstance(parameters, Mapping)
        and rule.get("type") == "pull_request"
        and parameters.get("require_code_owner_review") is True
    )


def _read_code_owner_errors(document: Any) -> tuple[str, ...]:
    try:
        return tuple(
            f"{one['path']}:{one['line']}: {one['kind']}" for one in document["errors"][:100]
        )
    except (KeyError, TypeError) as error:
        raise UnreadableAnswerError from error
