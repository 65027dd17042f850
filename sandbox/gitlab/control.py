"""The stand-in's own API, which no GitLab has: pushes by others, hooks, protections, faults."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.gitlab.faults import GitLabFault
from sandbox.gitlab.projects import Projects
from sandbox.gitlab.rest import GitLabApi
from sandbox.kit.call_log import CallLog
from sandbox.kit.control import post_route
from sandbox.kit.faults import FaultQueue, fault_routes


class GitLabControl:
    """Serves /sandbox/."""

    def __init__(
        self,
        projects: Projects,
        api: GitLabApi,
        faults: FaultQueue[GitLabFault],
        log: CallLog,
    ) -> None:
        self._projects = projects
        self._api = api
        self._faults = faults
        self._log = log

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/sandbox/health", self._health),
            Route("/sandbox/calls", self._calls),
            Route("/sandbox/state", self._state),
            post_route("/sandbox/projects", self._add_project),
            post_route("/sandbox/pushes", self._push),
            post_route("/sandbox/branches", self._remove_branch),
            post_route("/sandbox/protections", self._protect),
            post_route("/sandbox/hooks", self._add_hook),
            post_route("/sandbox/events", self._deliver_event),
            *fault_routes(self._faults, _error_response),
            post_route("/sandbox/rate", self._rate),
            post_route("/sandbox/reset", self._reset),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _calls(self, _: Request) -> Response:
        return JSONResponse({"calls": self._log.all()})

    async def _state(self, _: Request) -> Response:
        store = self._projects.store
        kinds = ("status", "delivery")
        return JSONResponse({kind: list(store.all(kind).values()) for kind in kinds})

    async def _add_project(self, body: dict[str, Any]) -> Response:
        """Make a project, or move one: to another name, or out of sight."""
        store, name = self._projects.store, body["name"]
        if "moved" in body:
            store.remove("project", name.lower())
            if body["moved"]:
                store.put("moved", name.lower(), body["moved"])
        else:
            self._projects.add(name, body.get("files") or {})
        return JSONResponse({}, 201)

    async def _push(self, body: dict[str, Any]) -> Response:
        branch = body.pop("branch", "main")
        sha = self._projects.push(body.pop("project"), branch, body.pop("files"), **body)
        return JSONResponse({"sha": sha}, 201)

    async def _remove_branch(self, body: dict[str, Any]) -> Response:
        self._projects.remove_branch(body["project"], body["branch"])
        return JSONResponse({})

    async def _protect(self, body: dict[str, Any]) -> Response:
        self._projects.store.put("protected", body["project"].lower(), body["branches"])
        return JSONResponse({})

    async def _add_hook(self, body: dict[str, Any]) -> Response:
        hook = {"url": body["url"], "token": body["token"]}
        self._projects.store.put("hook", body["project"].lower(), hook)
        return JSONResponse({}, 201)

    async def _deliver_event(self, body: dict[str, Any]) -> Response:
        """Deliver an event; the merge request that it is about is known from then on."""
        name, payload = body["project"], body["payload"]
        merge = payload.get("object_attributes") or {}
        if "iid" in merge:
            key = f"{name.lower()}:{merge['last_commit']['id']}"
            self._projects.store.put("merge", key, {"iid": merge["iid"]})
        self._projects.notify(name, body["event"], payload)
        return JSONResponse({}, 201)

    async def _rate(self, body: dict[str, Any]) -> Response:
        self._api.calls_left = body["remaining"]
        return JSONResponse({})

    async def _reset(self, _: dict[str, Any]) -> Response:
        self._faults.clear()
        self._log.clear()
        self._projects.store.reset()
        self._api.calls_left = 2000
        return JSONResponse({})


def _error_response(status: int, messages: list[str]) -> Response:
    return JSONResponse({"message": "; ".join(messages)}, status)
