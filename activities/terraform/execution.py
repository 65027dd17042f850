"""One execution: creates the private folder, runs the module in it, removes the folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from activities.action_errors import ActionError
from activities.base import ActionContext
from activities.options.terraform import TerraformOptions
from activities.terraform import failures
from activities.terraform.cli import TerraformCli, find_program
from activities.terraform.execution_spec import ExecutionSpec, ModuleSource
from activities.terraform.process import MARGIN_SECONDS, ProcessContext
from activities.terraform.sensitive_values import SensitiveValues
from activities.terraform.source import check_allowed, fetch
from activities.terraform.state_location import place_digest
from activities.terraform.state_rescue import state_name
from activities.terraform.steps import TerraformRun, worker_is_stopping
from activities.terraform.working_directory import (
    WorkingDirectory,
    environment,
    private_directory,
    unwritten_folder,
)
from pao.clients.jira import Deadline

CANCEL_SECONDS = 5.0
"""Between SIGINT and SIGKILL after a person's cancel: everything ends within ten seconds."""


@asynccontextmanager
async def prepared_run(
    spec: ExecutionSpec, context: ActionContext, *, changing: bool
) -> AsyncIterator[TerraformRun]:
    """Return an initialized module in a private directory, which is removed afterwards.

    With ``changing`` its state is registered for the request before.
    """
    options = context.options.terraform
    SensitiveValues(context.secrets).learn_environment(options.environment)
    program = find_program(options)
    source = check_allowed(spec.source, options)
    name = state_name(context.mark, place_digest(spec))
    kept = unwritten_folder(options)
    async with private_directory(name, kept, options.account) as directory:
        given = ProcessContext(
            folder=directory.root,
            private=directory.root,
            unwritten=kept,
            name=name,
            used=directory.used,
            account=options.account,
            shared_paths=directory.shared_paths,
            environment=environment(directory, options),
            grace=options.grace_seconds,
            cancel_grace=lambda: _cancel_grace(options),
            deadline=_deadline_before(context.deadline, options),
        )
        cli = TerraformCli(directory.shared_paths.to(Path(program)), given, name=Path(program).name)
        try:
            async with _cancellable(
                spec, context, source=source, directory=directory, cli=cli
            ) as run:
                await run.initialize(changing=changing)
                yield run
        except ActionError as error:
            _hide_paths(error, directory)
            raise


@asynccontextmanager
async def _cancellable(
    spec: ExecutionSpec,
    context: ActionContext,
    *,
    source: ModuleSource,
    directory: WorkingDirectory,
    cli: TerraformCli,
) -> AsyncIterator[TerraformRun]:
    """Return the fetched module; a cancellation raises what it has left behind."""
    run: TerraformRun | None = None
    try:
        folder, commit = await fetch(source, directory, cli)
        run = TerraformRun(
            spec, context, directory=directory, folder=folder, cli=cli, commit=commit
        )
        yield run
    except asyncio.CancelledError:
        why = "The worker was stopped." if worker_is_stopping() else "The action was cancelled."
        begun = run is not None and run.apply_begun
        raise (
            failures.cancelled_after_apply(why) if begun else failures.cancelled_before_apply(why)
        ) from None


def _cancel_grace(options: TerraformOptions) -> float:
    """Return the grace period, which is shorter after a person's cancel."""
    return (
        options.grace_seconds
        if worker_is_stopping()
        else min(options.grace_seconds, CANCEL_SECONDS)
    )


def _hide_paths(error: ActionError, directory: WorkingDirectory) -> None:
    """Remove the paths of the private directory, which no longer exists."""
    error.message = directory.without_paths(error.message)
    error.response_body = directory.without_paths(error.response_body or "") or None


def _deadline_before(deadline: Deadline, options: TerraformOptions) -> Deadline:
    """Return a deadline that leaves time to stop Terraform cleanly and to read its state."""
    left = deadline.remaining()
    kept = options.grace_seconds + MARGIN_SECONDS + options.reading_seconds
    return Deadline.after(left - min(kept, left / 2))
