"""Check runs, which Apps alone may make, and commit statuses, which tokens may."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import GitHubApi, GitHubResponseError, now, page, read_object

_ROOT = "/repos/{owner}/{repo}"
_MOST_ANNOTATIONS = 50
_KNOWN = frozenset(
    {
        "name", "head_sha", "details_url", "external_id", "status", "started_at", "conclusion",
        "completed_at", "output", "actions",
    }
)  # fmt: skip
_STATES = frozenset({"error", "failure", "pending", "success"})
_LONGEST_DESCRIPTION = 140


class CheckRoutes:
    """Serves .../check-runs, .../commits/{ref}/check-runs and .../statuses."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """Return the routes."""
        route, run = self._api.route, f"{_ROOT}/check-runs/{{id:int}}"
        return [
            route(f"{_ROOT}/check-runs", self._create, "POST"),
            route(run, self._update, "PATCH"),
            route(f"{run}/annotations", self._annotations),
            route(f"{_ROOT}/commits/{{sha}}/check-runs", self._list),
            route(f"{_ROOT}/statuses/{{sha}}", self._status, "POST"),
            route(f"{_ROOT}/commits/{{sha}}/statuses", self._statuses),
        ]

    async def _create(self, request: Request) -> Response:
        name = self._require_app(request)
        given = await read_object(request, _KNOWN)
        self._require_commit(name, str(given.get("head_sha")))
        annotations = _annotations(given)
        number = self._api.store.next_number("check", first=5001)
        run = {
            "id": number,
            "node_id": f"CR_{number}",
            "external_id": given.get("external_id") or "",
            "name": given["name"],
            "head_sha": given["head_sha"],
            "url": self._api.api_url(request, f"/repos/{name}/check-runs/{number}"),
            "html_url": self._api.page_url(request, f"/{name}/runs/{number}"),
            "details_url": given.get("details_url"),
            "started_at": now(),
            "check_suite": {"id": 1},
            "app": None,
            "pull_requests": [],
            "status": "queued",
            "conclusion": None,
            "completed_at": None,
            "output": _output({}, {}, 0, ""),
        }
        self._store(name, run, given, annotations)
        return JSONResponse(self._stored_run(name, number), 201)

    async def _update(self, request: Request) -> Response:
        name, number = self._require_app(request), request.path_params["id"]
        given = await read_object(request, _KNOWN - {"head_sha"})
        found = self._stored_check(name, number)
        self._store(name, found["run"], given, _annotations(given))
        return JSONResponse(self._stored_run(name, number))

    async def _list(self, request: Request) -> Response:
        name, sha = self._api.repository(request), request.path_params["sha"]
        wanted = request.query_params.get("check_name")
        found = [
            kept["run"]
            for key, kept in self._api.store.all("check").items()
            if key.startswith(f"{name.lower()}:")
            and kept["run"]["head_sha"] == sha
            and wanted in {None, kept["run"]["name"]}
        ]
        latest = list({run["name"]: run for run in found}.values())
        return JSONResponse({"total_count": len(latest), "check_runs": page(request, latest)})

    async def _annotations(self, request: Request) -> Response:
        name = self._api.repository(request)
        found = self._stored_check(name, request.path_params["id"])
        more = {"blob_href": found["run"]["url"], "raw_details": None}
        return JSONResponse(page(request, [{**one, **more} for one in found["annotations"]]))

    async def _status(self, request: Request) -> Response:
        name, sha = self._api.repository(request), request.path_params["sha"]
        given = await read_object(
            request, frozenset({"state", "target_url", "description", "context"})
        )
        self._require_commit(name, sha)
        if given.get("state") not in _STATES:
            raise GitHubResponseError(
                422, "Validation Failed", [{"field": "state", "code": "invalid"}]
            )
        if len(given.get("description") or "") > _LONGEST_DESCRIPTION:
            text = "description is too long (maximum is 140 characters)"
            raise GitHubResponseError(422, f"Validation Failed: {text}")
        number = self._api.store.next_number("status", first=8001)
        status = {
            "id": number,
            "node_id": f"SC_{number}",
            "url": self._api.api_url(request, f"/repos/{name}/statuses/{sha}"),
            "avatar_url": None,
            "state": given["state"],
            "description": given.get("description"),
            "target_url": given.get("target_url"),
            "context": given.get("context", "default"),
            "created_at": now(),
            "updated_at": now(),
            "creator": None,
        }
        self._api.store.put("status", f"{name.lower()}:{sha}:{number:09}", status)
        return JSONResponse(status, 201)

    async def _statuses(self, request: Request) -> Response:
        name, sha = self._api.repository(request), request.path_params["sha"]
        found = self._api.store.all("status").items()
        statuses = [one for key, one in found if key.startswith(f"{name.lower()}:{sha}:")]
        return JSONResponse(page(request, statuses[::-1]))

    def _require_app(self, request: Request) -> str:
        if not self._api.is_of_app(request):
            text = "You must authenticate via a GitHub App."
            raise GitHubResponseError(403, text)
        return self._api.repository(request)

    def _require_commit(self, name: str, sha: str) -> None:
        if self._api.git.commit(name, sha) is None:
            raise GitHubResponseError(422, f"No commit found for SHA: {sha}")

    def _stored_check(self, name: str, number: int) -> dict[str, Any]:
        found: dict[str, Any] | None = self._api.store.get("check", _key(name, number))
        if found is None:
            raise GitHubResponseError(404, "Not Found")
        return found

    def _stored_run(self, name: str, number: int) -> dict[str, Any]:
        run: dict[str, Any] = self._stored_check(name, number)["run"]
        return run

    def _store(
        self, name: str, run: dict[str, Any], given: dict[str, Any], annotations: list[Any]
    ) -> None:
        key = _key(name, run["id"])
        before = (self._api.store.get("check", key) or {"annotations": []})["annotations"]
        changed: dict[str, Any] = {
            one: given[one] for one in ("name", "status", "details_url") if one in given
        }
        if given.get("conclusion"):
            changed |= {"conclusion": given["conclusion"], "status": "completed"}
            changed["completed_at"] = given.get("completed_at") or now()
        everything = [*before, *annotations]
        changed["output"] = _output(
            run["output"], given.get("output") or {}, len(everything), f"{run['url']}/annotations"
        )
        kept = {"run": {**run, **changed}, "annotations": everything}
        self._api.store.put("check", key, kept)


def _key(name: str, number: int) -> str:
    return f"{name.lower()}:{number:09}"


def _annotations(given: dict[str, Any]) -> list[dict[str, Any]]:
    found = list((given.get("output") or {}).get("annotations") or [])
    if len(found) > _MOST_ANNOTATIONS:
        raise GitHubResponseError(
            422, f"Invalid request.\n\nNo more than {_MOST_ANNOTATIONS} items are allowed."
        )
    for one in found:
        if "start_column" in one and one["start_line"] != one["end_line"]:
            raise GitHubResponseError(422, "start_column must be omitted if lines differ")
    return found


def _output(
    before: dict[str, Any], given: dict[str, Any], count: int, address: str
) -> dict[str, Any]:
    texts = {name: given.get(name, before.get(name)) for name in ("title", "summary", "text")}
    return {**texts, "annotations_count": count, "annotations_url": address}
