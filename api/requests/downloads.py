"""Downloads of any length: how many a caller may have open, and how they end with their caller."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.requests.streams import Streams

_log = logging.getLogger(__name__)


class _NotAllowedError(Exception):
    """The caller is no longer allowed to download."""


class Download(StreamingResponse):
    """Lines as they are read; it holds one of its caller's places among the streams until it ends.

    ``is_allowed`` is checked repeatedly. Once it is false the connection is broken off, so that a
    partial file is not mistaken for a complete one.
    """

    def __init__(  # noqa: PLR0913 -- its parts, each named
        self,
        lines: AsyncIterator[str],
        streams: Streams,
        caller_id: str,
        *,
        is_allowed: Callable[[], Awaitable[bool]],
        media_type: str,
        file: str | None = None,
    ) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{file}"'} if file else None
        super().__init__(self._allowed(lines), media_type=media_type, headers=headers)
        self._streams = streams
        self._caller_id = caller_id
        self._is_allowed = is_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the download, where a place is free."""
        with self._streams.slot(self._caller_id), suppress(_NotAllowedError):
            await super().__call__(scope, receive, send)

    async def _allowed(self, lines: AsyncIterator[str]) -> AsyncIterator[str]:
        now = asyncio.get_running_loop().time
        checked_at = now()
        async for line in lines:
            if now() - checked_at >= self._streams.limits.heartbeat.total_seconds():
                if not await self._is_allowed():
                    _log.warning(
                        "a download of %s was broken off: no longer allowed", self._caller_id
                    )
                    raise _NotAllowedError
                checked_at = now()
            yield line
