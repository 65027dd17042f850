"""Fault injection: the queue of active faults, the middleware that applies them, and their routes.

What a server words in its own way (an error, a rate limit, a login page) is in that stand-in's
``faults.py``.
"""

import json
import re
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pao.runtime.model_errors import messages_of
from sandbox.kit.call_log import CallLog
from sandbox.kit.intercepted import (
    InterceptedCall,
    cut_after_work,
    drip,
    huge_answer,
    text_after_work,
)
from sandbox.kit.origin import is_foreign

PATH = "/sandbox/faults"


def _compile(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


PathPattern = Annotated[
    str, AfterValidator(_compile), Field(description="Regular expression, found in the path.")
]


class Fault(BaseModel, ABC):
    """One fault; it strikes the next ``times`` calls that it matches (None: until it is cleared).

    ``seconds`` is how long a slow answer takes, or the pause between two bytes of a drip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    times: Annotated[int, Field(ge=1)] | None = 1
    seconds: Annotated[float, Field(ge=0, le=3600)] | None = None

    @property
    def calls_to_skip(self) -> int:
        """How many matching calls pass before it strikes."""
        return 0

    @abstractmethod
    def matches(self, *, method: str, path: str, body: bytes) -> bool:
        """Return whether the fault is meant for a call."""

    def document(self, *, remaining: int | None, skipped: int) -> dict[str, Any]:
        """Return it as JSON for the faults API, given how often it has struck and passed."""
        del skipped
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {**body, "times": self.times, "remaining": remaining}


FaultT = TypeVar("FaultT", bound=Fault)
Effect = Callable[[Any, InterceptedCall], Awaitable[None]]
"""Answers a call as its fault says."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What a kind of fault means, and says whether the server does the work; and its effect."""

    meaning: str
    effect: Effect


async def _drip(fault: Fault, call: InterceptedCall) -> None:
    await drip(call, 1.0 if fault.seconds is None else fault.seconds)


SHARED_KINDS: Mapping[str, FaultKind] = {
    "cut-before": FaultKind("no work; the connection is cut", lambda _, call: call.cut()),
    "cut-after": FaultKind(
        "the work is done; the connection is cut before the answer",
        lambda _, call: cut_after_work(call),
    ),
    "drip": FaultKind("the work is done; the answer comes one byte a second", _drip),
    "huge": FaultKind(
        "the work is done; the answer is 10 MB long", lambda _, call: huge_answer(call)
    ),
}
"""The kinds that any server can have."""

GARBAGE = FaultKind(
    "the work is done; an answer that is not JSON",
    lambda _, call: text_after_work(call, "{\x00 it worked, probably"),
)
"""A kind of the stand-ins for forges; JIRA's has a 201 of its own."""


class FaultStorage(Protocol):
    """Where active faults are kept, with how many strikes each has left (None: endless)."""

    def add_fault(self, document: Mapping[str, Any], *, times: int | None) -> int:
        """Store a fault and return its id."""

    def faults(self) -> list[tuple[int, dict[str, Any], int | None]]:
        """Return id, document and remaining strikes of all faults, oldest first."""

    def use_fault(self, fault_id: int) -> bool:
        """Count one strike; false if another call took the last one."""

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all of them."""


class MemoryFaultStorage:
    """Keeps faults as long as the process runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_id = 0
        self._faults: dict[int, tuple[dict[str, Any], int | None]] = {}

    def add_fault(self, document: Mapping[str, Any], *, times: int | None) -> int:
        """Store a fault and return its id."""
        with self._lock:
            self._last_id += 1
            self._faults[self._last_id] = (dict(document), times)
            return self._last_id

    def faults(self) -> list[tuple[int, dict[str, Any], int | None]]:
        """Return id, document and remaining strikes of all faults, oldest first."""
        with self._lock:
            return [(number, *stored) for number, stored in self._faults.items()]

    def use_fault(self, fault_id: int) -> bool:
        """Count one strike; false if another call took the last one."""
        with self._lock:
            stored = self._faults.get(fault_id)
            if stored is None:
                return False
            document, remaining = stored
            if remaining == 1:
                del self._faults[fault_id]
            elif remaining is not None:
                self._faults[fault_id] = (document, remaining - 1)
            return True

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all of them."""
        with self._lock:
            if fault_id is None:
                self._faults.clear()
            else:
                self._faults.pop(fault_id, None)


@dataclass(frozen=True, slots=True)
class ActiveFault(Generic[FaultT]):
    """A fault with its id, its remaining strikes (None: endless) and the calls that it let pass."""

    id: int
    fault: FaultT
    remaining: int | None
    skipped: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON for the faults API."""
        fault = self.fault.document(remaining=self.remaining, skipped=self.skipped)
        return {"id": self.id, **fault}


class FaultQueue(Generic[FaultT]):
    """The active faults of a stand-in; the oldest that matches a call strikes it."""

    def __init__(
        self,
        fault_type: type[FaultT],
        kinds: Mapping[str, FaultKind],
        storage: FaultStorage | None = None,
    ) -> None:
        self.fault_type = fault_type
        self._kinds = kinds
        self._storage = storage or MemoryFaultStorage()
        self._skipped: Counter[int] = Counter()

    @property
    def meanings(self) -> dict[str, str]:
        """What each kind of fault means."""
        return {name: kind.meaning for name, kind in self._kinds.items()}

    def all(self) -> list[ActiveFault[FaultT]]:
        """Return the active faults, oldest first."""
        return [
            ActiveFault(number, self.read(document), remaining, self._skipped[number])
            for number, document, remaining in self._storage.faults()
        ]

    def read(self, document: object) -> FaultT:
        """Return the fault that a document describes; raises ValidationError."""
        return self.fault_type.model_validate(document)

    def add(self, fault: FaultT) -> int:
        """Activate a fault and return its id."""
        return self._storage.add_fault(fault.model_dump(mode="json"), times=fault.times)

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all."""
        self._storage.clear_faults(fault_id)

    def take(self, *, method: str, path: str, body: bytes) -> FaultT | None:
        """Return the fault that strikes a call, and count the strike."""
        for active in self.all():
            fault = active.fault
            if not fault.matches(method=method, path=path, body=body):
                continue
            if active.skipped < fault.calls_to_skip:
                self._skipped[active.id] += 1
            elif self._storage.use_fault(active.id):
                return fault
        return None

    async def apply(self, fault: FaultT, call: InterceptedCall) -> None:
        """Answer a call as its fault says."""
        await self._kinds[fault.kind].effect(fault, call)


class FaultMiddleware:
    """Applies the active faults to calls below ``prefixes``; pages and the faults API never fail.

    Those calls are also written to ``log``, if there is one.
    """

    def __init__(
        self,
        app: ASGIApp,
        queue: FaultQueue[Any],
        prefixes: tuple[str, ...],
        log: CallLog | None = None,
    ) -> None:
        self._app = app
        self._queue = queue
        self._prefixes = prefixes
        self._logged_app = log.wrap(app) if log else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, with the fault that strikes it, if any."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefixes):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        fault = self._queue.take(method=scope["method"], path=scope["path"], body=body)
        call = InterceptedCall(self._logged_app, scope, receive, send, body=body)
        await (call.forward() if fault is None else self._queue.apply(fault, call))


def fault_routes(
    queue: FaultQueue[Any], error_response: Callable[[int, list[str]], Response]
) -> list[Route]:
    """Return the routes that list, add and clear faults; errors have the server's own shape."""

    async def show(_: Request) -> Response:
        faults = [active.document() for active in queue.all()]
        return JSONResponse({"faults": faults, "kinds": queue.meanings})

    async def add(request: Request) -> Response:
        content_type = request.headers.get("Content-Type", "")
        if is_foreign(request) or not content_type.startswith("application/json"):
            return error_response(403, ["send JSON, from here"])
        try:
            fault = queue.read(json.loads(await request.body()))
        except ValidationError as error:
            return error_response(422, list(messages_of(error)))
        except ValueError:
            return error_response(400, ["the body is not JSON"])
        return JSONResponse({"id": queue.add(fault)}, 201)

    async def clear(request: Request) -> Response:
        if is_foreign(request):
            return error_response(403, ["not from a foreign page"])
        queue.clear(request.path_params.get("id"))
        return Response(status_code=204)

    return [
        Route(PATH, show, methods=["GET"]),
        Route(PATH, add, methods=["POST"]),
        Route(PATH, clear, methods=["DELETE"]),
        Route(f"{PATH}/{{id:int}}", clear, methods=["DELETE"]),
    ]


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return body
