"""`pao request list, get, status, logs, escalation`: reading requests."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.completion import actions_of_request, components_of_request, requests
from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.log_lines import (
    LogExcerpt,
    LogFilter,
    follow_log,
    last_sequence,
    print_log_line,
    read_last_lines,
    read_log,
)
from pao.app.cli.request_filters import PANEL, RequestFilters, StatusOption, statuses
from pao.app.cli.request_table import request_table
from pao.app.cli.terminal import OutputFormat, clean, local_time, segment
from pao.app.cli.timeline import print_request
from pao.app.cli.watch import finish, is_final, watch

if TYPE_CHECKING:
    from pao.app.cli.http import Api

group = typer.Typer(no_args_is_help=True, help="Submit requests, follow them, decide failures.")
app = typer.Typer()

RequestArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Id of the request, its first 8 characters, a ticket's key or a correlation id.",
        autocompletion=requests,
    ),
]


_MAX_COUNT = 100


class ListSort(StrEnum):
    """In which order requests are listed."""

    CREATED = "created"
    WAITING = "waiting"


@command(app, "list")
def list_requests(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    status: StatusOption = None,
    filters: RequestFilters,
    ticket: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Only with this ticket.", rich_help_panel=PANEL),
    ] = None,
    correlation_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only with this correlation id.", rich_help_panel=PANEL),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only components of this bundle.", rich_help_panel=PANEL),
    ] = None,
    decidable: Annotated[
        bool,
        typer.Option(
            "--decidable", help="Only what waits for your decision.", rich_help_panel=PANEL
        ),
    ] = False,
    sort: Annotated[
        ListSort, typer.Option(help="created: newest first; waiting: failed, longest first.")
    ] = ListSort.CREATED,
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
        "sort": None if sort is ListSort.CREATED else sort.value,
        "count": True if cli.is_table else None,
    }
    with cli.api() as api:
        document = join_pages(api.pages("/requests", limit=limit, **query))
        rows = document["data"]
        if not rows and filters.item is not None and cli.is_table:
            _note_unknown_item(cli, api, filters.item)
    waiting = decidable or sort is ListSort.WAITING
    table = request_table(rows, waiting=waiting)
    cli.show_table(document, rows, table, empty="No requests match.")
    if cli.is_table and document.get("pagination", {}).get("hasMore"):
        cli.note(f"{_count_text(len(rows), document)}; --limit {len(rows) * 4} shows more.")


def _note_unknown_item(cli: CommandContext, api: "Api", item: str) -> None:
    """Note that there is no such item, with a suggestion; requests of a removed item may exist."""
    try:
        api.get(f"/catalog/items/{segment(item)}")
    except CliError as error:
        if error.code == "CATALOG_ITEM_NOT_FOUND":
            cli.note(clean(error.message))


@command(app, "get")
def get(cli: CommandContext, *, request_id: RequestArgument) -> None:
    """Show everything about a request: its timeline, failure and possible decisions."""
    with cli.api() as api:
        request = api.get(f"/requests/{segment(request_id)}")
    cli.show(request, lambda: print_request(cli.out, request))


@command(app, "status")
def status(
    cli: CommandContext,
    *,
    request_id: RequestArgument,
    watching: Annotated[
        bool, typer.Option("--watch", "-w", help="Wait until it has settled.")
    ] = False,
) -> None:
    """Show the state of a request, with the current state of its tickets in JIRA.

    With --watch it waits until the request has settled, and exits with 1 if it failed.
    """
    path = f"/requests/{segment(request_id)}"
    with cli.api() as api:
        if watching:
            finish(cli, api, watch(cli, api, segment(request_id)))
            return
        document = api.get(f"{path}/status")
        request = api.get(path) if cli.is_table else {}
    # Its summary includes the current state in JIRA.
    request |= {"summary": document["summary"]} if document.get("summary") else {}
    # Components of a bundle may share action ids, but not tickets.
    by = "key" if request.get("components") else "actionId"
    tickets = {entry[by]: entry for entry in document.get("tickets") or ()}
    cli.show(document, lambda: print_request(cli.out, request, tickets))


@command(app, "logs")
def logs(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    request_id: RequestArgument,
    following: Annotated[
        bool, typer.Option("--follow", help="Follow until the request can no longer change.")
    ] = False,
    tail: Annotated[int | None, typer.Option(min=0, help="Only the last N lines.")] = None,
    before: Annotated[
        int | None,
        typer.Option(min=1, max=10**18 - 1, metavar="SEQUENCE", help="Only lines before this one."),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Only lines whose message contains this text, ignoring case."
        ),
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Only lines of this action.", autocompletion=actions_of_request
        ),
    ] = None,
    component: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Only lines of this component of a bundle.",
            autocompletion=components_of_request,
        ),
    ] = None,
) -> None:
    """Show a request's execution log; with --follow as it is written.

    --tail reads from the end, and says which --before continues with earlier lines. As JSON,
    --follow writes one document per line.
    """
    if following and before is not None:
        raise CliError(
            "--follow shows new lines, --before earlier ones; use one of them",
            exit_code=ExitCode.USAGE,
        )
    ident, wanted = segment(request_id), LogFilter(action=action, component=component, text=search)
    with cli.api() as api:
        last_seen = last_sequence(api, ident) if following else 0
        from_end = tail is not None or before is not None
        part = (
            read_last_lines(api, ident, wanted, count=tail, before=before)
            if from_end
            else read_log(api, ident, wanted)
        )
        if not following:
            cli.show({"data": part.lines}, lambda: _print_log(cli, part, wanted))
            return
        for line in part.lines:
            _show_line(cli, line)
        last_seen = max((last_seen, *(line["sequence"] for line in part.lines)))
        _follow(cli, api, ident, after=last_seen, wanted=wanted)


@command(app, "escalation")
def escalation(cli: CommandContext, *, request_id: RequestArgument) -> None:
    """Show the ticket of an escalated request."""
    with cli.api() as api:
        document = api.get(f"/requests/{segment(request_id)}/escalation")
    cli.show(document, lambda: _print_pairs(cli, document))


def _follow(cli: CommandContext, api: "Api", ident: str, *, after: int, wanted: LogFilter) -> None:
    def show(line: dict[str, Any]) -> None:
        if wanted.matches(line):
            _show_line(cli, line)

    request = follow_log(api, ident, after=after, show=show, is_over=is_final)
    if cli.is_table:
        cli.out.print()
        print_request(cli.out, request)


def _show_line(cli: CommandContext, line: dict[str, Any]) -> None:
    if cli.is_table:
        print_log_line(cli.out, line)
    elif cli.output is OutputFormat.JSON:
        cli.write(line, one_line=True)
    else:
        cli.write([line])


def _print_log(cli: CommandContext, part: LogExcerpt, wanted: LogFilter) -> None:
    for line in part.lines:
        print_log_line(cli.out, line)
    if part.earlier and part.lines:
        cli.note(f"There are earlier lines: --before {part.lines[0]['sequence']}")
    if not part.lines:
        cli.note("No log lines." if wanted == LogFilter() else "No log line matches.")


def join_pages(pages: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the pages as one, with the last one's pagination."""
    first, *others = list(pages)
    if not others:
        return dict(first)
    rows = [row for page in (first, *others) for row in page["data"]]
    return {**others[-1], "data": rows}


def _count_text(shown: int, document: dict[str, Any]) -> str:
    """Return how many of how many are shown; counting ends at a hundred."""
    count = document.get("count") or 0
    if count <= shown:
        return f"{shown} are shown"
    return f"{shown} of {count}{' or more' if count >= _MAX_COUNT else ''} are shown"


def _print_pairs(cli: CommandContext, document: dict[str, Any]) -> None:
    names = {"escalatedAt": "at", "escalatedBy": "by", "ticketKey": "ticket"}
    for name, value in document.items():
        if value is None or isinstance(value, dict | list):
            continue
        shown = local_time(value) if name.endswith("At") else clean(value)
        cli.out.print(
            Text(f"{names.get(name, clean(name)):<10} ", style="bold").append(shown, "default"),
            soft_wrap=True,
        )
