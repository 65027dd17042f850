"""Git data: references, commits, trees and blobs, and the list of a branch's commits."""

import base64
import binascii
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import GitHubApi, GitHubResponseError, page, person, read_object, user
from sandbox.kit.git import TYPES, Files, GitEntry

_WORKFLOWS = ".github/workflows/"
_ROOT = "/repos/{owner}/{repo}"
_MODES = frozenset({"100644", "100755", "040000", "160000", "120000"})


class GitDataRoutes:
    """Serves /repos/{owner}/{repo}/git and .../commits."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api
        self._git = api.git

    def routes(self) -> list[Route]:
        """Return the routes."""
        route = self._api.route
        return [
            route(f"{_ROOT}/git/ref/{{ref:path}}", self._ref),
            route(f"{_ROOT}/git/refs", self._create_ref, "POST"),
            route(f"{_ROOT}/git/refs/{{ref:path}}", self._update_ref, "PATCH"),
            route(f"{_ROOT}/git/commits", self._create_commit, "POST"),
            route(f"{_ROOT}/git/commits/{{sha}}", self._commit),
            route(f"{_ROOT}/git/trees", self._create_tree, "POST"),
            route(f"{_ROOT}/git/trees/{{sha}}", self._tree),
            route(f"{_ROOT}/git/blobs", self._create_blob, "POST"),
            route(f"{_ROOT}/commits", self._commits),
            route(f"{_ROOT}/compare/{{sides}}", self._compare),
        ]

    async def _ref(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        sha = self._api.replica_ref(name, request.path_params["ref"])
        if sha is None:
            raise GitHubResponseError(404, "Not Found")
        return self._ref_answer(request, name, request.path_params["ref"], sha)

    async def _create_ref(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        given = await read_object(request, frozenset({"ref", "sha"}))
        ref = str(given.get("ref", ""))
        if not ref.startswith("refs/") or ref.count("/") < 2:  # noqa: PLR2004 -- refs/heads/name
            raise GitHubResponseError(
                422, "Reference name must start with 'refs/' and have at least 2 slashes"
            )
        with self._api.store.change():
            if self._git.commit(name, str(given.get("sha"))) is None:
                raise GitHubResponseError(422, "Object does not exist")
            if self._git.ref(name, ref.removeprefix("refs/")) is not None:
                raise GitHubResponseError(422, "Reference already exists")
            self._api.point(name, ref.removeprefix("refs/"), given["sha"])
        return self._ref_answer(request, name, ref.removeprefix("refs/"), given["sha"], status=201)

    async def _update_ref(self, request: Request) -> Response:
        name, ref = self._api.non_empty_repository(request), request.path_params["ref"]
        given = await read_object(request, frozenset({"sha", "force"}))
        with self._api.store.change():
            before = self._git.ref(name, ref)
            if before is None:
                raise GitHubResponseError(422, "Reference does not exist")
            if self._git.commit(name, str(given.get("sha"))) is None:
                raise GitHubResponseError(422, "Object does not exist")
            past = [sha for sha, _ in self._git.log(name, given["sha"])]
            if before not in past and not given.get("force"):
                raise GitHubResponseError(422, "Update is not a fast forward")
            self._api.point(name, ref, given["sha"])
        return self._ref_answer(request, name, ref, given["sha"])

    async def _create_blob(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        given = await read_object(request, frozenset({"content", "encoding"}))
        content = str(given.get("content", "")).encode()
        if given.get("encoding") == "base64":
            try:
                content = base64.b64decode(content)
            except binascii.Error:
                raise GitHubResponseError(422, "content is not valid Base64") from None
        sha = self._git.add_blob(name, content)
        address = self._api.api_url(request, f"/repos/{name}/git/blobs/{sha}")
        return JSONResponse({"sha": sha, "url": address}, 201)

    async def _tree(self, request: Request) -> Response:
        name, sha = self._api.non_empty_repository(request), request.path_params["sha"]
        # A commit, a branch or a tag may be given in place of its tree.
        commit = self._git.commit(name, self._git.resolve(name, sha) or "")
        sha = commit["tree"] if commit else sha
        if self._git.tree(name, sha) is None:
            raise GitHubResponseError(404, "Not Found")
        return self._tree_answer(request, name, sha, deep="recursive" in request.query_params)

    async def _create_tree(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        given = await read_object(request, frozenset({"tree", "base_tree"}))
        entries = given.get("tree")
        if not isinstance(entries, list) or not entries:
            raise GitHubResponseError(422, "Invalid tree info")
        files: Files = {}
        if given.get("base_tree"):
            if self._git.tree(name, given["base_tree"]) is None:
                raise GitHubResponseError(422, "base_tree is not a valid tree oid")
            files = self._git.files(name, given["base_tree"])
        for entry in entries:
            self._apply(name, files, entry)
        return self._tree_answer(request, name, self._git.add_tree(name, files), status=201)

    def _apply(self, name: str, files: Files, entry: dict[str, Any]) -> None:
        path, mode, sha = str(entry.get("path")), str(entry.get("mode")), entry.get("sha")
        if any(part.lower() in {"", ".", "..", ".git"} for part in path.split("/")):
            raise GitHubResponseError(422, "tree.path contains a malformed path component")
        if mode not in _MODES:
            raise GitHubResponseError(422, f"Must supply a valid tree.mode ({mode})")
        if path.startswith(_WORKFLOWS) and not self._api.settings.may_write_workflows:
            raise GitHubResponseError(403, "Resource not accessible by integration")
        if sha is None and "content" not in entry:
            if files.pop(path, None) is None:
                raise GitHubResponseError(422, "GitRPC::BadObjectState")
            return
        if "content" in entry:
            sha = self._git.add_blob(name, str(entry["content"]).encode())
        if not isinstance(sha, str) or self._git.blob(name, sha) is None:
            raise GitHubResponseError(422, f"tree.sha {sha} is not a valid blob")
        files[path] = GitEntry(mode, sha)

    async def _commit(self, request: Request) -> Response:
        name, sha = self._api.non_empty_repository(request), request.path_params["sha"]
        commit = self._git.commit(name, sha)
        if commit is None:
            raise GitHubResponseError(404, "Not Found")
        return self._commit_answer(request, name, sha, commit)

    async def _create_commit(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        allowed = frozenset({"message", "tree", "parents", "author", "committer", "signature"})
        given = await read_object(request, allowed)
        if self._git.tree(name, str(given.get("tree"))) is None:
            raise GitHubResponseError(422, "Tree SHA does not exist")
        parents = given.get("parents") or []
        if any(self._git.commit(name, parent) is None for parent in parents):
            raise GitHubResponseError(422, "Parent SHA does not exist or is not a commit object")
        who = {**person(self._api.settings.login), **(given.get("author") or {})}
        message = str(given["message"])
        sha = self._git.add_commit(
            name, tree=given["tree"], parents=parents, message=message, who=who
        )
        commit = self._git.commit(name, sha) or {}
        return self._commit_answer(request, name, sha, commit, status=201)

    async def _commits(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        start = self._git.resolve(name, request.query_params.get("sha", "main"))
        if start is None:
            raise GitHubResponseError(404, "Not Found")
        since = request.query_params.get("since")
        found = self._git.log(name, start)
        if since is not None:
            least = datetime.fromisoformat(since)
            found = [
                (sha, commit)
                for sha, commit in found
                if datetime.fromisoformat(commit["who"]["date"]) >= least
            ]
        shapes = [self._commit_shape(request, name, sha, commit) for sha, commit in found]
        return JSONResponse(page(request, [{**shape, "commit": shape} for shape in shapes]))

    async def _compare(self, request: Request) -> Response:
        """Compare two commits; the changed files, which nobody asks for, are left out."""
        name = self._api.non_empty_repository(request)
        base, _, head = request.path_params["sides"].partition("...")
        fork = self._git.merge_base(name, base, head)
        if fork is None:
            raise GitHubResponseError(404, "Not Found")
        ahead, behind = (
            [sha for sha, _ in self._git.log(name, side)].index(fork) for side in (head, base)
        )
        page = self._api.page_url(request, f"/{name}/compare/{base}...{head}")
        status = "diverged" if ahead and behind else "behind" if behind else "ahead"
        body = {
            "url": self._api.api_url(request, f"/repos/{name}/compare/{base}...{head}"),
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": self._whole_commit(request, name, base),
            "merge_base_commit": self._whole_commit(request, name, fork),
            "status": status if ahead or behind else "identical",
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": [],
        }
        return JSONResponse(body)

    def _whole_commit(self, request: Request, name: str, sha: str) -> dict[str, Any]:
        shape = self._commit_shape(request, name, sha, self._git.commit(name, sha) or {})
        address = self._api.api_url(request, f"/repos/{name}/commits/{sha}")
        commit = {"comment_count": 0, "url": shape["url"]}
        commit |= {key: shape[key] for key in ("author", "committer", "message", "tree")}
        return {
            **{key: shape[key] for key in ("sha", "node_id", "html_url", "parents")},
            "url": address,
            "comments_url": f"{address}/comments",
            "author": None,
            "committer": None,
            "commit": commit,
        }

    def _ref_answer(
        self, request: Request, name: str, ref: str, sha: str, *, status: int = 200
    ) -> Response:
        body = {
            "ref": f"refs/{ref}",
            "node_id": f"REF_{sha[:12]}",
            "url": self._api.api_url(request, f"/repos/{name}/git/refs/{ref}"),
            "object": {
                "type": "commit",
                "sha": sha,
                "url": self._api.api_url(request, f"/repos/{name}/git/commits/{sha}"),
            },
        }
        return JSONResponse(body, status)

    def _tree_answer(
        self, request: Request, name: str, sha: str, *, status: int = 200, deep: bool = False
    ) -> Response:
        entries = list(self._git.walk(name, sha) if deep else self._git.tree(name, sha) or [])
        most = self._api.settings.most_entries
        shown = [self._tree_entry(name, entry) for entry in entries[:most]]
        address = self._api.api_url(request, f"/repos/{name}/git/trees/{sha}")
        truncated = len(entries) > most
        body = {"sha": sha, "url": address, "tree": shown, "truncated": truncated}
        return JSONResponse(body, status)

    def _tree_entry(self, name: str, entry: dict[str, Any]) -> dict[str, Any]:
        kind = TYPES.get(entry["mode"], "blob")
        size = {"size": self._git.size(name, entry["sha"])} if kind == "blob" else {}
        return {**entry, "type": kind, **size}

    def _commit_answer(
        self, request: Request, name: str, sha: str, commit: dict[str, Any], *, status: int = 200
    ) -> Response:
        return JSONResponse(self._commit_shape(request, name, sha, commit), status)

    def _commit_shape(
        self, request: Request, name: str, sha: str, commit: dict[str, Any]
    ) -> dict[str, Any]:
        def address(of: str) -> str:
            return self._api.api_url(request, f"/repos/{name}/git/commits/{of}")

        def page_address(of: str) -> str:
            return self._api.page_url(request, f"/{name}/commit/{of}")

        return {
            "sha": sha,
            "node_id": f"C_{sha[:12]}",
            "url": address(sha),
            "html_url": page_address(sha),
            "author": commit["who"],
            "committer": {**commit["who"], **user(commit["who"]["name"])},
            "message": commit["message"],
            "tree": {"sha": commit["tree"], "url": address(commit["tree"])},
            "parents": [
                {"sha": parent, "url": address(parent), "html_url": page_address(parent)}
                for parent in commit["parents"]
            ],
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": None,
            },
        }
