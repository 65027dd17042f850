"""Repositories, the App's installation and its tokens, and the contents of files."""

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pao.local.github_sandbox.base import Desk, Refusal, moment, now, read_object, user


class Apps:
    """Serves /repos/{owner}/{repo}, its contents and installation, and /app/installations."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes."""
        desk, repo = self._desk, "/repos/{owner}/{repo}"
        tokens = "/app/installations/{id:int}/access_tokens"
        return [
            desk.route(f"{repo}/installation", self._installation, app=True),
            desk.route(tokens, self._token, "POST", app=True),
            desk.route(f"{repo}/contents/{{path:path}}", self._contents),
            desk.route(repo, self._repository),
        ]

    async def _repository(self, request: Request) -> Response:
        name = self._desk.repository(request)
        found = self._desk.store.get("repository", name.lower())
        return JSONResponse({**found, "name": name.partition("/")[2], "private": True})

    async def _installation(self, request: Request) -> Response:
        owner = self._desk.repository(request).partition("/")[0]
        number = self._desk.settings.installation_id
        address = f"/app/installations/{number}/access_tokens"
        return JSONResponse(
            {
                "id": number,
                "account": user(owner),
                "app_id": int(self._desk.settings.app_id),
                "access_tokens_url": self._desk.api_url(request, address),
                "created_at": now(),
            }
        )

    async def _token(self, request: Request) -> Response:
        if request.path_params["id"] != self._desk.settings.installation_id:
            raise Refusal(404, "Not Found")
        await read_object(request, frozenset({"repositories", "repository_ids", "permissions"}))
        token, ends = self._desk.issue_token()
        body = {"token": token, "expires_at": moment(ends), "permissions": {"contents": "write"}}
        return JSONResponse(body, 201)

    async def _contents(self, request: Request) -> Response:
        name, path = self._desk.repository(request), request.path_params["path"]
        git = self._desk.git
        default = self._desk.store.get("repository", name.lower())["default_branch"]
        sha = git.resolve(name, request.query_params.get("ref", default))
        if sha is None:
            raise Refusal(404, f"No commit found for the ref {request.query_params.get('ref')}")
        commit = git.commit(name, sha)
        file = git.files(name, commit["tree"]).get(path) if commit else None
        if file is None:
            raise Refusal(404, "Not Found")
        content = git.blob(name, file.sha) or b""
        address = self._desk.api_url(request, f"/repos/{name}/contents/{path}")
        shape = {
            "type": "file",
            "encoding": "base64",
            "size": len(content),
            "name": path.rpartition("/")[2],
            "path": path,
            "content": base64.encodebytes(content).decode(),
            "sha": file.sha,
            "url": address,
            "git_url": address,
            "html_url": address,
            "download_url": address,
            "_links": {"self": address, "git": address, "html": address},
        }
        return JSONResponse(shape)
