"""`pao web` and `pao sessions`: signing in to the pages, and who is signed in."""

import os
import webbrowser
from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.terminal import age, clean, local_time, segment

root = typer.Typer()
app = typer.Typer(no_args_is_help=True, help="Who is signed in to the pages.")


@command(root, "web")
def web(
    cli: CommandContext,
    *,
    opened: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the browser; or only print the link.")
    ] = True,
) -> None:
    """Sign in to the pages: open them in the browser, and print the link as well.

    The link is valid for one minute and one use; the page asks before it signs you in.
    """
    with cli.api() as api:
        document = api.post("/web-sign-ins").document
    cli.show(document, lambda: _print_link(cli, document))
    if opened and cli.is_table and _has_browser():
        webbrowser.open(document["url"])


@command(app, "list")
def list_sessions(
    cli: CommandContext,
    *,
    user: Annotated[str | None, typer.Option(help="Another user's, or `all`; for admins.")] = None,
) -> None:
    """List your open sessions of the pages, the newest first."""
    with cli.api() as api:
        document = api.get("/web-sessions", userId=user)
    empty = "No open sessions. `pao web` opens one."
    cli.show_table(document, document["data"], _SESSIONS, empty=empty)


@command(app, "end")
def end(
    cli: CommandContext, *, session: Annotated[str, typer.Argument(help="Id of the session.")]
) -> None:
    """Sign out a browser: one of yours, or any for admins."""
    with cli.api() as api:
        document = api.delete(f"/web-sessions/{segment(session)}").document
    cli.show(document, lambda: _print_ended(cli, document))


_SESSIONS: Table[dict[str, Any]] = Table(
    (
        Column("SESSION", lambda row: row["id"]),
        Column("USER", lambda row: row["user"], drop_order=4),
        Column(
            "SINCE",
            lambda row: age(row["createdAt"]),
            lambda row: local_time(row["createdAt"]),
            drop_order=1,
        ),
        Column(
            "LAST USED",
            lambda row: age(row["seenAt"]),
            lambda row: local_time(row["seenAt"]),
            drop_order=3,
        ),
        Column(
            "ENDS",
            lambda row: age(row["endsAt"]),
            lambda row: local_time(row["endsAt"]),
            drop_order=2,
        ),
        Column("BROWSER", lambda row: row["userAgent"], fit=Fit.CUT),
    ),
    ident=lambda row: row["id"],
)


def _has_browser() -> bool:
    """Return whether this machine has a browser that the person sees."""
    if "SSH_CONNECTION" in os.environ:
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _print_link(cli: CommandContext, document: dict[str, Any]) -> None:
    cli.out.print(Text(clean(document["url"])), soft_wrap=True)
    cli.note("Valid once, for one minute. Do not share it: it signs you in.")


def _print_ended(cli: CommandContext, document: dict[str, Any]) -> None:
    cli.out.print(Text(f"✓ {clean(document['user'])} is signed out there.", style="green"))
