"""`pao health`, `pao metrics`, `pao version`: the state of the service itself."""

import sys
from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, callback, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.tables import Column, Fit, Table, print_table
from pao.app.cli.terminal import OutputFormat, clean, state
from pao.runtime.version import VERSION

app = typer.Typer(help="State of the service and its parts.")
root = typer.Typer()

_OK = 200


@callback(app)
def health(cli: CommandContext) -> None:
    """Show every part of the service; exits with 5 unless all are healthy."""
    with cli.api() as api:
        document = api.get_open("/health").document
    _check(document)
    cli.show(document, lambda: _print_health(cli, document))
    if document.get("status") != "ok":
        raise typer.Exit(ExitCode.UNAVAILABLE)


@command(app, "ready")
def ready(cli: CommandContext) -> None:
    """Check whether requests can be accepted; exits with 5 if not."""
    with cli.api() as api:
        answer = api.get_open("/health/ready")
    _check(answer.document)
    is_ready = answer.status == _OK
    cli.show(answer.document, lambda: _print_ready(cli, answer.document, is_ready=is_ready))
    if not is_ready:
        raise typer.Exit(ExitCode.UNAVAILABLE)


@command(root, "metrics")
def metrics(
    cli: CommandContext,
    *,
    wanted: Annotated[
        str | None, typer.Option("--filter", help="Only metrics whose name contains this text.")
    ] = None,
) -> None:
    """Write the service's metrics in the Prometheus text format."""
    with cli.api() as api:
        text = str(api.get_open("/metrics").document)
    for line in text.splitlines():
        if not wanted or wanted in _metric_name(line):
            sys.stdout.write(clean(line) + "\n")


@command(root, "version")
def version(cli: CommandContext) -> None:
    """Show the version of this command and of the service."""
    try:
        with cli.api() as api:
            document = api.get_open("/version").document
    except CliError as error:
        cli.show({"cli": VERSION}, lambda: cli.out.print(f"pao      {VERSION}"))
        raise error from error
    shown = {"cli": VERSION, "service": document}
    cli.show(shown, lambda: _print_version(cli, document))


def _check(document: Any) -> None:
    if not isinstance(document, dict):
        raise CliError(
            "The answer does not come from PAO",
            exit_code=ExitCode.UNAVAILABLE,
            hint="Check that --endpoint points to PAO itself.",
        )


def _metric_name(line: str) -> str:
    if line.startswith(("# HELP ", "# TYPE ")):
        return line.split(" ", 3)[2]
    return line.split("{", 1)[0].split(" ", 1)[0]


def _print_health(cli: CommandContext, document: dict[str, Any]) -> None:
    cli.out.print(
        Text("PAO ", style="bold")
        .append(f"{clean(document.get('version'))}  ", "not bold default")
        .append(state(document.get("status")))
        .append(f"  installation {clean(document.get('installation') or 'unknown')}", "dim")
    )
    parts = document.get("components") or {}
    rows = [row for name, part in parts.items() for row in _rows(name, part)]
    print_table(cli.out, _PARTS, rows, wide=cli.output is OutputFormat.WIDE)


def _rows(name: str, part: Any) -> list[tuple[str, Any]]:
    """Return one row per part; parts that hold several (JIRA instances, breakers) give one each."""
    if isinstance(part, dict) and all(isinstance(v, dict) for v in part.values()):
        return [(f"{name} {key}", value) for key, value in part.items()]
    return [(name, part)]


def _part_state(part: Any) -> Text:
    if isinstance(part, dict):
        return state(part["status"]) if "status" in part else Text("")
    return Text(clean(part))


def _facts(part: Any) -> str:
    if not isinstance(part, dict):
        return ""
    facts = {name: value for name, value in part.items() if name != "status"}
    return ", ".join(
        f"{clean(name)} {_fact(value)}" for name, value in facts.items() if value is not None
    )


def _fact(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else clean(value)


_PARTS: Table[tuple[str, Any]] = Table(
    (
        Column("PART", lambda row: row[0]),
        Column("STATE", lambda row: _part_state(row[1])),
        Column("", lambda row: _facts(row[1]), fit=Fit.FOLD),
    ),
    ident=lambda row: row[0],
)


def _print_ready(cli: CommandContext, document: dict[str, Any], *, is_ready: bool) -> None:
    if is_ready:
        cli.out.print(Text("✓ ready: requests are accepted", style="green"))
        return
    cli.out.print(Text("✗ not ready", style="bold red"))
    for problem in document.get("problems") or ():
        cli.out.print(Text(f"  {clean(problem)}"), soft_wrap=True)


def _print_version(cli: CommandContext, document: dict[str, Any]) -> None:
    cli.out.print(f"pao      {VERSION}")
    facts = ", ".join(f"{clean(k)} {clean(v)}" for k, v in document.items() if k != "version" and v)
    version_ = clean(document.get("version"))
    cli.out.print(
        Text(f"service  {version_}").append(f"  {facts}" if facts else "", "bright_black")
    )
