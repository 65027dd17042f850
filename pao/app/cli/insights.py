"""`pao insights`: where the time of many requests goes, what fails, what waits now."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli import completion
from pao.app.cli.context import CommandContext, command
from pao.app.cli.tables import Column, Fit, Table, print_table
from pao.app.cli.terminal import OutputFormat, age, local_time

root = typer.Typer()

_Row = dict[str, Any]
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Days(StrEnum):
    """The periods of the insights."""

    WEEK = "7"
    MONTH = "30"
    QUARTER = "90"


@command(root, "insights")
def insights(
    cli: CommandContext,
    *,
    days: Annotated[Days, typer.Option(help="The period in days.")] = Days.MONTH,
    item: Annotated[
        str | None,
        typer.Option(
            metavar="ITEM", help="Only requests of this item.", autocompletion=completion.items
        ),
    ] = None,
    team: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Only items that this team owns.")
    ] = None,
) -> None:
    """Show how long requests take and wait for people, what fails and why, and what waits now.

    Counts the requests that you may see. Times are the median and the 90th percentile.
    """
    query = {"days": days.value, "item": item, "team": team}
    with cli.api() as api:
        document = api.get("/insights", **query)
    cli.show(document, lambda: _print(cli, document))


def _print(cli: CommandContext, document: Any) -> None:
    parts = (
        ("Waiting for", document["times"], _TIMES, "No request ended in this period."),
        ("What failed", document["failures"], _FAILURES, "Nothing failed in this period."),
        ("What waits now", document["waiting"], _WAITING, "Nothing is waiting."),
    )
    for number, (title, rows, table, nothing) in enumerate(parts):
        cli.out.print(Text(("\n" if number else "") + title, style="bold"))
        if rows:
            print_table(cli.out, table, rows, wide=cli.output is OutputFormat.WIDE)
        else:
            cli.out.print(nothing)


def _spread(row: _Row, who: str) -> str:
    return f"{_span(row[who]['median'])} / {_span(row[who]['p90'])}"


def _span(seconds: float) -> str:
    for unit, name in _UNITS:
        if seconds >= unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.1f} s" if seconds else "0"


_TIMES: Table[_Row] = Table(
    (
        Column("ITEM", lambda row: row["item"], fit=Fit.CUT),
        Column("NAME", lambda row: row["name"], wide=True),
        Column("REQUESTS", lambda row: row["requests"], drop_order=1),
        Column("MACHINES 50 / 90 %", lambda row: _spread(row, "machineSeconds")),
        Column("PEOPLE 50 / 90 %", lambda row: _spread(row, "humanSeconds")),
    ),
    ident=lambda row: row["item"],
)
_FAILURES: Table[_Row] = Table(
    (
        Column("ITEM", lambda row: row["item"], fit=Fit.CUT),
        Column("NAME", lambda row: row["name"], wide=True),
        Column("FAILURES", lambda row: row["failures"]),
        Column(
            "CAUSES",
            lambda row: ", ".join(f"{cause} {count}" for cause, count in row["causes"].items()),
            fit=Fit.FOLD,
        ),
    ),
    ident=lambda row: row["item"],
)
_WAITING: Table[_Row] = Table(
    (
        Column("TEAM", lambda row: row["team"] or "-", fit=Fit.CUT),
        Column("WAITING", lambda row: row["waiting"]),
        Column("< 1 H", lambda row: row["underAnHour"], drop_order=1),
        Column("< 1 D", lambda row: row["underADay"], drop_order=1),
        Column("< 7 D", lambda row: row["underAWeek"], drop_order=1),
        Column("LONGER", lambda row: row["longer"], drop_order=1),
        Column(
            "OLDEST",
            lambda row: age(row["oldestSince"]),
            lambda row: local_time(row["oldestSince"]),
        ),
    ),
    ident=lambda row: row["team"],
)
