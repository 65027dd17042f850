"""`pao request list, get, status, logs, escalation`: reading requests."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.completion import requests
from pao.app.cli.context import Cli, command
from pao.app.cli.request_filters import PANEL, RequestFilters, StatusOption, statuses
from pao.app.cli.request_table import request_table
from pao.app.cli.terminal import Output, clean, local_time, segment
from pao.app.cli.timeline import print_request
from pao.app.cli.watch import (
    finish,
    follow_log,
    is_final,
    last_lines,
    print_log_line,
    read_log,
    watch,
)

if TYPE_CHECKING:
    from pao.app.cli.http import Api

app = typer.Typer()

RequestArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Id of the request, its first 8 characters, a ticket's key or a correlation id.",
        autocompletion=requests,
    ),
]


_MOST_COUNTED = 100


class Sort(StrEnum):
    """In which order requests are listed."""

    CREATED = "created"
    WAITING = "waiting"


@command(app, "list")
def list_requests(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: Cli,
    *,
    status: StatusOption = None,
    filters: RequestFilters,
    ticket: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Only with this ticket.", rich_help_panel=PANEL),
    ] = None,
    correlation_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only with this one.", rich_help_panel=PANEL),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only components of this.", rich_help_panel=PANEL),
    ] = None,
    decidable: Annotated[
        bool,
        typer.Option(
            "--decidable", help="Only what waits for your decision.", rich_help_panel=PANEL
        ),
    ] = False,
    sort: Annotated[
        Sort, typer.Option(help="created: newest first; waiting: failed, longest first.")
    ] = Sort.CREATED,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """List requests, the newest first.

    On a narrow terminal BY, then CREATED, then ITEM are left out, and titles are cut; `-o wide`
    shows everything, `-o id` only the ids.
    """
    query = filters.query() | {
        "status": statuses(status),
        "externalReference": ticket,
        "correlationId": correlation_id,
        "parent": parent,
        "decidable": "me" if decidable else None,
        "sort": None if sort is Sort.CREATED else sort.value,
        "count": True if cli.is_table else None,
    }
    with cli.api() as api:
        document = joined(api.pages("/requests", limit=limit, **query))
    rows = document["data"]
    waiting = decidable or sort is Sort.WAITING
    table = request_table(rows, waiting=waiting)
    cli.show_table(document, rows, table, empty="No requests match.")
    if cli.is_table and document.get("pagination", {}).get("hasMore"):
        cli.note(f"{_more(len(rows), document)}; --limit {len(rows) * 4} shows more.")


@command(app, "get")
def get(cli: Cli, *, request_id: RequestArgument) -> None:
    """Show everything about a request: its timeline, failure and possible decisions."""
    with cli.api() as api:
        request = api.get(f"/requests/{segment(request_id)}")
    cli.show(request, lambda: print_request(cli.out, request))


@command(app, "status")
def status(
    cli: Cli,
    *,
    request_id: RequestArgument,
    watching: Annotated[
        bool, typer.Option("--watch", "-w", help="Wait until it has settled.")
    ] = False,
) -> None:
    """Show where a request stands, with what JIRA says about its tickets now.

    With --watch it ends when the request has settled, and exits with 1 when it failed.
    """
    path = f"/requests/{segment(request_id)}"
    with cli.api() as api:
        if watching:
            finish(cli, api, watch(cli, api, segment(request_id)))
            return
        document = api.get(f"{path}/status")
        request = api.get(path) if cli.is_table else {}
    # Its sentence knows what JIRA says now.
    request |= {"summary": document["summary"]} if document.get("summary") else {}
    # Of a bundle's components several may have an action of one id; no two have one ticket.
    by = "key" if request.get("components") else "actionId"
    tickets = {entry[by]: entry for entry in document.get("tickets") or ()}
    cli.show(document, lambda: print_request(cli.out, request, tickets))


@command(app, "logs")
def logs(
    cli: Cli,
    *,
    request_id: RequestArgument,
    following: Annotated[
        bool, typer.Option("--follow", help="Follow until the request can no longer change.")
    ] = False,
    tail: Annotated[int | None, typer.Option(min=0, help="Only the last N lines.")] = None,
    action: Annotated[str | None, typer.Option(help="Only lines of this action.")] = None,
) -> None:
    """Show a request's execution log; with --follow as it is written.

    As JSON, --follow writes one document per line.
    """
    ident = segment(request_id)
    with cli.api() as api:
        stored = list(read_log(api, ident))
        lines = last_lines((line for line in stored if _is_of(line, action)), tail)
        if not following:
            cli.show({"data": lines}, lambda: _print_log(cli, lines))
            return
        for line in lines:
            _show_line(cli, line)
        last = max((line["sequence"] for line in stored), default=0)
        _follow(cli, api, ident, after=last, action=action)


@command(app, "escalation")
def escalation(cli: Cli, *, request_id: RequestArgument) -> None:
    """Show the ticket that an escalated request went on with."""
    with cli.api() as api:
        document = api.get(f"/requests/{segment(request_id)}/escalation")
    cli.show(document, lambda: _print_pairs(cli, document))


def _follow(cli: Cli, api: "Api", ident: str, *, after: int, action: str | None) -> None:
    def show(line: dict[str, Any]) -> None:
        if _is_of(line, action):
            _show_line(cli, line)

    request = follow_log(api, ident, after=after, show=show, is_over=is_final)
    if cli.is_table:
        cli.out.print()
        print_request(cli.out, request)


def _is_of(line: dict[str, Any], action: str | None) -> bool:
    return action is None or line.get("actionId") == action


def _show_line(cli: Cli, line: dict[str, Any]) -> None:
    if cli.is_table:
        print_log_line(cli.out, line)
    elif cli.output is Output.JSON:
        cli.write(line, one_line=True)
    else:
        cli.write([line])


def _print_log(cli: Cli, lines: list[dict[str, Any]]) -> None:
    for line in lines:
        print_log_line(cli.out, line)
    if not lines:
        cli.note("No log lines.")


def joined(pages: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return one page as the API gave it, several as one with the last one's pagination."""
    first, *others = list(pages)
    if not others:
        return dict(first)
    rows = [row for page in (first, *others) for row in page["data"]]
    return {**others[-1], "data": rows}


def _more(shown: int, document: dict[str, Any]) -> str:
    """Say how many of how many are shown; counting ends at a hundred."""
    count = document.get("count") or 0
    if count <= shown:
        return f"{shown} are shown"
    return f"{shown} of {count}{' or more' if count >= _MOST_COUNTED else ''} are shown"


def _print_pairs(cli: Cli, document: dict[str, Any]) -> None:
    names = {"escalatedAt": "at", "escalatedBy": "by", "ticketKey": "ticket"}
    for name, value in document.items():
        if value is None or isinstance(value, dict | list):
            continue
        shown = local_time(value) if name.endswith("At") else clean(value)
        cli.out.print(
            Text(f"{names.get(name, clean(name)):<10} ", style="bold").append(shown, "default"),
            soft_wrap=True,
        )
