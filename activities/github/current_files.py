"""Reads the files that a commit would change, for a review before it; reads only, within bounds."""

import asyncio
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from temporalio import activity

from activities.action_reader import ActionReader
from activities.base import Action, ActionContext
from activities.github.access import as_action_errors, open_repository
from activities.github.commit_config import GitCommitConfig
from activities.github.commits import choose_branches
from activities.session import ActionSession
from activities.session_factory import Tools
from pao.core.names import FILES_ACTIVITY
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.files import FilesAnswer

MOST_FILES, MOST_BYTES = 10, 50_000
PARALLEL = 4
MOST_KEPT = 8_000_000
"""Approximate size limit of the cache, in bytes."""
_ENTRY_BYTES = 500

FileLocation = tuple[str, str, str, str]
"""The server, the repository, the commit and the path of a file."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file at a commit: its text, None if there is none; ``is_shown`` is False for other data."""

    text: str | None
    is_shown: bool = True


class FileCache(LRUCache[FileLocation, FileContent]):
    """Files of commits, which do not change; the least recently used ones are dropped.

    Missing files are not cached: a replica of GitHub may not have a new commit's file yet. The
    caller has found the commit with the credentials of its own action.
    """

    def __init__(self) -> None:
        super().__init__(
            MOST_KEPT, getsizeof=lambda one: _ENTRY_BYTES + len((one.text or "").encode())
        )


class FilesReader:
    """Reads with the access of the action itself."""

    def __init__(self, action: Action[Any], tools: Tools) -> None:
        self._reader = ActionReader(action, tools)
        self._cache = FileCache()

    @activity.defn(name=FILES_ACTIVITY)
    async def read(self, given: ActionInput) -> FilesAnswer:
        """Return the files, or why they are not known; no answer of GitHub raises."""

        async def read(session: ActionSession) -> FilesAnswer:
            return await read_current_files(session.config, session.context, self._cache)

        return await self._reader.ask(given, read, failed=lambda why: FilesAnswer(problem=why))


async def read_current_files(
    config: GitCommitConfig, context: ActionContext, kept: FileCache
) -> FilesAnswer:
    """Return the current files at the paths of a commit, on the branch that it builds on."""
    if not config.show_changes:
        return FilesAnswer(problem="The service does not show what its repository holds.")
    reached = open_repository(context, config.repository, config.instance)
    client, server = reached.client, reached.instance.api_url
    texts, unread = dict[str, str | None](), [one.path for one in config.files[MOST_FILES:]]
    with as_action_errors():
        place = await choose_branches(client, config, context.mark)
        tip = await client.branch(place.branch)
        if tip is None and place.base is not None:
            tip = await client.branch(place.base)
        limit = asyncio.Semaphore(PARALLEL)

        async def read(path: str) -> tuple[str, FileContent]:
            if tip is None:
                return path, FileContent(None)
            key = server, config.repository, tip, path
            if (known := kept.get(key)) is not None:
                return path, known
            async with limit:
                content = await client.file(path, tip)
            found = _read_content(content)
            if content is not None:
                kept[key] = found
            return path, found

        found = await asyncio.gather(*(read(one.path) for one in config.files[:MOST_FILES]))
    for path, held in found:
        if held.is_shown:
            texts[path] = held.text
        else:
            unread.append(path)
    return FilesAnswer(texts, unread)


def _read_content(content: bytes | None) -> FileContent:
    if content is None:
        return FileContent(None)
    if len(content) > MOST_BYTES or b"\0" in content:
        return FileContent(None, is_shown=False)
    try:
        return FileContent(content.decode())
    except UnicodeDecodeError:
        return FileContent(None, is_shown=False)
