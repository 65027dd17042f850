"""A log of the newest calls and their responses, for tests and inspection."""

import json
from collections import deque
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_CALLS = 1000
_LONGEST = 64 * 1024


class CallLog:
    """Keeps calls without their headers, and so without credentials."""

    def __init__(self) -> None:
        self._calls: deque[dict[str, Any]] = deque(maxlen=MAX_CALLS)

    def all(self) -> list[dict[str, Any]]:
        """Return the calls, oldest first."""
        return list(self._calls)

    def clear(self) -> None:
        """Forget the calls."""
        self._calls.clear()

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the application with every call logged."""

        async def logged(scope: Scope, receive: Receive, send: Send) -> None:
            sent, answered = bytearray(), bytearray()
            call: dict[str, Any] = {
                "method": scope["method"],
                "path": scope["path"],
                "query": dict(parse_qsl(scope["query_string"].decode())),
            }

            async def receive_and_log() -> Message:
                message = await receive()
                sent.extend(message.get("body", b""))
                return message

            async def send_and_log(message: Message) -> None:
                call.setdefault("status", message.get("status"))
                call.setdefault("type", _type(message))
                answered.extend(message.get("body", b""))
                await send(message)

            self._calls.append(call)
            await app(scope, receive_and_log, send_and_log)
            call |= {"body": _document(sent), "answer": _document(answered)}
            call["cut"] = len(answered) > _LONGEST

        return logged


def _type(message: Message) -> str:
    return next((v.decode() for k, v in message.get("headers", ()) if k == b"content-type"), "")


def _document(content: bytearray) -> Any:
    try:
        return json.loads(content) if len(content) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None
