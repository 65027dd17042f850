"""Routes of a stand-in's own API by which tests change its state."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.origin import is_foreign

Handler = Callable[[Any], Awaitable[Response]]


def post_route(path: str, handler: Handler) -> Route:
    """Return a route that passes posted JSON to ``handler``; foreign pages are refused."""

    async def serve(request: Request) -> Response:
        if is_foreign(request) or request.headers.get("Content-Type") != "application/json":
            return JSONResponse({"message": "send JSON, from here"}, 403)
        try:
            return await handler(json.loads(await request.body()))
        except (ValueError, LookupError, TypeError) as error:
            return JSONResponse({"message": f"{type(error).__name__}: {error}"}, 400)

    return Route(path, serve, methods=["POST"])
