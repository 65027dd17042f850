"""`pao backup` and `pao restore`: the databases of one machine, or a state folder of `pao up`."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from pao.app.cli.backup_keys import check_keys
from pao.app.cli.configuration import settings_for
from pao.app.cli.context import CommandContext, command
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


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", metavar="DIR", help="A whole state folder of `pao up`, instead of databases."
    ),
]


@command(app, "backup")
def backup(
    cli: CommandContext,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Each backup gets its own.")],
    *,
    home: HomeOption = None,
    others: WithOption = None,
    keep: Annotated[int, typer.Option(min=1, help="How many backups to keep.")] = 14,
) -> None:
    """Dump PAO's database, then others; the service may keep running.

    Exits with 6 if the backup is complete, but older ones could not be removed.
    """
    from db import backups  # noqa: PLC0415 -- SQLAlchemy and asyncpg: 0.4 s

    if home is not None:
        made = _back_up_home(home, folder, others, keep=keep)
    else:
        made = _run(backups.back_up(folder, _databases(others), version=VERSION, keep=keep))
    not_removed = [{"path": str(path), "reason": why} for path, why in made.not_removed.items()]
    cli.show(
        _document(made) | {"notRemoved": not_removed},
        lambda: cli.out.print(Text(f"✓ {made.folder}", style="green"), soft_wrap=True),
    )
    for one in not_removed:
        cli.note(f"Could not be removed: {one['path']} ({one['reason']})")
    if not_removed:
        raise typer.Exit(ExitCode.NOT_CLEANED)


@command(app, "restore")
def restore(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="One backup.")],
    *,
    home: HomeOption = None,
    others: WithOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is there; on a terminal it asks.")
    ] = False,
    lost_keys: Annotated[
        bool,
        typer.Option(
            "--lost-keys",
            help="Continue without the backup's encryption key: what it sealed stays unreadable.",
        ),
    ] = False,
) -> None:
    """Restore databases from a backup; PAO's processes must be stopped.

    Needs PAO_ENCRYPTION_KEYS as they were at the time of the backup.
    """
    from db import restores  # noqa: PLC0415 -- see `backup`

    found = _read_backup(folder)
    if home is not None:
        _restore_home(cli, found, home, others, replace=replace)
        return
    databases = _databases(others)
    if not lost_keys:
        check_keys(found, os.environ)
    if not replace and (full := _run(restores.non_empty(databases))):
        replace = _confirm_replace(cli, found, full)
    _run(restores.restore(found, databases, replace=replace))
    restored = sorted(databases)
    left = sorted(set(found.databases) - set(restored))
    document = _document(found) | {"restored": restored, "notRestored": left}
    cli.show(document, lambda: _print_restored(cli, found, restored, left))


def _back_up_home(home: Path, folder: Path, others: list[str] | None, *, keep: int) -> "Backup":
    from pao.app.local.home import Home  # noqa: PLC0415 -- the extra `local`
    from pao.app.local.home_backup import back_up_home  # noqa: PLC0415 -- as above

    _refuse_both(others)
    with _backup_errors():
        return back_up_home(Home(home.resolve()), folder, version=VERSION, keep=keep)


def _restore_home(
    cli: CommandContext, found: "Backup", home: Path, others: list[str] | None, *, replace: bool
) -> None:
    from pao.app.local.home import Home  # noqa: PLC0415 -- the extra `local`
    from pao.app.local.home_backup import restore_home  # noqa: PLC0415 -- as above

    _refuse_both(others)
    state = Home(home.resolve())
    if not replace and (state.postgres.exists() or state.secrets_file.exists()):
        replace = _confirm_replace(cli, found, [str(home)])
    with _backup_errors():
        restore_home(found, state, replace=replace)
    # A folder of `pao install`, or of `pao up`, which an installed PAO does not have.
    installed = (state.folder / "machine.env").exists() or find_spec("sandbox") is None
    again = "install" if installed else "up"
    cli.show(
        _document(found),
        lambda: cli.out.print(
            Text(f"✓ {home} restored; continue with: pao {again} --home {home}", style="green"),
            soft_wrap=True,
        ),
    )


def _refuse_both(others: list[str] | None) -> None:
    if others:
        raise CliError("--home and --with cannot be combined", exit_code=ExitCode.USAGE)


def _confirm_replace(cli: CommandContext, found: "Backup", names: list[str]) -> bool:
    """Ask whether what is there may be replaced; return True or end the command."""
    if not cli.interactive:
        raise CliError(
            f"Not empty: {', '.join(names)}. A restore replaces what is there",
            exit_code=ExitCode.USAGE,
            hint="Use --replace, or restore to an empty place.",
        )
    moment = local_time(found.at.isoformat())
    typer.confirm(f"Replace {', '.join(names)} by the backup of {moment}?", abort=True, err=True)
    return True


def _read_backup(folder: Path) -> "Backup":
    from db import backups  # noqa: PLC0415 -- see `backup`

    with _backup_errors():
        return backups.read_backup(folder)


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
    with _backup_errors(), database_errors("PAO_MIGRATION_DATABASE_URL", "DATABASE_URL"):
        return asyncio.run(work)


@contextmanager
def _backup_errors() -> Iterator[None]:
    from db.backups import BackupError  # noqa: PLC0415 -- see `backup`

    try:
        yield
    except BackupError as error:
        raise CliError(str(error), exit_code=ExitCode.FAILED) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise CliError(f"{where}{error.strerror}", exit_code=ExitCode.FAILED) from error


def _document(found: "Backup") -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "at": found.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": found.version,
        "files": [{"name": f.name, "size": f.size, "sha256": f.sha256} for f in found.files],
    }


def _print_restored(
    cli: CommandContext, found: "Backup", restored: list[str], left: list[str]
) -> None:
    text = f"✓ {', '.join(restored)} restored from {found.folder}."
    cli.out.print(Text(text, style="green"), soft_wrap=True)
    if left:
        cli.note(f"The backup also holds {', '.join(left)}: not restored without --with.")
    cli.note(
        "Run `pao db migrate`, start Temporal and a worker, then run `pao db rebuild`; the API is"
        " not ready before."
    )
