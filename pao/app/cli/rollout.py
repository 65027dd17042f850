"""`pao worker promote` and `pao replay-gate`: the steps of a release."""

import asyncio
import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from pao.app.cli.configuration import settings_for
from pao.app.cli.context import CommandContext, command
from pao.app.cli.database_errors import database_errors
from pao.app.cli.exits import CliError, ExitCode

if TYPE_CHECKING:
    from temporalio.client import Client

    from pao.app.worker.replay_gate import GateResult
    from pao.clients.deployments import Routing
    from pao.settings import Settings

T = TypeVar("T")

# How often a long run of the gate reports its progress.
PROGRESS_EVERY = 500

gate = typer.Typer()


def add_promote(worker: typer.Typer) -> None:
    """Add the command to the group that runs a worker when no command is named."""
    command(worker, "promote")(promote)


def promote(
    cli: CommandContext,
    *,
    build_id: Annotated[
        str | None,
        typer.Option("--build-id", metavar="ID", help="The build; PAO_BUILD_ID unless given."),
    ] = None,
    unversioned: Annotated[
        bool,
        typer.Option("--unversioned", help="Route requests to workers without PAO_BUILD_ID again."),
    ] = False,
) -> None:
    """Have Temporal route all requests to one build of the workers.

    Workers do so when they start, unless PAO_PROMOTE is manual.
    """
    settings = settings_for("release", os.environ)
    wanted = None if unversioned else build_id or settings.rollout.build_id
    if unversioned and build_id:
        raise CliError("--unversioned and --build-id cannot be combined", exit_code=ExitCode.USAGE)
    if not unversioned and wanted is None:
        raise CliError(
            "Which build?",
            exit_code=ExitCode.USAGE,
            hint="Name it with --build-id, set PAO_BUILD_ID, or use --unversioned.",
        )
    before = _run(_promote(settings, wanted), settings)
    document = {"current": wanted, "before": before.current}
    target_text = f"build {wanted}" if wanted else "workers without a version"
    cli.show(
        document,
        lambda: cli.out.print(Text(f"✓ Requests go to {target_text} from now on.", style="green")),
    )


async def _promote(settings: "Settings", build_id: str | None) -> "Routing":
    from pao.clients.deployments import (  # noqa: PLC0415 -- Temporal's SDK: 0.3 s
        Deployment,
        VersioningUnavailableError,
    )
    from pao.clients.queues import polled_queues  # noqa: PLC0415 -- as above

    queue = settings.temporal.task_queue
    deployment = Deployment(await _client(settings), queue)
    try:
        before = await deployment.routing()
    except VersioningUnavailableError as error:
        raise CliError(
            f"This Temporal has no versions of workers: {error}", exit_code=ExitCode.FAILED
        ) from error
    if build_id is None:
        if before.builds:
            await deployment.promote(None)
        return before
    if build_id not in before.builds:
        known = ", ".join(before.builds) or "none"
        raise CliError(
            f"No worker of build {build_id} has polled the task queue {queue}",
            exit_code=ExitCode.NOT_FOUND,
            hint=f"Start one first. Temporal knows: {known}.",
        )
    if not await deployment.polls(build_id, polled_queues(queue)):
        raise CliError(
            f"Build {build_id} does not poll all queues of {queue}",
            exit_code=ExitCode.FAILED,
            hint="Requests would wait: start a worker of that build first.",
        )
    await deployment.promote(build_id)
    return before


@command(gate, "replay-gate")
def replay_gate(cli: CommandContext) -> None:
    """Replay every open request with this build; exits with 1 if it cannot continue one.

    Run it with the new build before anything else of a release, and with the old one before a
    rollback. Needs the worker's configuration; changes nothing.
    """
    settings = settings_for("release", os.environ)
    with database_errors("DATABASE_URL"):
        result = _run(_replay(cli, settings), settings)
    document = {
        "replayed": result.replayed,
        "failures": [
            {"workflowId": one.workflow_id, "workflow": one.workflow, "reason": one.reason}
            for one in result.failures
        ],
    }
    cli.show(document, lambda: _print(cli, result, queue=settings.temporal.task_queue))
    if result.failures:
        raise typer.Exit(ExitCode.FAILED)


async def _replay(cli: CommandContext, settings: "Settings") -> "GateResult":
    from db.installation import Installation  # noqa: PLC0415 -- SQLAlchemy and asyncpg: 0.4 s
    from pao.app import assembly  # noqa: PLC0415 -- as above
    from pao.app.worker.replay_gate import replay_open_workflows  # noqa: PLC0415 -- as above

    def report_progress(count: int) -> None:
        if count % PROGRESS_EVERY == 0:
            cli.note(f"{count} histories were replayed")

    _silence_sdk()
    client = await _client(settings)
    database = assembly.database(settings, application_name="pao-replay-gate")
    try:
        return await replay_open_workflows(
            client,
            task_queue=settings.temporal.task_queue,
            installation=await Installation(database).id(),
            progress=report_progress,
        )
    finally:
        await database.close()


def _silence_sdk() -> None:
    """Keep the SDK's core from logging what the result says."""
    from temporalio.runtime import Runtime, TelemetryConfig  # noqa: PLC0415 -- as above

    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))


def _print(cli: CommandContext, result: "GateResult", *, queue: str) -> None:
    for one in result.failures:
        cli.out.print(Text(f"✗ {one.workflow_id}: {one.reason}", style="red"))
    if result.failures:
        cli.out.print(
            Text(
                f"This build cannot continue {len(result.failures)} of {result.replayed} open"
                " workflows: do not start its workers.",
                style="bold red",
            )
        )
        return
    text = f"✓ This build can continue all {result.replayed} open workflows."
    if not result.replayed:
        # So that a wrong queue or namespace does not look like a good release.
        text = f"✓ No workflow is open on the task queue {queue}: there was nothing to replay."
    cli.out.print(Text(text, style="green"))


async def _client(settings: "Settings") -> "Client":
    from pao.app import assembly  # noqa: PLC0415 -- as above
    from pao.clients.temporal_connection import connect  # noqa: PLC0415 -- as above

    return await connect(assembly.temporal_target(settings))


def _run(work: Coroutine[Any, Any, T], settings: "Settings") -> T:
    from temporalio.service import RPCError  # noqa: PLC0415 -- as above

    try:
        return asyncio.run(work)
    except RPCError as error:
        raise CliError(
            f"Temporal at {settings.temporal.address} refuses: {error.message}",
            exit_code=ExitCode.UNAVAILABLE,
        ) from error
