"""Reads of whole repositories: blobs, archives, code owners, and the rules of branches."""

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from catalog.ownership import LOCATIONS, CodeOwnersDialect, parse
from sandbox.github.base import GitHubApi, GitHubResponseError
from sandbox.kit.archives import tarball

_ROOT = "/repos/{owner}/{repo}"
_RAW = "raw"
CODELOAD = "/codeload"


class ContentRoutes:
    """Serves .../git/blobs, .../tarball, .../codeowners/errors, .../rules/branches."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api
        self._git = api.git

    def routes(self) -> list[Route]:
        """Return the routes."""
        route = self._api.route
        return [
            route(f"{_ROOT}/git/blobs/{{sha}}", self._blob),
            route(f"{_ROOT}/tarball/{{ref:path}}", self._tarball),
            route(f"{_ROOT}/codeowners/errors", self._errors),
            route(f"{_ROOT}/rules/branches/{{branch:path}}", self._rules),
            # Archives come from another service, which knows its callers by the address.
            Route(f"{CODELOAD}/{{owner}}/{{repo}}/legacy.tar.gz/{{sha}}", self._archive),
        ]

    async def _blob(self, request: Request) -> Response:
        name, sha = self._api.non_empty_repository(request), request.path_params["sha"]
        content = self._git.blob(name, sha)
        if content is None:
            raise GitHubResponseError(404, "Not Found")
        if _RAW in request.headers.get("Accept", ""):
            return Response(content, media_type="application/vnd.github.raw+json; charset=utf-8")
        return JSONResponse(
            {
                "sha": sha,
                "node_id": f"B_{sha[:12]}",
                "size": len(content),
                "url": self._api.api_url(request, f"/repos/{name}/git/blobs/{sha}"),
                "content": base64.encodebytes(content).decode(),
                "encoding": "base64",
            }
        )

    async def _tarball(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        sha = self._git.resolve(name, request.path_params["ref"])
        if sha is None:
            raise GitHubResponseError(404, "Not Found")
        token = self._api.issue_archive(name, sha)
        address = f"{CODELOAD}/{name}/legacy.tar.gz/{sha}?token={token}"
        return RedirectResponse(self._api.page_url(request, address), 302)

    async def _archive(self, request: Request) -> Response:
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        sha = request.path_params["sha"]
        if not self._api.is_archive_token(request.query_params.get("token", ""), name, sha):
            return Response("404: Not Found", 404)
        owner, _, repository = name.partition("/")
        packed = tarball(self._git, name, sha, folder=f"{owner}-{repository}-{sha[:7]}")
        return Response(packed, media_type="application/x-gzip")

    async def _errors(self, request: Request) -> Response:
        name = self._api.non_empty_repository(request)
        default = self._api.store.get("repository", name.lower())["default_branch"]
        sha = self._git.resolve(name, request.query_params.get("ref", default))
        commit = self._git.commit(name, sha) if sha else None
        files = self._git.files(name, commit["tree"]) if commit else {}
        path = next((path for path in LOCATIONS[CodeOwnersDialect.GITHUB] if path in files), None)
        if path is None:
            raise GitHubResponseError(404, "Not Found")
        content = self._git.blob(name, files[path].sha) or b""
        found = parse(content, CodeOwnersDialect.GITHUB).skipped
        return JSONResponse({"errors": [_error(path, one) for one in found]})

    async def _rules(self, request: Request) -> Response:
        name = self._api.repository(request)
        branch = request.path_params["branch"]
        found = self._api.store.get("protection", f"{name.lower()}:{branch}")
        if found is None:
            return JSONResponse([])
        parameters = {
            "allowed_merge_methods": ["merge", "squash", "rebase"],
            "dismiss_stale_reviews_on_push": True,
            "require_last_push_approval": False,
            "required_approving_review_count": 1,
            "required_review_thread_resolution": False,
            **found,
        }
        source = {"ruleset_source_type": "Repository", "ruleset_source": name, "ruleset_id": 1}
        rules = [
            {"type": "deletion", **source},
            {"type": "pull_request", **source, "parameters": parameters},
        ]
        return JSONResponse(rules)


def _error(path: str, skipped: Any) -> dict[str, Any]:
    kind = "Invalid owner" if "owner" in skipped.why else "Invalid pattern"
    return {
        "line": skipped.line,
        "column": skipped.column,
        "kind": kind,
        "source": skipped.source,
        "suggestion": None,
        "message": f"{kind} on line {skipped.line}: {skipped.why}",
        "path": path,
    }
