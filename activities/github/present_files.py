"""Reads the files that a commit would change, for a review before it; reads only, within bounds."""

import asyncio
from typing import Any

from temporalio import activity

from activities.action_reader import ActionReader
from activities.base import Action, ActionContext
from activities.github.access import access, as_action_errors
from activities.github.commit_config import GitCommitConfig
from activities.github.commits import place_of
from activities.session import Session
from activities.session_factory import Tools
from pao.core.names import FILES_ACTIVITY
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.files import FilesAnswer

MOST_FILES, MOST_BYTES = 10, 50_000
PARALLEL = 4


class FilesReader:
    """Reads as the action itself would."""

    def __init__(self, action: Action[Any], tools: Tools) -> None:
        self._reader = ActionReader(action, tools)

    @activity.defn(name=FILES_ACTIVITY)
    async def read(self, given: ActionInput) -> FilesAnswer:
        """Return the files, or why they are not known; never raises for what GitHub answers."""

        async def read(session: Session) -> FilesAnswer:
            return await present_files(session.config, session.context)

        return await self._reader.ask(given, read, failed=lambda why: FilesAnswer(problem=why))


async def present_files(config: GitCommitConfig, context: ActionContext) -> FilesAnswer:
    """Return what stands at the paths of a commit, where the commit would be built on."""
    if not config.show_changes:
        return FilesAnswer(problem="The service does not show what its repository holds.")
    client = access(context, config.repository, config.instance).client
    texts, unread = dict[str, str | None](), [one.path for one in config.files[MOST_FILES:]]
    with as_action_errors():
        place = await place_of(client, config, context.mark)
        tip = await client.branch(place.branch)
        if tip is None and place.base is not None:
            tip = await client.branch(place.base)
        limit = asyncio.Semaphore(PARALLEL)

        async def read(path: str) -> tuple[str, bytes | None]:
            async with limit:
                return path, await client.file(path, tip) if tip else None

        found = await asyncio.gather(*(read(one.path) for one in config.files[:MOST_FILES]))
    for path, content in found:
        try:
            texts[path] = content if content is None else _text(content)
        except ValueError:
            unread.append(path)
    return FilesAnswer(texts, unread)


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES or b"\0" in content:
        raise ValueError("no text of a modest size")
    return content.decode()
