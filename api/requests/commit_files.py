"""What the files hold that the commits of a submission would change, before it is submitted."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from api.requests.prepared import PreparedSubmission
from api.requests.schemas import DryRun, RenderedAction
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.files import FilesAnswer

COMMIT = "git-commit"
# The worker gives up after five seconds; the rest is the way there and back.
ANSWER_SECONDS = 8.0
MOST_COMMITS = 10

Key = tuple[str, str]
"""The component of a bundle, empty for what is its own, and the action."""


def shows_changes(action: RenderedAction) -> bool:
    """Return whether a review reads the files of an action: its item must say so."""
    return (
        action.type == COMMIT
        and action.config.get("showChanges") is True
        and action.complete
        and action.runs is not False
        and not action.fallback
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFilesService:
    """Lets the worker read what a submission would change, with the rights of its actions."""

    workflows: RequestWorkflows

    async def read(self, prepared: PreparedSubmission, run: DryRun) -> dict[Key, FilesAnswer]:
        """Return the files of each commit that shows them (``shows_changes``); reads only.

        ``run`` is what the same submission would do, as it is shown to its requester.
        """
        commits = dict(list(_commits_to_read(prepared, run))[:MOST_COMMITS])
        answers = await asyncio.gather(*(self._read(one) for one in commits.values()))
        return dict(zip(commits, answers, strict=True))

    async def _read(self, given: ActionInput) -> FilesAnswer:
        try:
            return await self.workflows.read_files(given, budget=ANSWER_SECONDS)
        except TemporalUnavailableError:
            return FilesAnswer(problem="Temporal does not respond; try again.")


def _commits_to_read(
    prepared: PreparedSubmission, run: DryRun
) -> Iterator[tuple[Key, ActionInput]]:
    prepared_components = {one.id: one for one in prepared.components}
    components = [
        (component.id, component.actions, prepared_components[component.id].prepared)
        for component in run.components or ()
        if not prepared_components[component.id].waiting
    ]
    for name, actions, one in (*components, ("", run.actions, prepared)):
        ids = {action.id for action in actions if shows_changes(action)}
        for action in one.actions:
            if action.id in ids:
                yield (name, action.id), ActionInput(one.context.without_plan(), action)
