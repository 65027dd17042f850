"""The primary rate limit, which counts down with every call, and entity tags, which save calls."""

import hashlib
import threading
import time

from starlette.requests import Request
from starlette.responses import Response

LIMIT = 5000
_WINDOW = 3600


class RateLimit:
    """The remaining calls of one hour, shared by all callers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.set(LIMIT)

    def set(self, remaining: int, *, seconds: float = _WINDOW) -> None:
        """Leave so many calls until the window ends."""
        with self._lock:
            self._remaining = remaining
            self._ends = time.time() + seconds

    def count_call(self) -> bool:
        """Count a call; returns whether it may be made."""
        with self._lock:
            if time.time() >= self._ends:
                self._remaining, self._ends = LIMIT, time.time() + _WINDOW
            if self._remaining <= 0:
                return False
            self._remaining -= 1
            return True

    def uncount_call(self) -> None:
        """Uncount a call: a response that has not changed costs nothing."""
        with self._lock:
            self._remaining += 1

    def headers(self) -> dict[str, str]:
        """Return the headers by which every response reports it."""
        with self._lock:
            return {
                "X-RateLimit-Limit": str(LIMIT),
                "X-RateLimit-Remaining": str(self._remaining),
                "X-RateLimit-Used": str(LIMIT - self._remaining),
                "X-RateLimit-Resource": "core",
                "X-RateLimit-Reset": str(int(self._ends)),
            }


def with_etag(request: Request, response: Response) -> Response:
    """Return the response with an entity tag, or 304 where the caller knows it already."""
    if request.method != "GET" or response.status_code != 200:  # noqa: PLR2004 -- a plain success
        return response
    tag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()}"'
    if request.headers.get("If-None-Match") == tag:
        response = Response(status_code=304)
    response.headers["ETag"] = tag
    return response
