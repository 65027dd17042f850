"""The stand-in's own API, which no GitHub has: faults, ends of runs, pushes by others, the state.

It takes no foreign origin, so a web page elsewhere cannot reach it through a browser.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import GitHubApi
from sandbox.github.control_source import RepositoryControl
from sandbox.github.faults import GitHubFault
from sandbox.kit.call_log import CallLog
from sandbox.kit.control import post_route
from sandbox.kit.faults import FaultQueue, fault_routes
from sandbox.kit.git import GitEntry


class GitHubControl:
    """Serves /sandbox/."""

    def __init__(self, api: GitHubApi, faults: FaultQueue[GitHubFault], log: CallLog) -> None:
        self._api = api
        self._faults = faults
        self._log = log
        self._repositories = RepositoryControl(api)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/sandbox/health", self._health),
            Route("/sandbox/state", self._state),
            Route("/sandbox/calls", self._calls),
            *fault_routes(self._faults, _error_response),
            post_route("/sandbox/repositories", self._add_repository),
            *self._repositories.routes(),
            post_route("/sandbox/runs", self._move_run),
            post_route("/sandbox/outcomes", self._plan_outcome),
            post_route("/sandbox/merges", self._merge),
            post_route("/sandbox/tokens/expire", self._expire),
            post_route("/sandbox/reset", self._reset),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _calls(self, _: Request) -> Response:
        return JSONResponse({"calls": self._log.all()})

    async def _state(self, _: Request) -> Response:
        store = self._api.store
        names = [found["full_name"] for found in store.all("repository").values()]
        return JSONResponse(
            {
                "repositories": {name: self._repository(name) for name in names},
                "runs": list(store.all("run").values()),
                "pulls": list(store.all("pull").values()),
            }
        )

    def _repository(self, name: str) -> dict[str, Any]:
        git, shown = self._api.git, {}
        for ref, sha in git.refs(name).items():
            log = git.log(name, sha)
            files = git.files(name, log[0][1]["tree"])
            shown[ref] = {
                "sha": sha,
                "messages": [commit["message"] for _, commit in log],
                "files": {path: self._text(name, file) for path, file in files.items()},
                "modes": {path: file.mode for path, file in files.items()},
                "hashes": {path: file.sha for path, file in files.items()},
            }
        return shown

    def _text(self, name: str, file: GitEntry) -> str:
        return (self._api.git.blob(name, file.sha) or b"").decode(errors="replace")

    async def _add_repository(self, body: dict[str, Any]) -> Response:
        """Make a repository; or move one that is there, or make another branch its default."""
        if "default_branch" in body:
            self._api.change_default_branch(body["name"], body["default_branch"])
        elif "moved" in body:
            self._api.move_repository(body["name"], body["moved"])
        else:
            self._api.add_repository(body["name"], body.get("files") or {})
        return JSONResponse({}, 201)

    async def _move_run(self, body: dict[str, Any]) -> Response:
        """Move a run: its status, its conclusion, which job and step failed; delete or copy it."""
        store, key = self._api.store, f"{body.pop('id'):09}"
        for _ in range(body.pop("copies", 0)):
            number = store.next_number("run", first=90001)
            store.put("run", f"{number:09}", {**store.get("run", key), "id": number})
        if body.get("deleted"):
            store.remove("run", key)
            return JSONResponse({})
        with store.change():
            store.put("run", key, {**store.get("run", key), **body})
        return JSONResponse({})

    async def _plan_outcome(self, body: dict[str, Any]) -> Response:
        """Set how the next run of a workflow ends once its time is up."""
        self._api.store.put("outcome", body.pop("workflow"), body)
        return JSONResponse({})

    async def _merge(self, body: dict[str, Any]) -> Response:
        """Merge a pull request, or close it without."""
        store, key = self._api.store, f"{body['repository'].lower()}:{body['number']:06}"
        pull = store.get("pull", key)
        merged_at = pull["created_at"] if body.get("merged", True) else None
        store.put("pull", key, {**pull, "state": "closed", "merged_at": merged_at})
        if body.get("delete_branch"):
            self._api.git.unpoint(body["repository"], f"heads/{pull['head']['ref']}")
        return JSONResponse({})

    async def _expire(self, _: dict[str, Any]) -> Response:
        self._api.store.remove("token")
        return JSONResponse({})

    async def _reset(self, _: dict[str, Any]) -> Response:
        """Start over: the seeds, no runs, no faults, no logged calls."""
        self._faults.clear()
        self._log.clear()
        self._api.reset()
        return JSONResponse({})


def _error_response(status: int, messages: list[str]) -> Response:
    return JSONResponse({"message": "; ".join(messages)}, status)
