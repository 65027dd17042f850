"""The log of a request on its page: a box per action; and lines with what was searched marked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.requests.log import Owner
from api.requests.schemas import Action, LogLine, Request
from api.web.pages.request.keys import key_of


@dataclass(frozen=True, slots=True)
class LogView:
    """The log of an action: the lines shown, of how many, and where earlier ones are."""

    key: str
    name: str
    lines: list[LogLine]
    total: int
    opened: bool
    earlier: str


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line in pieces; every second piece is what was searched for."""

    line: LogLine
    pieces: list[str]
    where: str


def logs(
    document: Request, lines: Sequence[LogLine], totals: Mapping[Owner, int] | None
) -> list[LogView]:
    """Return the log of every action, also of those that have said nothing yet.

    Without ``totals`` the lines are all that there are.
    """
    boxes: list[tuple[str | None, Action]] = [
        (component.id, one) for component in document.components or () for one in component.actions
    ]
    boxes += [(None, one) for one in document.actions]
    names = {component.id: component.name for component in document.components or ()}
    of: dict[Owner, list[LogLine]] = {}
    for line in lines:
        of.setdefault((line.component, line.action_id), []).append(line)
    return [
        LogView(
            key=key_of(component, action.id),
            name=" / ".join(filter(None, (names.get(component or ""), action.name or action.id))),
            lines=(own := of.get((component, action.id), [])),
            total=(total := (totals or {}).get((component, action.id), len(own))),
            opened=action.status in {"failed", "in_progress"},
            earlier=""
            if total <= len(own)
            else earlier_address(document.id, component, action.id, first_sequence(own, lines)),
        )
        for component, action in boxes
    ]


def first_sequence(own: Sequence[LogLine], lines: Sequence[LogLine]) -> int:
    """Return the line before which earlier ones are found."""
    first = next(iter(own), None) or next(iter(lines), None)
    return first.sequence if first else 1


def earlier_address(request_id: str, component: str | None, action: str, before: int) -> str:
    """Return the address of what an action wrote before a line."""
    query = {"action": action, "component": component, "before": before}
    given = urlencode({name: one for name, one in query.items() if one is not None})
    return f"/requests/{request_id}/log?{given}"


def mark_matches(lines: Iterable[LogLine], text: str, names: Mapping[str, str]) -> list[MarkedLine]:
    """Return lines with the places of a text, in whatever case it is written."""
    found = re.compile(f"({re.escape(text)})", re.IGNORECASE) if text else None
    return [
        MarkedLine(
            line,
            found.split(line.message or "") if found else [line.message or ""],
            names.get(key_of(line.component, line.action_id), ""),
        )
        for line in lines
    ]
