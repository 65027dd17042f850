"""`pao audit list`: who did what, when and why, over the API; for admins."""

from typing import Annotated, Any

import typer

from pao.app.cli.context import CommandContext, command
from pao.app.cli.request_filters import read_moment
from pao.app.cli.request_table import SHORT
from pao.app.cli.requests import join_pages
from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.terminal import age, local_time

app = typer.Typer()

_Row = dict[str, Any]


@command(app, "list")
def list_lines(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    actor: Annotated[str | None, typer.Option(metavar="USER", help="Only by this user.")] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE", help="Only of this type, such as request.retry or key.*; repeatable."
        ),
    ] = None,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="Only about this request.")
    ] = None,
    via: Annotated[
        str | None, typer.Option(metavar="VIA", help="Only lines of this origin: api, sql, ...")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="24h", help="Not older than 90m, 24h, 7d, or a date.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="24h", help="Older than 90m, 24h, or a date.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """List the audit trail, the newest line first; for admins."""
    query = {
        "actor": actor,
        "eventType": event or None,
        "requestId": request,
        "via": via,
        "since": read_moment("--since", since),
        "until": read_moment("--until", until),
    }
    with cli.api() as api:
        document = join_pages(api.pages("/audit", limit=limit, **query))
    rows = document["data"]
    cli.show_table(document, rows, _TABLE, empty="No matching entries.")
    if cli.is_table and document.get("pagination", {}).get("hasMore"):
        cli.note(f"There are more; --limit {len(rows) * 4} shows them.")


def _about(row: _Row) -> str:
    data = row["data"]
    other_id = data.get("accessKeyId") or data.get("session") or ""
    return str(row["requestId"] or other_id)


_TABLE: Table[_Row] = Table(
    (
        Column("AT", lambda row: age(row["at"]), lambda row: local_time(row["at"])),
        Column("EVENT", lambda row: row["eventType"]),
        Column("BY", lambda row: row["actor"], drop_order=3),
        Column(
            "ABOUT",
            lambda row: _about(row)[:SHORT] if row["requestId"] else _about(row),
            _about,
            drop_order=2,
        ),
        Column("REASON", lambda row: row["reason"], fit=Fit.CUT),
        Column("VIA", lambda row: row["via"], drop_order=1),
        Column("ACTION", lambda row: row["actionId"], wide=True),
        Column("CORRELATION ID", lambda row: row["correlationId"], wide=True),
    ),
    ident=lambda row: row["id"],
)
