"""Watching a request until it has settled, its log lines as they come, and the exit code of it."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from pao.app.cli.context import Cli
from pao.app.cli.exits import ExitCode
from pao.app.cli.terminal import clean, parse_time
from pao.app.cli.timeline import print_request, render
from pao.core.states import SETTLED, TERMINAL

if TYPE_CHECKING:
    from pao.app.cli.http import Api

_ASKED_SECONDS = 3.0
_PAUSE_SECONDS = 0.2

_LEVELS = {"error": "red", "warning": "yellow", "debug": "bright_black"}


def is_settled(request: dict[str, Any]) -> bool:
    """Return whether nothing happens any more unless a person decides."""
    return request.get("status") in SETTLED and not request.get("retrying")


def is_final(request: dict[str, Any]) -> bool:
    """Return whether the request can never change again."""
    return request.get("status") in TERMINAL


def watch(cli: Cli, api: "Api", request_id: str) -> dict[str, Any]:
    """Wait until the request has settled and return it; on a terminal its timeline is drawn."""
    try:
        return _watched(cli, _snapshots(api, request_id))
    except KeyboardInterrupt:
        cli.note(f"The request goes on: pao request status {request_id} --watch")
        raise


def _watched(cli: Cli, snapshots: Iterator[dict[str, Any]]) -> dict[str, Any]:
    request = next(snapshots)
    if not cli.live:
        return last_lines(chain([request], snapshots), 1)[0]
    # Drawn again four times a second, so that running times run; the drawing goes away at the end,
    # because the caller prints the final state in full.
    with Live(
        console=cli.out,
        transient=True,
        refresh_per_second=4,
        get_renderable=lambda: render(request),
    ) as live:
        live.refresh()
        for changed in snapshots:
            request = changed
    return request


def _snapshots(api: "Api", request_id: str) -> Iterator[dict[str, Any]]:
    """Yield the request now and after every change, until it has settled."""
    from pao.app.cli.events import follow  # noqa: PLC0415 -- httpx, see Cli.api

    request = api.get(f"/requests/{request_id}")
    yield request
    if is_settled(request):
        return
    for event in follow(api, request_id):
        if event.kind == "log":
            continue
        request = api.get(f"/requests/{request_id}")
        yield request
        if is_settled(request):
            return


def finish(cli: Cli, api: "Api", request: dict[str, Any]) -> None:
    """Show a request at the end of a command, and exit with 1 when it failed."""
    if cli.is_table:
        request = _once_asked(api, request)
    status = request.get("status")
    full = request
    if cli.is_table and status == "failed" and "errorContext" not in request:
        # The answer of a submission has no failure context, which a person needs to decide.
        full = api.get(f"/requests/{request['id']}")
    cli.show(request, lambda: print_request(cli.out, full))
    if status in {"submitted", "in_progress"} or request.get("retrying"):
        cli.note(f"Still in progress. Follow it: pao request status {request['id']} --watch")
    if status == "failed" and not request.get("retrying"):
        raise typer.Exit(ExitCode.FAILED)


def _once_asked(api: "Api", request: dict[str, Any]) -> dict[str, Any]:
    """Return a request that needs an approval as soon as its approvers are known.

    Its submission is answered before they are asked, which takes a moment.
    """
    until = time.monotonic() + _ASKED_SECONDS
    while _is_to_be_asked(request) and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
        request = api.get(f"/requests/{request['id']}")
    return request


def _is_to_be_asked(request: dict[str, Any]) -> bool:
    """Return whether an approval comes next: nothing waits yet, and nothing else runs."""
    actions = request.get("actions") or ()
    asked = [one for one in actions if one.get("type") == "approval"]
    others = [one for one in actions if one.get("type") != "approval"]
    to_ask = any(one["status"] in {"pending", "in_progress"} for one in asked)
    begun = any(one["status"] == "waiting" for one in actions) or any(
        one["status"] == "in_progress" for one in others
    )
    return to_ask and not begun and not is_settled(request)


def read_log(api: "Api", request_id: str) -> Iterator[dict[str, Any]]:
    """Yield the stored log lines from the first on."""
    pages = api.pages(f"/requests/{request_id}/logs", limit=None)
    return chain.from_iterable(page["data"] for page in pages)


def last_lines(lines: Iterable[dict[str, Any]], count: int | None) -> list[dict[str, Any]]:
    """Return the last ``count`` lines, or all."""
    return list(deque(lines, maxlen=count))


def follow_log(
    api: "Api",
    request_id: str,
    *,
    after: int,
    show: Callable[[dict[str, Any]], None],
    is_over: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """Show every log line behind sequence ``after`` once, until ``is_over``; return the request."""
    from pao.app.cli.events import OPENED, follow  # noqa: PLC0415 -- httpx, see Cli.api

    last = after

    def once(line: dict[str, Any]) -> None:
        nonlocal last
        sequence = line.get("sequence", last + 1)
        if sequence > last:
            last = sequence
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
            for line in read_log(api, request_id):
                once(line)
        if is_over(request):
            return request
    raise AssertionError("the stream is followed until the request is over")


def print_log_line(console: Console, line: dict[str, Any]) -> None:
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
