"""`pao request cleanup`: what is left to clean up by hand, and marking it as done."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.next_decisions import done_text
from pao.app.cli.requests import RequestArgument
from pao.app.cli.terminal import clean, segment

app = typer.Typer()


@command(app, "cleanup")
def cleanup(
    cli: CommandContext,
    *,
    request_id: RequestArgument,
    done: Annotated[
        list[str] | None,
        typer.Option(metavar="ENTRY", help="An entry that has been cleaned up; repeatable."),
    ] = None,
    note: Annotated[
        str | None,
        typer.Option(
            "--note", "-n", help="What was done; kept in the audit trail.", metavar="TEXT"
        ),
    ] = None,
) -> None:
    """List what is left to clean up by hand; with --done, mark entries as done.

    Entries of a failed request can be marked once it has ended, those of corrections at any time.
    A marked entry stays listed, with the person who marked it.
    """
    if done and not note:
        raise CliError("describe with --note what was done", exit_code=ExitCode.USAGE)
    path = f"/requests/{segment(request_id)}"
    with cli.api() as api:
        for entry in done or ():
            api.post(f"{path}/cleanup/{segment(entry)}", {"note": note})
        request = api.get(path)
    entries = list(entries_of(request))
    cli.show({"data": entries}, lambda: _print(cli, entries))


def entries_of(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is left behind, each entry once: by corrections, and by the failure."""
    seen = set()
    for one in request.get("leftBehind") or ():
        seen.add(one.get("entryId"))
        yield {**one, "resource": one.get("id")}
    for one in (request.get("errorContext") or {}).get("cleanup") or ():
        if one.get("entryId") not in seen:
            yield one


def _print(cli: CommandContext, entries: list[dict[str, Any]]) -> None:
    if not entries:
        cli.note("Nothing is left to clean up.")
    for entry in entries:
        done = done_text(entry)
        line = Text("✓ " if done else "- ", style="green" if done else "yellow")
        line.append(f"{clean(entry.get('entryId'))}  ", style="bold default")
        line.append(clean(entry.get("resource") or entry.get("action")), style="default")
        cli.out.print(line.append(f"  {done}" if done else "", style="green"), soft_wrap=True)
        instructions = Text(f"  {clean(entry.get('instructions'), multiline=True)}", style="dim")
        cli.out.print(instructions, soft_wrap=True)
