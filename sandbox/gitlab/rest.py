"""The REST API: branches, trees by keyset, blobs, archives, protected branches, statuses."""

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.gitlab.projects import Projects
from sandbox.gitlab.settings import GitLabSandboxSettings
from sandbox.kit.archives import tarball
from sandbox.kit.git import TYPES

Handler = Callable[[Request, str], Awaitable[Response]]
_ROOT = "/api/v4/projects/{project:path}"
_STATES = frozenset({"pending", "running", "success", "failed", "canceled", "skipped"})


class GitLabResponseError(Exception):
    """An error answer in GitLab's shape."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status)
        self.response = JSONResponse({"message": message}, status)


class GitLabApi:
    """Serves /api/v4/projects."""

    def __init__(self, projects: Projects, settings: GitLabSandboxSettings) -> None:
        self._projects = projects
        self._git = projects.git
        self._settings = settings
        self.calls_left = settings.rate_limit

    def routes(self) -> list[Route]:
        """Return the routes; the project itself comes last, whose path may hold anything."""
        repository = f"{_ROOT}/repository"
        return [
            self._route(f"{repository}/branches/{{branch:path}}", self._branch),
            self._route(f"{repository}/commits/{{sha}}", self._commit),
            self._route(f"{repository}/commits/{{sha}}/merge_requests", self._merge_requests),
            self._route(f"{repository}/merge_base", self._merge_base),
            self._route(f"{repository}/tree", self._tree),
            self._route(f"{repository}/blobs/{{sha}}/raw", self._blob),
            self._route(f"{repository}/archive.tar.gz", self._archive),
            self._route(f"{_ROOT}/protected_branches", self._protected),
            self._route(f"{_ROOT}/statuses/{{sha}}", self._set_status, "POST"),
            self._route(_ROOT, self._project),
        ]

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def serve(request: Request) -> Response:
            try:
                self._check(request)
                response = await handler(request, self._project_name(request))
            except GitLabResponseError as refusal:
                response = refusal.response
            response.headers.update(
                {
                    "RateLimit-Limit": str(self._settings.rate_limit),
                    "RateLimit-Remaining": str(max(self.calls_left, 0)),
                    "RateLimit-Reset": "4000000000",
                }
            )
            return response

        return Route(path, serve, methods=[method])

    def _check(self, request: Request) -> None:
        given = request.headers.get("PRIVATE-TOKEN", "")
        if not hmac.compare_digest(given.encode(), self._settings.token.encode()):
            raise GitLabResponseError(401, "401 Unauthorized")
        self.calls_left -= 1
        if self.calls_left < 0:
            raise GitLabResponseError(429, "Retry later")

    def _project_name(self, request: Request) -> str:
        given = request.path_params["project"].lower()
        found = self._projects.store.get("project", given)
        if found is not None:
            return str(found["path"])
        moved = self._projects.store.get("moved", given)
        if moved is None:
            raise GitLabResponseError(404, "404 Project Not Found")
        refusal = GitLabResponseError(301, "Moved Permanently")
        address = f"{request.url.scheme}://{request.url.netloc}/api/v4/projects/{moved}"
        refusal.response.headers["Location"] = address
        raise refusal

    async def _project(self, request: Request, name: str) -> Response:
        del request
        return JSONResponse({"id": 1, "path_with_namespace": name, "default_branch": "main"})

    async def _branch(self, request: Request, name: str) -> Response:
        branch = request.path_params["branch"]
        sha = self._git.ref(name, f"heads/{branch}")
        if sha is None:
            raise GitLabResponseError(404, "404 Branch Not Found")
        shape = self._shape(request, name, sha)
        return JSONResponse({"name": branch, "commit": shape, "protected": True})

    async def _commit(self, request: Request, name: str) -> Response:
        sha = request.path_params["sha"]
        if self._git.commit(name, sha) is None:
            raise GitLabResponseError(404, "404 Commit Not Found")
        return JSONResponse(self._shape(request, name, sha))

    async def _merge_requests(self, request: Request, name: str) -> Response:
        found = self._projects.store.get("merge", f"{name.lower()}:{request.path_params['sha']}")
        return JSONResponse([found] if found else [])

    async def _merge_base(self, request: Request, name: str) -> Response:
        refs = request.query_params.getlist("refs[]")
        commits = [sha for ref in refs if (sha := self._git.resolve(name, ref))]
        if len(refs) < 2 or len(commits) < len(refs):  # noqa: PLR2004 -- two sides
            raise GitLabResponseError(400, "Could not find ref")
        found = self._git.merge_base(name, *commits)
        if found is None:
            raise GitLabResponseError(404, "404 Merge Base Not Found")
        return JSONResponse(self._shape(request, name, found))

    def _shape(self, request: Request, name: str, sha: str) -> dict[str, Any]:
        commit = self._git.commit(name, sha) or {}
        address = f"{request.url.scheme}://{request.url.netloc}/{name}/-/commit/{sha}"
        return {
            "id": sha,
            "short_id": sha[:8],
            "title": commit["message"].partition("\n")[0],
            "message": commit["message"],
            "author_name": commit["who"]["name"],
            "committed_date": commit["who"]["date"],
            "parent_ids": commit["parents"],
            "web_url": address,
        }

    async def _tree(self, request: Request, name: str) -> Response:
        asked = request.query_params
        folder = asked.get("path", "").strip("/")
        entries = self._entries(name, asked.get("ref", "main"), folder)
        if asked.get("recursive") != "true":
            depth = folder.count("/") + 1 if folder else 0
            entries = [one for one in entries if one["path"].count("/") == depth]
        size = min(int(asked.get("per_page", "20")), self._settings.most_per_page)
        token = asked.get("page_token")
        start = 0 if not token else [one["path"] for one in entries].index(token) + 1
        page = entries[start : start + size]
        response = JSONResponse(page)
        if start + size < len(entries):
            query = urlencode({**asked, "page_token": page[-1]["path"]})
            response.headers["Link"] = f'<{request.url.replace(query=query)}>; rel="next"'
        return response

    def _entries(self, name: str, ref: str, folder: str) -> list[dict[str, Any]]:
        sha = self._git.resolve(name, ref)
        commit = self._git.commit(name, sha) if sha else None
        if commit is None:
            raise GitLabResponseError(404, "404 Tree Not Found")
        below = f"{folder}/" if folder else ""
        found = [
            {
                "id": one["sha"],
                "name": one["path"].rpartition("/")[2],
                "type": TYPES.get(one["mode"], "blob"),
                "path": one["path"],
                "mode": one["mode"],
            }
            for one in self._git.walk(name, commit["tree"])
            if one["path"].startswith(below)
        ]
        if folder and not found:
            raise GitLabResponseError(404, "404 Tree Not Found")
        return found

    async def _blob(self, request: Request, name: str) -> Response:
        content = self._git.blob(name, request.path_params["sha"])
        if content is None:
            raise GitLabResponseError(404, "404 Blob Not Found")
        return Response(content, media_type="text/plain")

    async def _archive(self, request: Request, name: str) -> Response:
        sha = self._git.resolve(name, request.query_params["sha"])
        if sha is None:
            raise GitLabResponseError(404, "404 Not Found")
        folder = f"{name.rpartition('/')[2]}-{sha}"
        below = request.query_params.get("path", "")
        packed = tarball(self._git, name, sha, folder=folder, below=below)
        return Response(packed, media_type="application/octet-stream")

    async def _protected(self, request: Request, name: str) -> Response:
        del request
        return JSONResponse(self._projects.store.get("protected", name.lower()) or [])

    async def _set_status(self, request: Request, name: str) -> Response:
        sha, given = request.path_params["sha"], json.loads(await request.body())
        if self._git.commit(name, sha) is None:
            raise GitLabResponseError(404, "404 Commit Not Found")
        if given.get("state") not in _STATES:
            raise GitLabResponseError(400, "state does not have a valid value")
        if "ref" not in given and not self._is_on_a_branch(name, sha):
            raise GitLabResponseError(404, "404 References for commit Not Found")
        key = f"{name.lower()}:{sha}:{given.get('name', 'default')}"
        before = self._projects.store.get("status", key)
        if before is not None and before["state"] == given["state"] == "pending":
            raise GitLabResponseError(400, "Cannot transition status via :enqueue from :pending")
        status = {"sha": sha, **given}
        self._projects.store.put("status", key, status)
        return JSONResponse(status, 201)

    def _is_on_a_branch(self, name: str, sha: str) -> bool:
        """Return whether a branch has this commit; of a fork's merge request, none does."""
        tips = self._git.refs(name).values()
        return any(sha == one for tip in tips for one, _ in self._git.log(name, tip))
