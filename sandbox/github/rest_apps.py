"""Repositories, the App's installation and its tokens, and the contents of files."""

import base64
import binascii
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import (
    GitHubApi,
    GitHubResponseError,
    now,
    person,
    read_object,
    timestamp,
    user,
)
from sandbox.kit.git import FILE, GitEntry


class AppRoutes:
    """Serves /repos/{owner}/{repo}, its contents and installation, and /app/installations."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """Return the routes."""
        api, repo = self._api, "/repos/{owner}/{repo}"
        tokens = "/app/installations/{id:int}/access_tokens"
        return [
            api.route(f"{repo}/installation", self._installation, app=True),
            api.route(tokens, self._token, "POST", app=True),
            api.route(f"{repo}/contents/{{path:path}}", self._contents),
            api.route(f"{repo}/contents/{{path:path}}", self._write, "PUT"),
            api.route(repo, self._repository),
        ]

    async def _repository(self, request: Request) -> Response:
        name = self._api.repository(request)
        found = self._api.store.get("repository", name.lower())
        return JSONResponse({**found, "name": name.partition("/")[2], "private": True})

    async def _installation(self, request: Request) -> Response:
        owner = self._api.repository(request).partition("/")[0]
        number = self._api.settings.installation_id
        address = f"/app/installations/{number}/access_tokens"
        return JSONResponse(
            {
                "id": number,
                "account": user(owner),
                "app_id": int(self._api.settings.app_id),
                "access_tokens_url": self._api.api_url(request, address),
                "created_at": now(),
            }
        )

    async def _token(self, request: Request) -> Response:
        if request.path_params["id"] != self._api.settings.installation_id:
            raise GitHubResponseError(404, "Not Found")
        await read_object(request, frozenset({"repositories", "repository_ids", "permissions"}))
        token, expires = self._api.issue_token()
        body = {
            "token": token,
            "expires_at": timestamp(expires),
            "permissions": {"contents": "write"},
        }
        return JSONResponse(body, 201)

    async def _contents(self, request: Request) -> Response:
        name, path = self._api.repository(request), request.path_params["path"]
        git = self._api.git
        default = self._api.store.get("repository", name.lower())["default_branch"]
        sha = git.resolve(name, request.query_params.get("ref", default))
        if sha is None:
            raise GitHubResponseError(
                404, f"No commit found for the ref {request.query_params.get('ref')}"
            )
        commit = git.commit(name, sha)
        file = git.files(name, commit["tree"]).get(path) if commit else None
        if file is None:
            raise GitHubResponseError(404, "Not Found")
        content = git.blob(name, file.sha) or b""
        shape = {
            **self._file(request, name, path, sha=file.sha, size=len(content)),
            "encoding": "base64",
            "content": base64.encodebytes(content).decode(),
        }
        return JSONResponse(shape)

    async def _write(self, request: Request) -> Response:
        """Write one file in one commit: the only way into an empty repository."""
        name, path = self._api.repository(request), request.path_params["path"]
        allowed = frozenset({"message", "content", "branch", "sha", "committer", "author"})
        given = await read_object(request, allowed)
        try:
            content = base64.b64decode(str(given["content"]), validate=True)
        except (binascii.Error, ValueError):
            raise GitHubResponseError(422, "content is not valid Base64") from None
        git, default = self._api.git, self._api.store.get("repository", name.lower())
        branch = str(given.get("branch") or default["default_branch"])
        with self._api.store.change():
            tip = git.ref(name, f"heads/{branch}")
            if tip is None and (git.refs(name) or branch != default["default_branch"]):
                raise GitHubResponseError(404, f"Branch {branch} not found")
            files = git.files(name, (git.commit(name, tip) or {}).get("tree", "")) if tip else {}
            existing = files.get(path)
            if existing is not None and given.get("sha") is None:
                raise GitHubResponseError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
            if existing is not None and existing.sha != given["sha"]:
                raise GitHubResponseError(409, f"{path} does not match {given['sha']}")
            blob = git.add_blob(name, content)
            commit = git.add_commit(
                name,
                tree=git.add_tree(name, {**files, path: GitEntry(FILE, blob)}),
                parents=[tip] if tip else [],
                message=str(given["message"]),
                who=person(self._api.settings.login),
            )
            self._api.point(name, f"heads/{branch}", commit)
        shape = self._file(request, name, path, sha=blob, size=len(content))
        made = self._commit(request, name, commit)
        return JSONResponse({"content": shape, "commit": made}, 200 if existing else 201)

    def _file(
        self, request: Request, name: str, path: str, *, sha: str, size: int
    ) -> dict[str, Any]:
        address = self._api.api_url(request, f"/repos/{name}/contents/{path}")
        return {
            "type": "file",
            "size": size,
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": sha,
            "url": address,
            "git_url": address,
            "html_url": address,
            "download_url": address,
            "_links": {"self": address, "git": address, "html": address},
        }

    def _commit(self, request: Request, name: str, sha: str) -> dict[str, Any]:
        found = self._api.git.commit(name, sha) or {}
        address = self._api.api_url(request, f"/repos/{name}/git/commits/{sha}")
        return {
            "sha": sha,
            "url": address,
            "html_url": self._api.page_url(request, f"/{name}/commit/{sha}"),
            "author": found["who"],
            "committer": found["who"],
            "message": found["message"],
            "tree": {"sha": found["tree"], "url": address},
            "parents": [],
        }
