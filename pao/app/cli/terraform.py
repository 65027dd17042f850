"""`pao terraform states, release`: which request holds which Terraform state."""

from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import Cli, command
from pao.app.cli.requests import RequestArgument
from pao.app.cli.terminal import clean, local_time, segment

app = typer.Typer(no_args_is_help=True, help="Terraform states that requests have registered.")


@command(app, "states")
def states(cli: Cli, *, request_id: RequestArgument) -> None:
    """List the Terraform states that a request has registered."""
    with cli.api() as api:
        document = api.get(f"/requests/{segment(request_id)}/terraform-states")
    cli.show(document, lambda: _print(cli, document["data"]))


@command(app, "release")
def release(
    cli: Cli,
    *,
    state: Annotated[str, typer.Argument(metavar="STATE", help="Number of the registration.")],
    note: Annotated[
        str, typer.Option("--note", "-n", help="Reason, kept in the audit trail.", metavar="TEXT")
    ],
    destroyed: Annotated[
        bool, typer.Option("--destroyed", help="What was in it is destroyed; nothing is left.")
    ] = False,
) -> None:
    """Free the Terraform state of a request that has ended for other requests.

    Where PAO does not know that the state is empty, --destroyed says so.
    """
    with cli.api() as api:
        body = {"note": note, "destroyed": destroyed}
        document = api.post(f"/terraform-states/{segment(state)}/release", body).document
    cli.show(document, lambda: _print(cli, [document]))


def _print(cli: Cli, rows: list[dict[str, Any]]) -> None:
    if not rows:
        cli.note("The request has registered no Terraform state.")
    for row in rows:
        count = "unknown" if row["resources"] is None else clean(row["resources"])
        line = Text(f"{clean(row['id'])}  ", style="bold").append(clean(row["place"]), "default")
        cli.out.print(line, soft_wrap=True)
        shared = ", shared" if row["shared"] else ""
        cli.out.print(Text(f"  resources: {count}{shared}", style="dim"))
        if released := row.get("released"):
            who = (
                f"{clean(released['by'])}, {local_time(released['at'])}: {clean(released['note'])}"
            )
            cli.out.print(Text(f"  released by {who}", style="green"), soft_wrap=True)
