"""The stand-in as one ASGI application: the REST API, its own API and what goes wrong."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.gitlab.projects import Projects
from sandbox.gitlab.rest import Rest
from sandbox.gitlab.world import Settings
from sandbox.kit.control import change
from sandbox.kit.intercepted import (
    InterceptedCall,
    cut_after_work,
    drip,
    huge_answer,
    text_after_work,
)
from sandbox.kit.record import Record
from sandbox.kit.store import Store


class Faults:
    """Keeps a record of the REST calls, and lets them suffer the faults in force."""

    def __init__(self, app: ASGIApp, faults: list[dict[str, Any]], record: Record) -> None:
        self._app = app
        self._faults = faults
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/v4/"):
            await self._app(scope, receive, send)
            return
        call = InterceptedCall(self._record.of(self._app), scope, receive, send)
        fault = next((one for one in self._faults if re.search(one["path"], scope["path"])), None)
        if fault is None:
            await call.pass_on()
            return
        self._faults.remove(fault)
        await _EFFECTS[fault["kind"]](fault, call)


async def _status(fault: dict[str, Any], call: InterceptedCall) -> None:
    await call.answer(JSONResponse({"message": fault.get("message", "")}, fault["status"]))


async def _html(_: dict[str, Any], call: InterceptedCall) -> None:
    await call.answer(HTMLResponse("<!doctype html><title>Sign in</title>"))


_EFFECTS: dict[str, Callable[[dict[str, Any], InterceptedCall], Awaitable[None]]] = {
    "status": _status,
    "html": _html,
    "garbage": lambda _, call: text_after_work(call, "{\x00 it worked, probably"),
    "cut": lambda _, call: cut_after_work(call),
    "drip": lambda fault, call: drip(call, fault["seconds"]),
    "huge": lambda _, call: huge_answer(call),
}


class Control:
    """Serves /sandbox/, which no GitLab has: pushes by others, hooks, protections, faults."""

    def __init__(
        self, projects: Projects, rest: Rest, faults: list[dict[str, Any]], record: Record
    ) -> None:
        self._projects = projects
        self._rest = rest
        self._faults = faults
        self._record = record

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/sandbox/health", self._health),
            Route("/sandbox/calls", self._calls),
            Route("/sandbox/state", self._state),
            change("/sandbox/projects", self._add),
            change("/sandbox/pushes", self._push),
            change("/sandbox/branches", self._remove_branch),
            change("/sandbox/protections", self._protect),
            change("/sandbox/hooks", self._add_hook),
            change("/sandbox/events", self._tell),
            change("/sandbox/faults", self._add_fault),
            change("/sandbox/rate", self._rate),
            change("/sandbox/reset", self._reset),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _calls(self, _: Request) -> Response:
        return JSONResponse({"calls": self._record.all()})

    async def _state(self, _: Request) -> Response:
        store = self._projects.store
        kinds = ("status", "delivery")
        return JSONResponse({kind: list(store.all(kind).values()) for kind in kinds})

    async def _add(self, body: dict[str, Any]) -> Response:
        """Make a project, or move one away: to another name, or out of the world."""
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

    async def _tell(self, body: dict[str, Any]) -> Response:
        """Deliver an event; the merge request that it is about is known from then on."""
        name, payload = body["project"], body["payload"]
        merge = payload.get("object_attributes") or {}
        if "iid" in merge:
            key = f"{name.lower()}:{merge['last_commit']['id']}"
            self._projects.store.put("merge", key, {"iid": merge["iid"]})
        self._projects.tell(name, body["event"], payload)
        return JSONResponse({}, 201)

    async def _add_fault(self, body: dict[str, Any]) -> Response:
        self._faults.append(body)
        return JSONResponse({}, 201)

    async def _rate(self, body: dict[str, Any]) -> Response:
        self._rest.left = body["remaining"]
        return JSONResponse({})

    async def _reset(self, _: dict[str, Any]) -> Response:
        self._faults.clear()
        self._record.clear()
        self._projects.store.reset()
        self._rest.left = 2000
        return JSONResponse({})


def build_app(store: Store, settings: Settings) -> Starlette:
    """Return the application over an open store."""
    projects, record = Projects(store), Record()
    faults: list[dict[str, Any]] = []
    rest = Rest(projects, settings)
    return Starlette(
        routes=[*rest.routes(), *Control(projects, rest, faults, record).routes()],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(Faults, faults=faults, record=record),
        ],
    )
