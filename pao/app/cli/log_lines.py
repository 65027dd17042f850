"""Lines of a request's execution log: read from either end, followed, printed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from pao.app.cli.terminal import clean, parse_time

if TYPE_CHECKING:
    from pao.app.cli.http import Api

Line = dict[str, Any]

_LAST_PAGE = "end"
_LEVELS = {"error": "red", "warning": "yellow", "debug": "bright_black"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which lines are wanted; None does not filter."""

    action: str | None = None
    component: str | None = None
    text: str | None = None

    def query(self) -> dict[str, Any]:
        """Return the query parameters."""
        return {"actionId": self.action, "component": self.component, "q": self.text}

    def matches(self, line: Line) -> bool:
        """Return whether a line of the event stream, which cannot be filtered, is wanted."""
        wanted = ((self.action, "actionId"), (self.component, "component"))
        return all(one is None or line.get(name) == one for one, name in wanted) and (
            self.text is None or self.text.casefold() in str(line.get("message")).casefold()
        )


@dataclass(frozen=True, slots=True)
class LogExcerpt:
    """Lines in order, and whether there are earlier ones."""

    lines: list[Line]
    earlier: bool = False


def read_log(api: "Api", request_id: str, wanted: LogFilter) -> LogExcerpt:
    """Read the log from its first line on."""
    pages = api.pages(_path(request_id), limit=None, **wanted.query())
    return LogExcerpt([line for page in pages for line in page["data"]])


def read_last_lines(
    api: "Api",
    request_id: str,
    wanted: LogFilter,
    *,
    count: int | None,
    before: int | None = None,
) -> LogExcerpt:
    """Read the last ``count`` lines (None: all) before a line, or of the whole log."""
    query = wanted.query() | {"before": before or _LAST_PAGE}
    pages = [*api.pages(_path(request_id), limit=count, **query)]
    earlier = bool(pages) and bool(pages[-1]["pagination"]["hasMore"])
    return LogExcerpt([line for page in reversed(pages) for line in page["data"]], earlier)


def last_sequence(api: "Api", request_id: str) -> int:
    """Return the sequence of the last line, 0 while there is none."""
    lines = read_last_lines(api, request_id, LogFilter(), count=1).lines
    return lines[-1]["sequence"] if lines else 0


def follow_log(
    api: "Api",
    request_id: str,
    *,
    after: int,
    show: Callable[[Line], None],
    is_over: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """Show every log line behind sequence ``after`` once, until ``is_over``; return the request."""
    from pao.app.cli.events import OPENED, follow  # noqa: PLC0415 -- httpx, see Cli.api

    shown = after

    def once(line: Line) -> None:
        nonlocal shown
        sequence = line.get("sequence", shown + 1)
        if sequence > shown:
            shown = sequence
            show(line)

    for event in follow(api, request_id):
        if event.kind == "log":
            # A log event's id is the sequence under which the stored log has the line.
            sequence = {"sequence": int(event.id)} if event.id and event.id.isdecimal() else {}
            once({**event.data, **sequence})
            continue
        request: dict[str, Any] = api.get(f"/requests/{request_id}")
        # The log is read after the state, so that nothing written before the end is left out.
        if event.kind == OPENED or is_over(request):
            for line in _since(api, request_id, shown):
                once(line)
        if is_over(request):
            return request
    raise AssertionError("the stream is followed until the request is over")


def print_log_line(console: Console, line: Line) -> None:
    """Print one line: time, level where it matters, action and attempt, message."""
    level = clean(line.get("level")).lower()
    moment = parse_time(line.get("time"))
    text = Text(moment.astimezone().strftime("%H:%M:%S.%f")[:-3] if moment else "", "bright_black")
    text.append(f"  {level:<7}", style=_LEVELS.get(level, "bright_black"))
    if line.get("component"):
        text.append(f"  {clean(line['component'])}", style="magenta")
    if line.get("actionId"):
        attempt = line.get("attempt") or 1
        again = f" #{attempt}" if attempt > 1 else ""
        text.append(f"  {clean(line['actionId'])}{again}", style="cyan")
    text.append(f"  {clean(line.get('message'))}", style=_LEVELS.get(level, "default"))
    console.print(text, soft_wrap=True)


def _since(api: "Api", request_id: str, after: int) -> Iterator[Line]:
    """Return the lines behind one, read from the end: a long log is not read again for a few."""
    pages = list[list[Line]]()
    for page in api.pages(_path(request_id), limit=None, before=_LAST_PAGE):
        pages.append(page["data"])
        if page["data"] and page["data"][0]["sequence"] <= after:
            break
    return chain.from_iterable(reversed(pages))


def _path(request_id: str) -> str:
    return f"/requests/{request_id}/logs"
