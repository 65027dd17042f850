"""`pao terraform states, release`: which request holds which Terraform state."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from pao.app.cli.context import CommandContext, command
from pao.app.cli.requests import RequestArgument
from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.terminal import age, local_time, segment

app = typer.Typer(no_args_is_help=True, help="Terraform states that requests have registered.")


@command(app, "states")
def states(cli: CommandContext, *, request_id: RequestArgument) -> None:
    """List the Terraform states that a request has registered."""
    with cli.api() as api:
        document = api.get(f"/requests/{segment(request_id)}/terraform-states")
    empty = "The request has registered no Terraform state."
    cli.show_table(document, document["data"], _STATES, empty=empty)


@command(app, "release")
def release(
    cli: CommandContext,
    *,
    state: Annotated[str, typer.Argument(metavar="STATE", help="Number of the registration.")],
    note: Annotated[
        str, typer.Option("--note", "-n", help="Reason, kept in the audit trail.", metavar="TEXT")
    ],
    destroyed: Annotated[
        bool, typer.Option("--destroyed", help="Its resources are destroyed; nothing is left.")
    ] = False,
) -> None:
    """Release the Terraform state of a request that has ended, for other requests.

    If PAO does not know that the state is empty, --destroyed states it.
    """
    with cli.api() as api:
        body = {"note": note, "destroyed": destroyed}
        document = api.post(f"/terraform-states/{segment(state)}/release", body).document
    cli.show_table(document, [document], _STATES, empty="")


def _release_text(row: dict[str, Any], when: Callable[[object], str]) -> str:
    done = row.get("released")
    return f"{when(done['at'])} by {done['by']}: {done['note']}" if done else "no"


_STATES: Table[dict[str, Any]] = Table(
    (
        Column("STATE", lambda row: row["id"]),
        Column(
            "RESOURCES", lambda row: "unknown" if row["resources"] is None else row["resources"]
        ),
        Column("SHARED", lambda row: "yes" if row["shared"] else "no", drop_order=1),
        Column("PLACE", lambda row: row["place"], fit=Fit.FOLD),
        Column(
            "RELEASED",
            lambda row: _release_text(row, age),
            lambda row: _release_text(row, local_time),
            fit=Fit.FOLD,
        ),
    ),
    ident=lambda row: row["id"],
)
