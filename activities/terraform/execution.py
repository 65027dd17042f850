"""An execution from its beginning to its end: the private folder, the module in it, its removal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from activities.action_errors import ActionError
from activities.base import ActionContext
from activities.options.terraform import TerraformOptions
from activities.terraform import failures
from activities.terraform.cli import Cli, find_program
from activities.terraform.execution_spec import Required, Source
from activities.terraform.process import MARGIN_SECONDS, ProcessContext
from activities.terraform.sensitive_values import SensitiveValues
from activities.terraform.source import allowed, fetch
from activities.terraform.state_location import place_digest
from activities.terraform.state_rescue import state_name
from activities.terraform.steps import READING_SECONDS, Run, worker_ends
from activities.terraform.working_directory import (
    WorkingDirectory,
    environment,
    private_directory,
    unwritten_folder,
)
from pao.clients.jira import Deadline

CUT_SECONDS = 5.0
"""Between SIGINT and SIGKILL when a human has cancelled the action: all ends within ten seconds."""


@asynccontextmanager
async def prepared(
    required: Required, context: ActionContext, *, changing: bool
) -> AsyncIterator[Run]:
    """Give an initialised module in a private directory, which is removed afterwards.

    Where it is for ``changing`` something, its state is registered for the request before.
    """
    options = context.options.terraform
    SensitiveValues(context.secrets).learn_environment(options.environment)
    program = find_program(options)
    source = allowed(required.source, options)
    name = state_name(context.mark, place_digest(required))
    kept = unwritten_folder(options)
    async with private_directory(name, kept, options.account) as room:
        given = ProcessContext(
            folder=room.root,
            private=room.root,
            unwritten=kept,
            name=name,
            used=room.used,
            account=options.account,
            doors=room.doors,
            environment=environment(room, options),
            grace=options.grace_seconds,
            cut_grace=lambda: _cut_grace(options),
            deadline=_before(context.deadline, options),
        )
        cli = Cli(room.doors.to(Path(program)), given, name=Path(program).name)
        try:
            async with _stoppable(required, context, source=source, room=room, cli=cli) as run:
                await run.initialise(changing=changing)
                yield run
        except ActionError as error:
            _leave_out_paths(error, room)
            raise


@asynccontextmanager
async def _stoppable(
    required: Required, context: ActionContext, *, source: Source, room: WorkingDirectory, cli: Cli
) -> AsyncIterator[Run]:
    """Give the fetched module; whoever is cancelled is told what that has left."""
    run: Run | None = None
    try:
        folder, commit = await fetch(source, room, cli)
        run = Run(required, context, room=room, folder=folder, cli=cli, commit=commit)
        yield run
    except asyncio.CancelledError:
        why = "The worker was stopped." if worker_ends() else "The action was cancelled."
        begun = run is not None and run.begun
        raise (failures.cut_after(why) if begun else failures.cut_before(why)) from None


def _cut_grace(options: TerraformOptions) -> float:
    """Give the time to end in order: who cancels an action does not wait for as long as we may."""
    return options.grace_seconds if worker_ends() else min(options.grace_seconds, CUT_SECONDS)


def _leave_out_paths(error: ActionError, room: WorkingDirectory) -> None:
    """Leave out where the private directory was: it is gone, and tells a person nothing."""
    error.message = room.without_paths(error.message)
    error.response_body = room.without_paths(error.response_body or "") or None


def _before(deadline: Deadline, options: TerraformOptions) -> Deadline:
    """Leave time to stop Terraform in order and to read what it left."""
    left = deadline.remaining()
    kept = options.grace_seconds + MARGIN_SECONDS + READING_SECONDS
    return Deadline.after(left - min(kept, left / 2))
