"""`pao install`, `pao upgrade`, `pao uninstall`: PAO on one machine, as services of systemd."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode

if TYPE_CHECKING:
    from pao.app.local.machine.layout import MachineLayout

app = typer.Typer()
machine = typer.Typer(
    no_args_is_help=True, help="The servers that `pao install` runs as services, one at a time."
)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Folder of the state; /var/lib/pao for root, else ~/.local/share/pao.",
    ),
]
UnitsOption = Annotated[
    Path | None, typer.Option("--units", metavar="DIR", help="Folder of the systemd units.")
]
AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account", metavar="NAME", help="User that runs the services, if run as root (pao)."
    ),
]
Port = Annotated[int, typer.Option(min=1, max=65535)]
_AS_BEFORE = "as before, else"
ApiPort = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help=f"Port of the API; {_AS_BEFORE} 8080."),
]
TemporalPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help=f"Port of Temporal; {_AS_BEFORE} 7233.")
]
UiPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help=f"Port of its UI; {_AS_BEFORE} 8233.")
]
PostgresPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help=f"Port of Postgres; {_AS_BEFORE} 5433.")
]


@command(app, "install")
def install(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    home: HomeOption = None,
    units: UnitsOption = None,
    account: AccountOption = None,
    port: ApiPort = None,
    temporal_port: TemporalPort = None,
    temporal_ui_port: UiPort = None,
    postgres_port: PostgresPort = None,
    only_print: Annotated[
        bool, typer.Option("--print", help="Show the units without changing anything.")
    ] = False,
) -> None:
    """Run PAO on this machine as systemd services, with its own Postgres and Temporal.

    As root for the system, else for the user. It can be repeated: it changes only what differs.
    """
    layout = _layout(home, units, account)
    layout = replace(
        layout,
        api_port=port or layout.api_port,
        temporal_port=temporal_port or layout.temporal_port,
        temporal_ui_port=temporal_ui_port or layout.temporal_ui_port,
        postgres_port=postgres_port or layout.postgres_port,
    )
    if only_print:
        _print_units(cli, layout)
        return
    from pao.app.local.machine.installation import install as run  # noqa: PLC0415 -- extra `local`

    with _local_errors():
        missing = run(layout, cli.note)
    if missing:
        raise CliError(
            "Postgres and Temporal run; the settings are not complete",
            exit_code=ExitCode.USAGE,
            details=tuple(missing),
            hint=f"Fill in {layout.settings_file}, then run `pao install` again.",
        )
    document = {"home": str(layout.home.folder), "api": layout.api_url, "build": layout.build_id}
    _done(cli, document, f"PAO {layout.build_id} runs: {layout.api_url}")


@command(app, "upgrade")
def upgrade(
    cli: CommandContext,
    *,
    home: HomeOption = None,
    units: UnitsOption = None,
    account: AccountOption = None,
) -> None:
    """Replace the PAO that `pao install` installed with this version; open requests continue.

    Run it from the environment of the new version. It replays open requests, backs up, migrates,
    and replaces worker and API. To go back, run it from the environment of the old version.
    """
    from pao.app.local.machine.installation import upgrade as run  # noqa: PLC0415 -- extra `local`

    layout = _layout(home, units, account)
    with _local_errors():
        run(layout, cli.note)
    document = {"home": str(layout.home.folder), "build": layout.build_id}
    _done(cli, document, f"PAO {layout.build_id} has taken over.")


@command(app, "uninstall")
def uninstall(
    cli: CommandContext,
    *,
    home: HomeOption = None,
    units: UnitsOption = None,
    account: AccountOption = None,
) -> None:
    """Stop the services of `pao install` and remove their units; the data stays."""
    from pao.app.local.machine.installation import uninstall as run  # noqa: PLC0415 -- extra `local`

    layout = _layout(home, units, account)
    with _local_errors():
        removed = run(layout)
    folder = layout.home.folder
    document = {"removed": removed, "home": str(folder)}
    _done(cli, document, f"{len(removed)} units were removed; {folder} stays.")


@command(machine, "postgres")
def postgres(
    _cli: CommandContext,
    *,
    home: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the state.")],
    port: Port = 5433,
) -> None:
    """Run the database of this machine."""
    from pao.app.local.machine.foreground_server import serve_postgres  # noqa: PLC0415 -- extra `local`

    with _local_errors():
        serve_postgres(home, port)


@command(machine, "temporal")
def temporal(
    _cli: CommandContext,
    *,
    home: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the state.")],
    port: Port = 7233,
    ui_port: Port = 8233,
) -> None:
    """Run the Temporal server of this machine."""
    from pao.app.local.machine.foreground_server import serve_temporal  # noqa: PLC0415 -- extra `local`

    with _local_errors():
        serve_temporal(home, port=port, ui_port=ui_port)


app.add_typer(machine, name="machine")


def _layout(home: Path | None, units: Path | None, account: str | None) -> "MachineLayout":
    from pao.app.local.home import Home  # noqa: PLC0415 -- extra `local`
    from pao.app.local.machine.existing_units import with_installed_ports  # noqa: PLC0415 -- as above
    from pao.app.local.machine.layout import MachineLayout, default_layout  # noqa: PLC0415 -- as above

    folder, usual_units, usual_account = default_layout(home)
    if account is not None and usual_account is None:
        raise CliError("Only root may choose another account", exit_code=ExitCode.USAGE)
    with _local_errors():
        return with_installed_ports(
            MachineLayout(Home(folder.resolve()), units or usual_units, account or usual_account)
        )


def _done(cli: CommandContext, document: dict[str, Any], text: str) -> None:
    cli.show(document, lambda: cli.out.print(Text(f"✓ {text}", style="green"), soft_wrap=True))


def _print_units(cli: CommandContext, layout: "MachineLayout") -> None:
    from pao.app.local.machine.units import unit_files  # noqa: PLC0415 -- extra `local`

    texts = unit_files(layout)
    text_of_units = "\n".join(f"# {layout.units / name}\n{text}" for name, text in texts.items())
    cli.show(
        {"units": dict(texts), "folder": str(layout.units)},
        lambda: cli.out.print(Text(text_of_units), soft_wrap=True),
    )


@contextmanager
def _local_errors() -> Iterator[None]:
    from pao.app.local.processes import LocalError  # noqa: PLC0415 -- extra `local`

    try:
        yield
    except LocalError as error:
        raise CliError(str(error), exit_code=ExitCode.UNAVAILABLE) from error
    except PermissionError as error:
        raise CliError(
            f"{error.filename}: {error.strerror}",
            exit_code=ExitCode.DENIED,
            hint="Run it as root for the system, or with your own --home and --units.",
        ) from error
