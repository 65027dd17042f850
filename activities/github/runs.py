"""Finds the run that an action started, by the mark in its name, never by guessing."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, Self

from activities.action_errors import ActionFailedError
from activities.base import ActionContext
from activities.github.access import GitHubAccess
from activities.github.commits import MOST_PAGES
from activities.github.workflow_config import GitHubWorkflowConfig
from activities.github.workflow_file import WorkflowFile, read_workflow_file
from pao.clients.github import PAGE, GitHubRefusedError, WorkflowRun
from pao.core.failure_classes import BAD_CALL, FORBIDDEN, HIDDEN, NOT_SET
from pao.core.payloads.failures import PartialResource

MARK = re.compile(r"pao-[0-9a-f]{12}")
SUCCESSFUL = frozenset({"success", "neutral", "skipped"})
LISTING_PAUSE = 1.0
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Which workflow to start, on what, with which inputs, and the input for the mark.

    ``since`` is the earliest time at which a run of it can have been started.
    ``branch`` is the one its runs are looked for on: None where the default branch is meant, which
    may have had another name when an earlier attempt started a run.
    """

    workflow: str
    ref: str
    branch: str | None
    inputs: dict[str, str]
    mark_input: str
    since: str

    @classmethod
    def of(cls, config: GitHubWorkflowConfig, ref: str, since: str) -> Self:
        """Return what a configuration asks for."""
        return cls(
            workflow=config.workflow_file,
            ref=ref,
            branch=config.ref,
            inputs=config.texts,
            mark_input=config.correlation_input,
            since=since,
        )


class _TooManyRunsError(ActionFailedError):
    """The runs are more than GitHub lists."""


class RunSearch(Protocol):
    """A search for the run with the mark."""

    async def __call__(
        self,
        access: GitHubAccess,
        context: ActionContext,
        wanted: RunRequest,
        *,
        fits: Callable[[WorkflowRun], bool],
    ) -> WorkflowRun | None:
        """Return the newest run that fits and whose name shows the mark."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The inputs as they are sent; ``certain`` when the run's name is sure to show the mark."""

    inputs: dict[str, str]
    certain: bool


async def prepare_dispatch(
    access: GitHubAccess, context: ActionContext, wanted: RunRequest
) -> Dispatch:
    """Return what to send; raises if the run could not be found later.

    Reads the workflow's file, which says what its runs are called.
    """
    server, file = access.instance, await _read_file(access, wanted)
    if file is not None and not file.dispatchable:
        raise ActionFailedError(
            f"The workflow {wanted.workflow} cannot be started from outside: add the trigger "
            "workflow_dispatch to it.",
            judged=NOT_SET,
        )
    certain = file is not None and file.shows(wanted.mark_input)
    if file is not None and not certain and not server.returns_run:
        raise ActionFailedError(_mark_advice(server.title, wanted), judged=NOT_SET)
    has_mark = wanted.mark_input in file.inputs if file is not None else not server.returns_run
    if server.returns_run and len(wanted.inputs) == server.most_inputs:
        # The answer names the run; the mark would only help after a lost answer.
        has_mark = certain = False
    sent = wanted.inputs | ({wanted.mark_input: context.mark} if has_mark else {})
    if len(sent) > server.most_inputs:
        raise ActionFailedError(
            f"There are {len(sent)} inputs, including the one for the mark, but "
            f"{server.title} takes {server.most_inputs} at most. Put several values into one, as "
            "JSON.",
            judged=BAD_CALL,
        )
    return Dispatch(sent, certain)


async def find_marked(
    access: GitHubAccess,
    context: ActionContext,
    wanted: RunRequest,
    *,
    fits: Callable[[WorkflowRun], bool],
) -> WorkflowRun | None:
    """Return the newest run that fits and whose name shows the mark.

    GitHub's list lags behind its runs, so an empty answer is asked for again.
    """
    for pause in _pauses(context.options.github.listing_lag):
        async with aclosing(_list_runs(access, context, wanted)) as runs:
            async for run in runs:
                if context.mark in run.title and fits(run):
                    return run
        await asyncio.sleep(min(pause, context.deadline.remaining()))
    return None


async def find_listed(
    access: GitHubAccess,
    context: ActionContext,
    wanted: RunRequest,
    *,
    fits: Callable[[WorkflowRun], bool],
) -> WorkflowRun | None:
    """Return the newest run that fits and whose name shows the mark, if it is listed by now.

    For a run that exists: it may be missing because the list lags, or is too long.
    """
    try:
        async with aclosing(_list_runs(access, context, wanted)) as runs:
            async for run in runs:
                if context.mark in run.title and fits(run):
                    return run
    except _TooManyRunsError:
        return None
    return None


async def find_run(access: GitHubAccess, number: int) -> WorkflowRun | None:
    """Return a run by its id; None if GitHub reports that it no longer exists."""
    try:
        return await access.client.run(number)
    except GitHubRefusedError as error:
        if error.status == _NOT_FOUND and error.judged is not HIDDEN:
            return None
        raise


async def find_all_marked(
    access: GitHubAccess, context: ActionContext, wanted: RunRequest
) -> list[WorkflowRun]:
    """Return the runs whose name shows the mark, newest first."""
    runs = _list_runs(access, context, wanted)
    return [run async for run in runs if context.mark in run.title]


def partial_runs(context: ActionContext, earlier: Sequence[WorkflowRun]) -> list[PartialResource]:
    """Return what earlier attempts have left: what is listed, and runs that were not listed yet."""
    listed = {one.id for one in context.left}
    return [*context.left, *(partial_run(run) for run in earlier if str(run.id) not in listed)]


def partial_run(run: WorkflowRun) -> PartialResource:
    """Return a run as a partial resource."""
    cleanup = f"Cancel the workflow run {run.id} if it is still at work, and undo what it has done."
    return PartialResource("github-workflow-run", id=str(run.id), url=run.url, cleanup=cleanup)


async def refuse_if_ambiguous(
    access: GitHubAccess, context: ActionContext, wanted: RunRequest
) -> None:
    """Raise if an unmarked run may be this action's, so that starting another is unsafe.

    A failed run does not count, as it would not be adopted.
    """
    doubtful = [
        run
        async for run in _list_runs(access, context, wanted)
        if not MARK.search(run.title) and not (run.done and run.conclusion not in SUCCESSFUL)
    ]
    if doubtful:
        seen = ", ".join(run.url for run in doubtful[:5])
        raise ActionFailedError(
            f"Runs of {wanted.workflow} have started since the request was submitted, and it "
            f"is unknown whether one of them is this action's: {seen}. Check them, then abort "
            "or continue by hand. With the mark in the workflow's run-name PAO finds it itself."
        )


async def _list_runs(
    access: GitHubAccess, context: ActionContext, wanted: RunRequest
) -> AsyncGenerator[WorkflowRun, None]:
    """Yield the runs since the earliest start, newest first; raise after too many."""
    for page in range(1, MOST_PAGES + 1):
        found = await access.client.runs(wanted.workflow, wanted.branch, wanted.since, page)
        for run in found:
            yield run
        if len(found) < PAGE:
            return
    raise _TooManyRunsError(
        f"{MOST_PAGES * PAGE} runs of {wanted.workflow} or more have started since the request "
        f"was submitted, too many to look through. Look there for {context.mark} by hand."
    )


def _pauses(lag: float) -> list[float]:
    whole = int(lag // LISTING_PAUSE)
    rest = lag - whole * LISTING_PAUSE
    return [*([rest] if rest else []), *[LISTING_PAUSE] * whole, 0.0]


async def _read_file(access: GitHubAccess, wanted: RunRequest) -> WorkflowFile | None:
    try:
        content = await access.client.file(f".github/workflows/{wanted.workflow}", wanted.ref)
    except GitHubRefusedError as error:
        # A token that may start a workflow may not be allowed to read it.
        if error.judged is FORBIDDEN:
            return None
        raise
    return None if content is None else await asyncio.to_thread(read_workflow_file, content)


def _mark_advice(server: str, wanted: RunRequest) -> str:
    name = wanted.mark_input
    return (
        f"{server} does not report which run it started, so {wanted.workflow} must "
        f"show it: declare the input {name} under workflow_dispatch, and write "
        f"run-name: ... ${{{{ inputs.{name} }}}}."
    )
