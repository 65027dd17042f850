"""Watches a request until it has settled, and sets the exit code."""

import time
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import typer
from rich.live import Live

from pao.app.cli.context import CommandContext
from pao.app.cli.exits import ExitCode
from pao.app.cli.timeline import print_request, render
from pao.core.states import SETTLED, TERMINAL

if TYPE_CHECKING:
    from pao.app.cli.http import Api

_APPROVERS_SECONDS = 3.0
_PAUSE_SECONDS = 0.2


def is_settled(request: dict[str, Any]) -> bool:
    """Return whether nothing happens until a person decides."""
    return request.get("status") in SETTLED and not request.get("retrying")


def is_final(request: dict[str, Any]) -> bool:
    """Return whether the request can never change again."""
    return request.get("status") in TERMINAL


def watch(cli: CommandContext, api: "Api", request_id: str) -> dict[str, Any]:
    """Wait until the request has settled and return it; on a terminal its timeline is drawn."""
    try:
        return _watch_live(cli, _snapshots(api, request_id))
    except KeyboardInterrupt:
        cli.note(f"The request continues: pao request status {request_id} --watch")
        raise


def _watch_live(cli: CommandContext, snapshots: Iterator[dict[str, Any]]) -> dict[str, Any]:
    request = next(snapshots)
    if not cli.live:
        return deque(chain([request], snapshots), maxlen=1)[0]
    # Drawn four times a second, so that durations advance; removed at the end, because the caller
    # prints the final state in full.
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
    from pao.app.cli.events import follow  # noqa: PLC0415 -- httpx, see CommandContext.api

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


def finish(cli: CommandContext, api: "Api", request: dict[str, Any]) -> None:
    """Show a request at the end of a command, and exit with 1 when it failed."""
    if cli.is_table:
        request = _wait_for_approvers(api, request)
    status = request.get("status")
    full = request
    if cli.is_table and status == "failed" and "errorContext" not in request:
        # The response to a submission has no failure context, which a person needs to decide.
        full = api.get(f"/requests/{request['id']}")
    cli.show(request, lambda: print_request(cli.out, full))
    if status in {"submitted", "in_progress"} or request.get("retrying"):
        cli.note(f"Still in progress. Follow it: pao request status {request['id']} --watch")
    if status == "failed" and not request.get("retrying"):
        raise typer.Exit(ExitCode.FAILED)


def _wait_for_approvers(api: "Api", request: dict[str, Any]) -> dict[str, Any]:
    """Return a request that needs an approval once its approvers are known.

    Its submission is answered shortly before they are asked.
    """
    until = time.monotonic() + _APPROVERS_SECONDS
    while _awaits_approvers(request) and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
        request = api.get(f"/requests/{request['id']}")
    return request


def _awaits_approvers(request: dict[str, Any]) -> bool:
    """Return whether an approval is next: nothing waits yet, and nothing else runs."""
    actions = request.get("actions") or ()
    asked = [one for one in actions if one.get("type") == "approval"]
    others = [one for one in actions if one.get("type") != "approval"]
    to_ask = any(one["status"] in {"pending", "in_progress"} for one in asked)
    begun = any(one["status"] == "waiting" for one in actions) or any(
        one["status"] == "in_progress" for one in others
    )
    return to_ask and not begun and not is_settled(request)
