"""Requests as rows: short ids, what each was for, when and by whom."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.terminal import age, clean, local_time, state

Row = dict[str, Any]

SHORT = 8


def request_table(rows: Sequence[Row], *, waiting: bool = False) -> Table[Row]:
    """Return the table of these requests, with ids as short as they are unique.

    With ``waiting`` it shows since when each waits for a decision, not when it was submitted.
    """
    moment = "waitingSince" if waiting else "createdAt"
    length = id_length([str(row["id"]) for row in rows])
    return Table(
        (
            Column("ID", lambda row: str(row["id"])[:length], lambda row: row["id"]),
            Column("STATE", lambda row: state(row["status"], retrying=row.get("retrying"))),
            Column("TITLE", lambda row: row.get("title"), fit=Fit.CUT),
            Column("ITEM", lambda row: row["catalogItemId"], drop_order=3),
            Column(
                "WAITING" if waiting else "CREATED",
                lambda row: age(row.get(moment)),
                lambda row: local_time(row.get(moment)),
                drop_order=2,
            ),
            Column("BY", _user, drop_order=1),
            Column("VERSION", lambda row: row.get("catalogItemVersion"), wide=True),
            Column("CAUSE", lambda row: row.get("cause"), wide=True),
            Column("SUMMARY", lambda row: row.get("summary"), wide=True),
            Column("CORRELATION ID", lambda row: row.get("correlationId"), wide=True),
        ),
        ident=lambda row: row["id"],
    )


def id_length(ids: Sequence[str]) -> int:
    """Return how many characters make these ids unique, at least eight."""
    longest = max(map(len, ids), default=SHORT)
    lengths = range(SHORT, longest + 1)
    count = len(set(ids))
    return next((one for one in lengths if len({ident[:one] for ident in ids}) == count), longest)


def _user(row: Row) -> Text:
    user = row.get("user") or {}
    return Text(clean(user.get("email") or user.get("id")))
