"""The API's filters of requests, as options."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from pao.app.cli.completion import comma_separated, items
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.terminal import parse_time
from pao.app.cli.unknown_words import read_words
from pao.core.durations import parse_duration
from pao.core.failure_classes import Cause
from pao.core.states import RequestStatus

PANEL = "Filters"

StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STATUS,...",
        help="Only in one of these states.",
        autocompletion=comma_separated(RequestStatus),
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilters:
    """The given filter options."""

    item: Annotated[
        str | None,
        typer.Option(
            metavar="ITEM",
            help="Only of this catalog item.",
            autocompletion=items,
            rich_help_panel=PANEL,
        ),
    ] = None
    cause: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CAUSE,...",
            help="Only failed for one of these causes, such as target-down.",
            autocompletion=comma_separated(Cause),
            rich_help_panel=PANEL,
        ),
    ] = None
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Only with this tag; repeatable.", rich_help_panel=PANEL),
    ] = None
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            "--q",
            "-q",
            metavar="TEXT",
            help="Only with these words in the title, or this id or ticket.",
            rich_help_panel=PANEL,
        ),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            metavar="24h", help="Not older than 90m, 24h, 7d, or a date.", rich_help_panel=PANEL
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option(metavar="24h", help="Older than 90m, 24h, or a date.", rich_help_panel=PANEL),
    ] = None
    mine: Annotated[bool, typer.Option("--mine", help="Only your own.", rich_help_panel=PANEL)] = (
        False
    )
    user: Annotated[
        str | None, typer.Option(metavar="ID", help="Only of this user.", rich_help_panel=PANEL)
    ] = None
    team: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Only of this team.", rich_help_panel=PANEL)
    ] = None

    @property
    def any(self) -> bool:
        """Whether any filter is given."""
        return any((self.cause, self.tag, self.mine)) or any(
            one is not None
            for one in (self.item, self.search, self.since, self.until, self.user, self.team)
        )

    def query(self) -> dict[str, Any]:
        """Return the parameters of the API's list; raises ``CliError`` for an invalid filter."""
        if self.mine and self.user:
            raise CliError(
                "--mine and --user cannot be combined; use one of them", exit_code=ExitCode.USAGE
            )
        return {
            "catalogItemId": self.item,
            "cause": read_words("--cause", self.cause, Cause) or None,
            "tag": self.tag or None,
            "q": self.search,
            "since": read_moment("--since", self.since),
            "until": read_moment("--until", self.until),
            "userId": "me" if self.mine else self.user,
            "team": self.team,
        }


def statuses(given: list[str] | None) -> list[RequestStatus] | None:
    """Read ``--status``."""
    return read_words("--status", given, RequestStatus) or None


def read_moment(option: str, text: str | None) -> str | None:
    """Return the API's time for a date, or for a span back from now."""
    if text is None:
        return None
    span = parse_duration(text)
    if span is not None:
        found = datetime.now(UTC) - span
    else:
        read = parse_time(text)
        if read is None:
            raise CliError(
                f"{option} {text!r} is not a time; use 90m, 24h, 7d or 2026-03-01",
                exit_code=ExitCode.USAGE,
            )
        found = read.astimezone(UTC)
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")
