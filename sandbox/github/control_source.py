"""The stand-in's own API for repositories as sources: pushes of every kind, hooks, lag, limits."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import GitHubApi
from sandbox.kit.control import post_route
from sandbox.kit.git import FILE


class RepositoryControl:
    """Serves the part of /sandbox/ that simulates people who push, and servers with limits."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            post_route("/sandbox/pushes", self._push),
            post_route("/sandbox/refs", self._point),
            post_route("/sandbox/hooks", self._add_hook),
            Route("/sandbox/deliveries", self._deliveries),
            post_route("/sandbox/deliveries", self._redeliver),
            post_route("/sandbox/pulls", self._notify_pull),
            post_route("/sandbox/reruns", self._rerun),
            post_route("/sandbox/lags", self._lag),
            post_route("/sandbox/rate", self._rate),
            post_route("/sandbox/protections", self._protect),
        ]

    async def _push(self, body: dict[str, Any]) -> Response:
        """Commit to a branch; ``parent`` rewrites its history from there."""
        sha = self._api.push(
            body["repository"],
            body.get("branch", "main"),
            body["files"],
            message=body.get("message", "Somebody else's work"),
            mode=body.get("mode", FILE),
            parent=body.get("parent"),
        )
        return JSONResponse({"sha": sha}, 201)

    async def _point(self, body: dict[str, Any]) -> Response:
        """Point ``heads/...`` or ``tags/...`` to a commit; without one it is deleted.

        Without a reference all go, and the repository is empty.
        """
        name = body["repository"]
        for ref in [body["ref"]] if "ref" in body else self._api.git.refs(name):
            self._api.point(name, ref, body.get("sha"))
        return JSONResponse({})

    async def _add_hook(self, body: dict[str, Any]) -> Response:
        self._api.deliveries.add_hook(body["repository"], body["url"], body["secret"])
        return JSONResponse({}, 201)

    async def _deliveries(self, _: Request) -> Response:
        return JSONResponse({"deliveries": self._api.deliveries.all()})

    async def _redeliver(self, body: dict[str, Any]) -> Response:
        self._api.deliveries.redeliver(body["id"])
        return JSONResponse({}, 201)

    async def _notify_pull(self, body: dict[str, Any]) -> Response:
        """Send an event of a pull request, whose head is what its branch points to now."""
        name, store = body["repository"], self._api.store
        key = f"{name.lower()}:{body['number']:06}"
        pull = store.get("pull", key)
        tip = self._api.git.ref(name, f"heads/{pull['head']['ref']}") or pull["head"]["sha"]
        pull = {**pull, "head": {**pull["head"], "sha": tip}}
        store.put("pull", key, pull)
        self._api.notify_pull_request(name, pull, body["action"])
        return JSONResponse({})

    async def _rerun(self, body: dict[str, Any]) -> Response:
        """Request a check run again, as the button *Re-run* does."""
        check = self._api.store.get("check", f"{body['repository'].lower()}:{body['id']:09}")
        self._api.notify_rerequest(body["repository"], check["run"])
        return JSONResponse({})

    async def _lag(self, body: dict[str, Any]) -> Response:
        """Answer so many calls with what a branch is now, whatever is pushed meanwhile."""
        ref = f"heads/{body.get('branch', 'main')}"
        self._api.lag(body["repository"], ref, calls=body["calls"])
        return JSONResponse({})

    async def _rate(self, body: dict[str, Any]) -> Response:
        self._api.rate.set(body["remaining"], seconds=body.get("seconds", 3600))
        return JSONResponse({})

    async def _protect(self, body: dict[str, Any]) -> Response:
        """Set the parameters of a branch's pull request rule; None removes the rule."""
        key = f"{body['repository'].lower()}:{body.get('branch', 'main')}"
        self._api.store.remove("protection", key)
        if body.get("rule") is not None:
            self._api.store.put("protection", key, body["rule"])
        return JSONResponse({})
