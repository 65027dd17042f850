"""`pao backup` and `pao restore`: the databases of one machine."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from pao.app.cli.configuration import settings_for
from pao.app.cli.context import Cli, command
from pao.app.cli.database_errors import database_errors
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.terminal import local_time
from pao.runtime.version import VERSION

if TYPE_CHECKING:
    from db.backups import Backup

T = TypeVar("T")

app = typer.Typer()

WithOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="NAME=VARIABLE",
        help="Another database, such as temporal=TEMPORAL_DATABASE_URL; repeatable. The variable"
        " holds its address.",
    ),
]


@command(app, "backup")
def backup(
    cli: Cli,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Each backup gets its own.")],
    *,
    others: WithOption = None,
    keep: Annotated[int, typer.Option(min=1, help="How many backups stay.")] = 14,
) -> None:
    """Dump PAO's database, then others; the service may go on meanwhile."""
    from db import backups  # noqa: PLC0415 -- SQLAlchemy and asyncpg: 0.4 s

    made = _run(backups.back_up(folder, _databases(others), version=VERSION, keep=keep))
    cli.show(
        _document(made),
        lambda: cli.out.print(Text(f"✓ {made.folder}", style="green"), soft_wrap=True),
    )


@command(app, "restore")
def restore(
    cli: Cli,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="One backup.")],
    *,
    others: WithOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Replace databases by those of a backup; processes of PAO must have ended."""
    from db import backups  # noqa: PLC0415 -- see `backup`

    found = _checked(folder)
    databases = _databases(others)
    if not yes:
        _ask(cli, found, list(databases))
    _run(backups.restore(found, databases))
    cli.show(_document(found), lambda: _print_restored(cli, found))


def _ask(cli: Cli, found: "Backup", names: list[str]) -> None:
    if not cli.interactive:
        raise CliError(
            "A restore replaces what is stored", exit_code=ExitCode.USAGE, hint="Say --yes."
        )
    moment = local_time(found.at.isoformat())
    typer.confirm(f"Replace {', '.join(names)} by the backup of {moment}?", abort=True, err=True)


def _checked(folder: Path) -> "Backup":
    from db import backups  # noqa: PLC0415 -- see `backup`

    try:
        return backups.read_backup(folder)
    except backups.BackupError as error:
        raise CliError(str(error), exit_code=ExitCode.FAILED) from error


def _databases(others: list[str] | None) -> dict[str, str]:
    """Return the address of each database by its name, PAO's first."""
    found = {"pao": settings_for("database", os.environ).database.owner_url.get_secret_value()}
    for one in others or ():
        name, separator, variable = one.partition("=")
        if not separator or not name.replace("_", "").isalnum() or name in found:
            raise CliError(
                f"--with {one}: write a new NAME=VARIABLE",
                exit_code=ExitCode.USAGE,
                hint="Such as temporal=TEMPORAL_DATABASE_URL.",
            )
        if not os.environ.get(variable):
            raise CliError(f"The variable {variable} is not set", exit_code=ExitCode.USAGE)
        found[name] = os.environ[variable]
    return found


def _run(work: Coroutine[Any, Any, T]) -> T:
    from db.backups import BackupError  # noqa: PLC0415 -- see `backup`

    try:
        with database_errors("PAO_MIGRATION_DATABASE_URL", "DATABASE_URL"):
            return asyncio.run(work)
    except BackupError as error:
        raise CliError(str(error), exit_code=ExitCode.FAILED) from error


def _document(found: "Backup") -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "at": found.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": found.version,
        "databases": [{"name": d.name, "size": d.size, "sha256": d.sha256} for d in found.dumps],
    }


def _print_restored(cli: Cli, found: "Backup") -> None:
    names = ", ".join(dump.name for dump in found.dumps)
    cli.out.print(Text(f"✓ {names} restored from {found.folder}.", style="green"), soft_wrap=True)
    cli.note(
        "Start Temporal and a worker, run `pao db migrate` and `pao db rebuild`, then the API."
    )
