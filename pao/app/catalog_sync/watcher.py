"""When a local catalog is read again: at the start, and on changes of its files or folder."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from watchfiles import Change, awatch
from watchfiles.main import FileChange

from catalog.sources.files import SUFFIXES, real
from pao.clients.temporal import TemporalUnavailableError
from pao.core.errors import PaoError
from pao.runtime.background import BackgroundTask

_log = logging.getLogger(__name__)

# An editor or a checkout writes several files at once; they are read together.
DEBOUNCE_STEP_MILLISECONDS = 100
DEBOUNCE_MILLISECONDS = 1_000
# How often the folder is checked to be still the one that is watched.
POLL_MILLISECONDS = 1_000
RETRY_SECONDS = 1.0


class CatalogWatcher:
    """Calls ``refresh`` once at the start and, if it is to ``watch``, whenever a document changes.

    Use it as an async context manager. If the system cannot report changes, the files are polled
    instead. A call that fails is repeated until it succeeds.
    """

    def __init__(
        self,
        folder: Path,
        refresh: Callable[[], Awaitable[object]],
        *,
        watch: bool = True,
    ) -> None:
        self._folder = folder
        self._refresh = refresh
        self._watch = watch
        self._due = asyncio.Event()
        self._due.set()
        self._refreshing = BackgroundTask("catalog-refresh", self._keep_refreshing)
        self._watching = BackgroundTask("catalog-watch", self._keep_watching)
        self._running = AsyncExitStack()

    @property
    def tasks(self) -> tuple[BackgroundTask, ...]:
        """The tasks that run while the catalog is watched."""
        return (self._refreshing, self._watching) if self._watch else (self._refreshing,)

    async def __aenter__(self) -> Self:
        for task in self.tasks:
            await self._running.enter_async_context(task)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._running.aclose()

    def trigger(self) -> None:
        """Trigger a refresh without waiting for a change."""
        self._due.set()

    async def _keep_refreshing(self) -> None:
        last_warning: str | None = None
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._refresh()
                self._refreshing.mark_healthy()
                last_warning = None
            except (PaoError, TemporalUnavailableError) as error:
                if last_warning != str(error):
                    _log.warning("a change of the catalog could not be signaled: %r", error)
                last_warning = str(error)
                self._due.set()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                # Any other error is retried as soon as this task is restarted.
                self._due.set()
                raise

    async def _keep_watching(self) -> None:
        polling = False
        while True:
            try:
                await self._watch_folder(polling=polling)
            except FileNotFoundError:
                await self._wait_for_folder()
            except (OSError, RuntimeError) as error:
                # Too many watches, or a file system that cannot report changes.
                _log.warning("the catalog folder is polled instead of watched: %s", error)
                polling = True
            self._due.set()
            await asyncio.sleep(RETRY_SECONDS)

    async def _wait_for_folder(self) -> None:
        """Wait until the folder exists again; that it is gone is signaled once."""
        self._due.set()
        while _identity(self._folder) is None:
            self._watching.mark_healthy()
            await asyncio.sleep(RETRY_SECONDS)

    async def _watch_folder(self, *, polling: bool) -> None:
        """Watch until the folder is removed or replaced."""
        watched = _identity(self._folder)
        is_first = True
        async for changes in awatch(
            self._folder,
            watch_filter=_is_document,
            debounce=DEBOUNCE_MILLISECONDS,
            step=DEBOUNCE_STEP_MILLISECONDS,
            rust_timeout=POLL_MILLISECONDS,
            yield_on_timeout=True,
            force_polling=polling or None,
        ):
            self._watching.mark_healthy()
            # What changed just before the watch began was not reported.
            if changes or is_first:
                self._due.set()
            is_first = False
            # A folder that was recreated may have the inode of the previous one.
            if _identity(self._folder) != watched or _is_gone(self._folder, changes):
                return


def _is_document(change: Change, path: str) -> bool:
    # A folder that is removed or created may hold documents, and only its own name is reported.
    suffix = Path(path).suffix
    return suffix in SUFFIXES or (not suffix and change is not Change.modified)


def _is_gone(folder: Path, changes: set[FileChange]) -> bool:
    gone = {Path(path) for change, path in changes if change is Change.deleted}
    return not gone.isdisjoint({folder, real(folder)})


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return the identity of the folder at the path: a link or a mount may change it."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
