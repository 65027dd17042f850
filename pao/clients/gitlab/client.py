"""The GitLab client: one project, one method per REST call; nothing is retried."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlencode

from pydantic import SecretStr

from pao.clients.gitlab.gitlab_errors import GitLabAnswer, refusal, unreadable_answer
from pao.core.answers import parse_answer
from pao.core.timestamps import moment

T = TypeVar("T")

_JSON_BYTES = 4 * 1024 * 1024
_PER_PAGE = 100
# 100,000 files: more are a mistake, or a server that returns pages forever.
_MOST_PAGES = 1_000
_OK, _CREATED, _BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 200, 201, 400, 403, 404


@dataclass(frozen=True, slots=True)
class GitLabInstance:
    """One server, and its token."""

    url: str
    token: SecretStr = field(repr=False)


@dataclass(frozen=True, slots=True)
class GitLabCommit:
    """A commit, such as the tip of a branch."""

    sha: str
    subject: str
    author: str
    at: datetime | None
    url: str


class GitLabBranchMissingError(LookupError):
    """The project does not have the branch."""


@dataclass(frozen=True, slots=True)
class TreeItem:
    """One entry of a listing, by its path from the root."""

    path: str
    mode: str
    type: str
    sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLabCall:
    """One request of the client."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = None
    max_body: int = _JSON_BYTES


Send = Callable[[GitLabCall], Awaitable[GitLabAnswer]]


class GitLabProject:
    """The client of one project; raises ``GitLabError`` and whatever ``send`` raises."""

    def __init__(self, instance: GitLabInstance, path: str, *, send: Send) -> None:
        self.path = path
        self._token = instance.token
        self._send = send
        self._root = f"{instance.url.rstrip('/')}/api/v4/projects/{quote(path, safe='')}"

    async def branch(self, name: str) -> GitLabCommit:
        """Return the tip of a branch; raises ``GitLabBranchMissingError``."""
        doing = f"read the branch {name} of {self.path}"
        answer = await self._call("GET", f"/repository/branches/{quote(name, safe='')}")
        if answer.status == _NOT_FOUND:
            default = await self._default_branch()
            text = f"{self.path} has no branch {name}"
            raise GitLabBranchMissingError(
                f"{text} (its default branch is {default})" if default else text
            )
        return self._read(doing, answer, lambda found: _read_commit(found["commit"]))

    async def commit(self, sha: str) -> GitLabCommit:
        """Return a commit."""
        answer = await self._call("GET", f"/repository/commits/{quote(sha, safe='')}")
        return self._read(f"read the commit {sha}", answer, _read_commit)

    async def merge_base(self, branch: str, head: str) -> str | None:
        """Return the merge base of a branch and a head; None without one."""
        query = urlencode({"refs[]": [branch, head]}, doseq=True)
        answer = await self._call("GET", f"/repository/merge_base?{query}")
        if answer.status in {_BAD_REQUEST, _NOT_FOUND}:
            return None
        return self._read(
            f"compare {branch} with {head}", answer, lambda found: _read_commit(found).sha
        )

    async def tree(self, sha: str, folder: str, *, deep: bool = False) -> list[TreeItem]:
        """Return the entries of a folder at a commit, with ``deep`` everything below it.

        A missing folder has no entries.
        """
        query = {"ref": sha, "path": folder, "per_page": str(_PER_PAGE), "pagination": "keyset"}
        query |= {"recursive": "true"} if deep else {}
        doing, found = f"list {folder or 'the root'} of {self.path}", []
        token: str | None = None
        for _ in range(_MOST_PAGES):
            asked = query | ({"page_token": token} if token else {})
            answer = await self._call("GET", f"/repository/tree?{urlencode(asked)}")
            if answer.status == _NOT_FOUND and not deep:
                await self._default_branch()
                return []
            found += self._read(doing, answer, _read_tree)
            token = _next_page(answer.headers.get("link", ""))
            if token is None:
                return found
        raise unreadable_answer(doing, answer)

    async def blob(self, sha: str, *, most: int) -> bytes:
        """Return the bytes of a file, at most ``most`` plus one."""
        path = f"/repository/blobs/{quote(sha, safe='')}/raw"
        answer = await self._call("GET", path, max_body=most + 1)
        return self._require_status(f"read the file {sha}", answer).body

    async def archive(self, sha: str, folder: str, *, most: int) -> bytes | None:
        """Return a folder of a commit as a compressed archive; None if it is too long."""
        query = {"sha": sha, **({"path": folder} if folder else {})}
        path = f"/repository/archive.tar.gz?{urlencode(query)}"
        answer = self._require_status(f"pack {sha}", await self._call("GET", path, max_body=most))
        return None if answer.truncated else answer.body

    async def requires_code_owners(self, branch: str) -> bool | None:
        """Return whether the protection of a branch requires approval by code owners.

        None if the token may not read it: in some versions only maintainers may.
        """
        answer = await self._call("GET", "/protected_branches?per_page=100")
        if answer.status == _FORBIDDEN:
            return None

        def read(found: Any) -> bool:
            return any(
                fnmatchcase(branch, str(one["name"]))
                and one.get("code_owner_approval_required") is True
                for one in found
            )

        return self._read("read the protected branches", answer, read)

    async def set_status(self, sha: str, status: Mapping[str, Any]) -> None:
        """Set the status of a commit; setting it twice changes nothing.

        A commit that is only in a merge request from a fork gets it by the ref of that request.
        """
        path = f"/statuses/{quote(sha, safe='')}"
        answer = await self._call("POST", path, body=status)
        if answer.status == _NOT_FOUND and b"References for commit" in answer.body:
            number = await self._merge_request(sha)
            if number is not None:
                ref = f"refs/merge-requests/{number}/head"
                answer = await self._call("POST", path, body={**status, "ref": ref})
        if answer.status == _BAD_REQUEST and b"Cannot transition status" in answer.body:
            return
        self._require_status(f"set the status of the commit {sha}", answer, expected=_CREATED)

    async def _merge_request(self, sha: str) -> int | None:
        """Return the number of a merge request with a commit; None without one."""
        path = f"/repository/commits/{quote(sha, safe='')}/merge_requests"
        answer = await self._call("GET", path)
        doing = f"list the merge requests of {sha}"
        return self._read(doing, answer, lambda found: int(found[0]["iid"]) if found else None)

    async def _default_branch(self) -> str | None:
        """Return the default branch, None while the project is empty.

        Raises if the project is not visible: a 404 then says nothing about its contents.
        """
        doing = f"see the project {self.path}"
        answer = await self._call("GET", "")
        default: str | None = self._read(doing, answer, lambda found: found.get("default_branch"))
        return default

    async def _call(
        self, method: str, path: str, *, body: Any = None, max_body: int = _JSON_BYTES
    ) -> GitLabAnswer:
        headers = {"PRIVATE-TOKEN": self._token.get_secret_value(), "Accept": "*/*"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        return await self._send(
            GitLabCall(
                method=method,
                url=f"{self._root}{path}",
                headers=headers,
                content=content,
                max_body=max_body,
            )
        )

    def _require_status(
        self, doing: str, answer: GitLabAnswer, *, expected: int = _OK
    ) -> GitLabAnswer:
        if answer.status != expected:
            raise refusal(doing, answer)
        return answer

    def _read(self, doing: str, answer: GitLabAnswer, read: Callable[[Any], T]) -> T:
        self._require_status(doing, answer)
        try:
            if answer.truncated:
                raise unreadable_answer(doing, answer)
            return read(parse_answer(answer.body))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise unreadable_answer(doing, answer) from None


def _read_commit(commit: Any) -> GitLabCommit:
    if not isinstance(commit["id"], str):
        raise TypeError
    return GitLabCommit(
        sha=commit["id"],
        subject=str(commit.get("title") or "")[:200],
        author=str(commit.get("author_name") or "")[:200],
        at=moment(commit.get("committed_date")),
        url=str(commit.get("web_url") or ""),
    )


def _read_tree(document: Any) -> list[TreeItem]:
    if not isinstance(document, list):
        raise TypeError
    return [TreeItem(one["path"], one["mode"], one["type"], one["id"]) for one in document]


def _next_page(link: str) -> str | None:
    """Return the token of the next page; the rest of the address is not used."""
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            # Only the query is parsed: the host may be invalid.
            query = parse_qs(address.strip().strip("<>").partition("?")[2])
            return query.get("page_token", [None])[0]
    return None
