"""The insights as rows: words, order and widths for the page, plain figures for CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from api.insights.schemas import Insights, ItemFailures, ItemTimes, TeamWaits
from api.web import times
from api.web.pages.insights.bars import Segment, Spreads, largest_of, spreads, stacked
from api.web.words import CAUSES, _

AGES = (
    ("under_an_hour", _("Under an hour")),
    ("under_a_day", _("Under a day")),
    ("under_a_week", _("Under a week")),
    ("longer", _("Longer")),
)
# A text that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


_Rows = list[Sequence[object]]


@dataclass(frozen=True, slots=True)
class TimesRow:
    """How long an item's requests took: in words, and as two bars."""

    of: ItemTimes
    machine: Spreads
    human: Spreads
    machine_words: tuple[str, str]
    human_words: tuple[str, str]


@dataclass(frozen=True, slots=True)
class FailuresRow:
    """How often an item failed: causes in words, the most frequent first, and a bar."""

    of: ItemFailures
    causes: list[tuple[str, str, int]]
    bar: list[Segment]


@dataclass(frozen=True, slots=True)
class WaitsRow:
    """What waits at a team, by age, and a bar."""

    of: TeamWaits
    ages: list[int]
    bar: list[Segment]


def times_rows(rows: Sequence[ItemTimes]) -> list[TimesRow]:
    """Return the rows of the times."""
    spread = [(one.machine_seconds, one.human_seconds) for one in rows]
    largest = largest_of([each.p90 for pair in spread for each in pair])
    found = []
    for row, (machine, human) in zip(rows, spread, strict=True):
        pairs = ((machine.median, machine.p90), (human.median, human.p90))
        bars = [spreads(pair, largest) for pair in pairs]
        words = [(_span(median), _span(p90)) for median, p90 in pairs]
        found.append(TimesRow(row, bars[0], bars[1], words[0], words[1]))
    return found


def failures_rows(rows: Sequence[ItemFailures]) -> list[FailuresRow]:
    """Return the rows of the failures."""
    largest = largest_of([one.failures for one in rows])
    return [
        FailuresRow(
            row,
            [(cause.value, CAUSES[cause], count) for cause, count in row.causes.items()],
            stacked(((cause.value, count) for cause, count in row.causes.items()), largest),
        )
        for row in rows
    ]


def waits_rows(rows: Sequence[TeamWaits]) -> list[WaitsRow]:
    """Return the rows of what waits now."""
    largest = largest_of([one.waiting for one in rows])
    found = []
    for row in rows:
        ages = [getattr(row, name) for name, _label in AGES]
        parts = ((f"age-{number}", count) for number, count in enumerate(ages))
        found.append(WaitsRow(row, ages, stacked(parts, largest)))
    return found


def csv_of(table: str, insights: Insights) -> str | None:
    """Return a table as CSV (RFC 4180), times in seconds; None for a table that does not exist."""
    make = _TABLES.get(table)
    if make is None:
        return None
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in make(insights):
        writer.writerow([_cell(one) for one in row])
    return out.getvalue()


def _times(insights: Insights) -> _Rows:
    return [
        [
            *("item", "name", "requests"),
            *("machine_seconds_median", "machine_seconds_p90"),
            *("human_seconds_median", "human_seconds_p90"),
        ],
        *(
            [
                row.item,
                row.name,
                row.requests,
                row.machine_seconds.median,
                row.machine_seconds.p90,
                row.human_seconds.median,
                row.human_seconds.p90,
            ]
            for row in insights.times
        ),
    ]


def _failures(insights: Insights) -> _Rows:
    return [
        ["item", "name", "cause", "failures"],
        *(
            [row.item, row.name, cause.value, count]
            for row in insights.failures
            for cause, count in row.causes.items()
        ),
    ]


def _waiting(insights: Insights) -> _Rows:
    names = [name for name, _label in AGES]
    return [
        ["team", "waiting", "oldest_since", *names],
        *(
            [row.team, row.waiting, row.oldest_since, *(getattr(row, name) for name in names)]
            for row in insights.waiting
        ),
    ]


_TABLES = {"times": _times, "failures": _failures, "waiting": _waiting}


def _cell(value: object) -> object:
    """Return a cell that spreadsheets do not take for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def _span(seconds: float) -> str:
    return times.span(timedelta(seconds=seconds)) if seconds else "0"
