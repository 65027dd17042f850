"""What may be decided about a request, as commands."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from pao.app.cli.request_table import SHORT
from pao.app.cli.terminal import clean, local_time
from pao.app.cli.wrapping import GAP, Line, beside
from pao.core.states import DECISIONS, Decision, RequestStatus

Document = Mapping[str, Any]

_DIM = "bright_black"
_INDENT = " " * 6


def decision_lines(request: Document, width: int | None) -> Iterator[Line]:
    """Yield what may be decided, or what is left to do for a request that has ended."""
    status = request.get("status")
    if status in {RequestStatus.ABORTED, RequestStatus.ESCALATED}:
        yield from _left_behind(
            request.get("errorContext") or {},
            f"What is left to clean up by hand (pao request cleanup {reference(request, width)})",
            width,
        )
    if status != RequestStatus.FAILED:
        return
    if request.get("retrying"):
        yield Text()
        yield Text("A retry is running; nothing can be decided until it has ended.", style="yellow")
        return
    context = request.get("errorContext") or {}
    yield from _left_behind(context, "If it is abandoned, clean up by hand", width)
    suggested = context.get("suggestedDecision") or {}
    if isinstance(suggested, dict) and suggested.get("decision"):
        yield Text()
        line = Text("Suggested: ", style="bold").append(clean(suggested["decision"]))
        reason = Text(clean(suggested.get("reason")), style=_DIM)
        yield from beside(line, reason, width, indent=GAP, wraps=True)
    yield Text()
    if not may_decide(request):
        text = "Others decide about it: its submitter, the team that owns the item, or an admin."
        yield Text(text, style="yellow")
        return
    yield Text("Decide with one of", style="bold")
    for command, meaning in _possible_commands(request, reference(request, width)):
        line, meaning_text = Text(f"{GAP}{command}"), Text(f"# {meaning}", style=_DIM)
        yield from beside(line, meaning_text, width, indent=_INDENT, wraps=True)


def reference(request: Document, width: int | None) -> str:
    """Return the id that names a request in a command: short on a terminal."""
    return clean(request.get("id"))[: None if width is None else SHORT]


def may_decide(request: Document) -> bool:
    """Return whether the caller may make the decision that the request waits for."""
    return request.get("mayDecide") is not False


def _possible_commands(request: Document, ident: str) -> list[tuple[str, str]]:
    """Return the commands of a failed request; for a bundle only its own decisions."""
    command_lines = commands(ident, RequestStatus.FAILED)
    if needs_evidence(request):
        command = f"pao request retry {ident} --evidence absent --reason '...'"
        command_lines.insert(0, (command, "it is not there: run it again"))
        command = command.replace("absent", "'present={...}'")
        command_lines.insert(1, (command, "it is there: continue with its outputs, given as JSON"))
    if (request.get("errorContext") or {}).get("manualWay"):
        command = f"pao request retry {ident} --mode manual --reason '...'"
        command_lines.append((command, "continue with the manual way"))
    if not request.get("components"):
        return command_lines
    possible = request.get("possibleDecisions") or []
    return [one for one in command_lines if one[0].split()[2] in possible]


def _left_behind(context: Document, title: str, width: int | None) -> Iterator[Line]:
    entries = [entry for entry in context.get("cleanup") or () if isinstance(entry, dict)]
    if entries:
        yield Text()
        yield Text(title, style="bold")
    for entry in entries:
        what = clean(entry.get("resource") or entry.get("action"))
        text = clean(entry.get("instructions"), multiline=True)
        meaning_text = done_text(entry)
        line = Text(f"  {what}").append(
            f"  ✓ {meaning_text}" if meaning_text else "", style="green"
        )
        # Several lines hold commands, which are copied and must stay whole.
        is_prose = "\n" not in text
        more = Text(text if is_prose else text.replace("\n", f"\n{_INDENT}"), style=_DIM)
        yield from beside(line, more, width if is_prose else None, indent=_INDENT, wraps=True)


def done_text(entry: dict[str, Any]) -> str:
    """Return who has cleaned up an entry; empty for one that is open."""
    done = entry.get("done")
    if not done:
        return ""
    return f"done by {clean(done.get('by'))}, {local_time(done.get('at'))}: {clean(done['note'])}"


def commands(request_id: str, status: RequestStatus) -> list[tuple[str, str]]:
    """Return the command lines that a state allows, each with a description."""
    ident = shlex.quote(request_id)
    lines = {
        Decision.RETRY: (
            "--reason '...'",
            "run the failed action again; --field name=value corrects a field",
        ),
        Decision.ABORT: ("--reason '...'", "end the request"),
        Decision.ESCALATE: ("--reason '...'", "hand it over with a ticket"),
        Decision.CANCEL: ("--reason '...'", "stop what is running; the request becomes failed"),
    }
    allowed = [
        (f"pao request {decision} {ident} {lines[decision][0]}", lines[decision][1])
        for decision in DECISIONS[status]
    ]
    look = (f"pao request look {ident}", "ask the target whether it took effect; changes nothing")
    return [look, *allowed] if status == RequestStatus.FAILED else allowed


def needs_evidence(request: Document) -> bool:
    """Return whether only a person's evidence can tell what the failed action has left."""
    suggested = (request.get("errorContext") or {}).get("suggestedDecision")
    return isinstance(suggested, dict) and suggested.get("decision") == "evidence"
