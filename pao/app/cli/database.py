"""`pao db migrate, status, verify, rebuild`: schema and mirror, directly on the database."""

import asyncio
import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from db.urls import read_login
from pao.app.cli.configuration import settings_for
from pao.app.cli.context import CommandContext, command
from pao.app.cli.database_errors import database_errors
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.terminal import STYLES, age, local_time

if TYPE_CHECKING:
    from activities.mirror_rebuild import RebuildResult
    from db.migrations.runner import MigrationStatus
    from db.service_role import ServiceRole
    from pao.settings import Settings

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    help="The database's schema (DATABASE_URL, or the owner's PAO_MIGRATION_DATABASE_URL).",
)

_STATES = {"applied": "completed", "pending": "waiting", "edited": "failed", "unknown": "waiting"}


@command(app, "migrate")
def migrate(
    cli: CommandContext,
    *,
    service_role: Annotated[
        bool,
        typer.Option(
            "--service-role",
            help="Create the role pao_service first, with the password of DATABASE_URL.",
        ),
    ] = False,
) -> None:
    """Apply pending migrations; safe to run from several places at once."""
    from db.migrations import runner  # noqa: PLC0415 -- SQLAlchemy and asyncpg: 0.4 s

    settings = settings_for("database", os.environ)
    role = _service_role(settings) if service_role else None
    applied = _run(runner.migrate(**_owner_connection(settings), service_role=role))
    document = {"applied": [{"version": e.version, "description": e.description} for e in applied]}
    cli.show(document, lambda: _print_applied(cli, document["applied"]))


@command(app, "status")
def status(cli: CommandContext) -> None:
    """Show every migration; exits with 1 if one is pending or does not match."""
    from db.migrations import runner  # noqa: PLC0415 -- see above

    found = _run(runner.status(**_owner_connection(settings_for("database", os.environ))))
    document = {"migrations": [_as_document(entry) for entry in found]}
    cli.show_table(document, document["migrations"], _MIGRATIONS, empty="There are no migrations.")
    if any(entry.state != "applied" for entry in found):
        raise typer.Exit(ExitCode.FAILED)


@command(app, "verify")
def verify(cli: CommandContext) -> None:
    """Check that exactly the migrations of this version are applied; exits with 1 if not."""
    from db.migrations import runner  # noqa: PLC0415 -- see above

    newer = _run(runner.verify(**_owner_connection(settings_for("database", os.environ))))
    if newer:
        cli.note(f"The schema is newer than this version of PAO, which lacks {', '.join(newer)}.")
    cli.show(
        {"verified": True},
        lambda: cli.out.print(Text("✓ The schema is up to date.", style="green")),
    )


@command(app, "rebuild")
def rebuild(
    cli: CommandContext,
    *,
    opens: Annotated[
        bool,
        typer.Option(
            "--open", help="Let the API accept requests although some workflows did not answer."
        ),
    ] = False,
) -> None:
    """Rebuild from Temporal what a restored database lacks; needs a running worker.

    Needs the worker's configuration. Executes nothing, and may be repeated. The API is not ready
    meanwhile, and stays so if the workflow of a request did not answer: then it exits with 1.
    """
    done = _run(_rebuild_mirror(opens=opens))
    document = {"written": done.written, "made": done.made, "unanswered": list(done.unanswered)}
    cli.show(document, lambda: _print_rebuilt(cli, done))
    if done.unanswered:
        raise typer.Exit(ExitCode.FAILED)


async def _rebuild_mirror(*, opens: bool) -> "RebuildResult":
    from activities.mirror_rebuild import Rebuilder  # noqa: PLC0415 -- see above
    from db.installation import Installation  # noqa: PLC0415 -- see above
    from pao.app import assembly  # noqa: PLC0415 -- see above
    from pao.clients.inspection import WorkflowInspector, WorkflowUnansweredError  # noqa: PLC0415 -- see above
    from pao.clients.temporal_connection import connect  # noqa: PLC0415 -- see above

    settings = settings_for("worker", os.environ)
    database = assembly.database(settings, application_name="pao-db-rebuild")
    try:
        installation = Installation(database)
        client = await connect(assembly.temporal_target(settings), installation=installation.id)
        inspector = WorkflowInspector(
            client,
            task_queue=settings.temporal.task_queue,
            installation=await installation.id(),
        )
        return await Rebuilder(database, inspector).rebuild(opens=opens)
    except WorkflowUnansweredError as error:
        raise CliError(
            f"Temporal did not list the workflows: {error}",
            exit_code=ExitCode.UNAVAILABLE,
            hint="Run it again when Temporal is available; what was written stays.",
        ) from error
    finally:
        await database.close()


def _print_rebuilt(cli: CommandContext, done: "RebuildResult") -> None:
    text = f"✓ {done.written} open requests were rewritten, {done.made} ended ones recreated"
    cli.out.print(Text(text, style="green"))
    for request_id in done.unanswered:
        cli.out.print(Text(f"✗ {request_id} did not answer; is a worker running?", style="red"))


def _owner_connection(settings: "Settings") -> dict[str, Any]:
    """Return how the owner connects."""
    from pao.app.assembly import database_password  # noqa: PLC0415 -- see above

    url = settings.database.owner_url.get_secret_value()
    return {"url": url, "password": database_password(settings, url)}


def _service_role(settings: "Settings") -> "ServiceRole":
    """Return the login of the service's role, which DATABASE_URL (or its parts) names."""
    from db.service_role import SERVICE_ROLE, ServiceRole  # noqa: PLC0415 -- see above

    given = settings.database
    if given.migration_url is None or (given.given_url is None and given.host is None):
        raise CliError(
            "--service-role needs two addresses",
            exit_code=ExitCode.USAGE,
            hint="Set PAO_MIGRATION_DATABASE_URL (the owner's) and DATABASE_URL (the service's).",
        )
    service = read_login(given.url.get_secret_value())
    if service.user != SERVICE_ROLE:
        raise CliError(
            f"The service's address names another user than {SERVICE_ROLE}",
            exit_code=ExitCode.USAGE,
            hint=f"Use postgresql://{SERVICE_ROLE}:password@... in DATABASE_URL.",
        )
    return ServiceRole(None if given.iam_auth else service.password)


def _run(work: Coroutine[Any, Any, T]) -> T:
    with database_errors("PAO_MIGRATION_DATABASE_URL", "DATABASE_URL"):
        return asyncio.run(work)


def _as_document(entry: "MigrationStatus") -> dict[str, Any]:
    moment = entry.applied_at.isoformat(timespec="milliseconds") if entry.applied_at else None
    return {
        "version": entry.version,
        "description": entry.description,
        "state": str(entry.state),
        "appliedAt": moment.replace("+00:00", "Z") if moment else None,
    }


def _print_applied(cli: CommandContext, applied: list[dict[str, Any]]) -> None:
    for entry in applied:
        cli.out.print(
            Text("✓ ", style="green").append(f"{entry['version']} {entry['description']}")
        )
    if not applied:
        cli.out.print(Text("✓ Nothing to do: every migration is applied.", style="green"))


def _state(row: dict[str, Any]) -> Text:
    return Text(row["state"], style=STYLES[_STATES[row["state"]]])


def _applied_text(row: dict[str, Any]) -> str:
    return age(row["appliedAt"]) if row["appliedAt"] else ""


def _applied_exactly(row: dict[str, Any]) -> str:
    return local_time(row["appliedAt"]) if row["appliedAt"] else ""


_MIGRATIONS: Table[dict[str, Any]] = Table(
    (
        Column("VERSION", lambda row: row["version"]),
        Column("STATE", _state),
        Column("APPLIED", _applied_text, _applied_exactly, drop_order=1),
        Column("DESCRIPTION", lambda row: row["description"], fit=Fit.FOLD),
    ),
    ident=lambda row: row["version"],
)
