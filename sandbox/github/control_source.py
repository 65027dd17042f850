"""The stand-in's own API for repositories as sources: pushes of every kind, hooks, lag, limits."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import RestCalls
from sandbox.kit.control import change
from sandbox.kit.git import FILE


class SourceControl:
    """Serves the part of /sandbox/ that plays people who push, and servers with limits."""

    def __init__(self, calls: RestCalls) -> None:
        self._calls = calls

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            change("/sandbox/pushes", self._push),
            change("/sandbox/refs", self._point),
            change("/sandbox/hooks", self._add_hook),
            Route("/sandbox/deliveries", self._deliveries),
            change("/sandbox/deliveries", self._redeliver),
            change("/sandbox/pulls", self._tell_pull),
            change("/sandbox/reruns", self._rerun),
            change("/sandbox/lags", self._lag),
            change("/sandbox/rate", self._rate),
            change("/sandbox/protections", self._protect),
        ]

    async def _push(self, body: dict[str, Any]) -> Response:
        """Commit to a branch; ``parent`` rewrites its history from there."""
        sha = self._calls.push(
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
        for ref in [body["ref"]] if "ref" in body else self._calls.git.refs(name):
            self._calls.point(name, ref, body.get("sha"))
        return JSONResponse({})

    async def _add_hook(self, body: dict[str, Any]) -> Response:
        self._calls.deliveries.add_hook(body["repository"], body["url"], body["secret"])
        return JSONResponse({}, 201)

    async def _deliveries(self, _: Request) -> Response:
        return JSONResponse({"deliveries": self._calls.deliveries.all()})

    async def _redeliver(self, body: dict[str, Any]) -> Response:
        self._calls.deliveries.redeliver(body["id"])
        return JSONResponse({}, 201)

    async def _tell_pull(self, body: dict[str, Any]) -> Response:
        """Let an event of a pull request happen; its head is what its branch points to now."""
        name, store = body["repository"], self._calls.store
        key = f"{name.lower()}:{body['number']:06}"
        pull = store.get("pull", key)
        tip = self._calls.git.ref(name, f"heads/{pull['head']['ref']}") or pull["head"]["sha"]
        pull = {**pull, "head": {**pull["head"], "sha": tip}}
        store.put("pull", key, pull)
        self._calls.tell_pull(name, pull, body["action"])
        return JSONResponse({})

    async def _rerun(self, body: dict[str, Any]) -> Response:
        """Want a check run once more, as the button *Re-run* does."""
        kept = self._calls.store.get("check", f"{body['repository'].lower()}:{body['id']:09}")
        self._calls.tell_rerequest(body["repository"], kept["run"])
        return JSONResponse({})

    async def _lag(self, body: dict[str, Any]) -> Response:
        """Let a replica answer so many calls with what a branch is now, whatever is pushed."""
        ref = f"heads/{body.get('branch', 'main')}"
        self._calls.lag(body["repository"], ref, calls=body["calls"])
        return JSONResponse({})

    async def _rate(self, body: dict[str, Any]) -> Response:
        self._calls.rate.set(body["remaining"], seconds=body.get("seconds", 3600))
        return JSONResponse({})

    async def _protect(self, body: dict[str, Any]) -> Response:
        """Set the parameters of a branch's pull request rule; None takes the rule away."""
        key = f"{body['repository'].lower()}:{body.get('branch', 'main')}"
        self._calls.store.remove("protection", key)
        if body.get("rule") is not None:
            self._calls.store.put("protection", key, body["rule"])
        return JSONResponse({})
