"""A small service for the samples to call: records that take a moment, and signed hooks.

It simulates a platform team's own services. Its state lives as long as its process.
"""

import hashlib
import hmac
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "sample-target-token"  # noqa: S105 -- for the service of this file only
HOOK_KEY = "sample-hook-key-for-this-machine"
PREFIX = "/target"
# How often a record is polled before it is ready, and how old a signed hook may be.
POLLS_BEFORE_READY = 2
OLDEST_SECONDS = 300


class SampleTarget:
    """Keeps records by their idempotency key, and hooks by their delivery id."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Any]] = {}
        self._polls: dict[str, int] = {}
        self._hooks: dict[str, Any] = {}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{PREFIX}/records", self.create, methods=["POST"]),
            Route(f"{PREFIX}/records", self.records, methods=["GET"]),
            Route(f"{PREFIX}/records/{{id}}", self.record, methods=["GET"]),
            Route(f"{PREFIX}/hooks", self.receive_hook, methods=["POST"]),
            Route(f"{PREFIX}/hooks", self.hooks, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Accept a record; the same key returns the same one."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _refusal("a token is missing", status=401)
        try:
            given = json.loads(await request.body())
            name = str(given["name"])
        except (ValueError, KeyError, TypeError):
            return _refusal("write a JSON object with a name", status=400)
        key = request.headers.get("idempotency-key") or f"{name}-{len(self._records)}"
        record = self._records.setdefault(key, {**given, "id": f"rec-{len(self._records) + 1}"})
        place = f"{PREFIX}/records/{record['id']}"
        return JSONResponse(record, status_code=202, headers={"Location": place})

    async def records(self, _request: Request) -> Response:
        """Return every record."""
        return JSONResponse({"items": list(self._records.values())})

    async def record(self, request: Request) -> Response:
        """Return one record, and whether it is ready yet."""
        wanted = request.path_params["id"]
        found = next((one for one in self._records.values() if one["id"] == wanted), None)
        if found is None:
            return _refusal("there is no such record", status=404)
        self._polls[wanted] = self._polls.get(wanted, 0) + 1
        ready = self._polls[wanted] >= POLLS_BEFORE_READY
        return JSONResponse({**found, "state": "ready" if ready else "working"})

    async def receive_hook(self, request: Request) -> Response:
        """Accept a hook whose signature is valid and fresh."""
        body = await request.body()
        stamp = request.headers.get("x-pao-timestamp", "")
        signed = f"{stamp}.".encode() + body
        digest = hmac.new(HOOK_KEY.encode(), signed, hashlib.sha256).hexdigest()
        signature = request.headers.get("x-pao-signature", "")
        if not hmac.compare_digest(signature, f"sha256={digest}"):
            return _refusal("the signature is invalid", status=401)
        if abs(time.time() - int(stamp)) > OLDEST_SECONDS:
            return _refusal("the signature is too old", status=401)
        self._hooks[request.headers.get("x-pao-delivery", "")] = json.loads(body)
        return Response(status_code=204)

    async def hooks(self, _request: Request) -> Response:
        """Return the accepted hooks, each delivery once."""
        return JSONResponse({"hooks": list(self._hooks.values())})


def _refusal(message: str, *, status: int) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)
