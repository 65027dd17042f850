"""A request as a person reads it: one line per action, and what may be decided about a failure."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group
from rich.text import Text

from pao.app.cli.bundle_tree import DIM, tree
from pao.app.cli.next_decisions import (
    decision_lines,
    done_text,
    may_decide,
    needs_evidence,
    reference,
)
from pao.app.cli.plan import change_lines
from pao.app.cli.terminal import MARKS, STYLES, clean, duration, local_time, pad, state
from pao.app.cli.wrapping import GAP, Line, beside, prose
from pao.core.states import ApprovalVote, RequestStatus

_DIM = DIM
_INDENT = " " * 6
_MANY_LINES = 12

Document = Mapping[str, Any]


def render(request: Document, tickets: Document | None = None) -> Group:
    """Draw a request: who and what, its actions, the failure, the decisions so far.

    ``tickets`` holds the current state in JIRA by action id (the ``tickets`` of the status).
    """
    return Group(*_lines(request, tickets or {}, width=None))


def print_request(console: Console, request: Document, tickets: Document | None = None) -> None:
    """Print a request; commands and addresses are whole lines, so that they can be copied."""
    width = console.width if console.file.isatty() else None
    for line in _lines(request, tickets or {}, width=width):
        console.print(line, soft_wrap=isinstance(line, Text))


def _lines(request: Document, tickets: Document, *, width: int | None) -> Iterator[Line]:
    yield from _head(request, width)
    yield from tree(request, tickets, width)
    actions = request.get("actions") or []
    if actions:
        yield Text()
    widths = _widths(actions)
    for action in actions:
        line, made = _action(action, widths), _result_text(action, tickets.get(action.get("id")))
        yield from beside(line, made, width, indent=_INDENT) if made else [line]
        yield from _explanation(action, request, width)
        yield from _failure(action, request, width)
    yield from _own_failure(request, width)
    yield from _left_behind(request)
    yield from _outcome(request)
    yield from decision_lines(request, width)


def _left_behind(request: Document) -> Iterator[Text]:
    """Yield what stays in targets without an action that owns it, and what to do about it."""
    for one in request.get("leftBehind") or ():
        named = " ".join(clean(one[key]) for key in ("type", "id", "url") if one.get(key))
        told = done_text(one)
        line = Text(f"  left behind by {clean(one.get('action'))}: {named}", style="yellow")
        yield line.append(f"  ✓ {told}" if told else "", style="green")
        if one.get("instructions"):
            yield Text(f"    {clean(one['instructions'])}", style=_DIM)


def _head(request: Document, width: int | None) -> Iterator[Line]:
    line = state(request.get("status"), retrying=request.get("retrying"))
    item = f"{clean(request.get('catalogItemId'))} {clean(request.get('catalogItemVersion'))}"
    yield Text("Request ", style="bold").append(clean(request.get("id"))).append("  ").append(line)
    if request.get("title"):
        yield Text(clean(request["title"]), style="bold")
    if request.get("summary"):
        yield prose(clean(request["summary"]), width)
    about = f"submitted {local_time(request.get('createdAt'))}"
    user = request.get("user") or {}
    if user.get("email") or user.get("id"):
        about += f" by {clean(user.get('email') or user['id'])}"
    yield from beside(Text(item, style=_DIM), Text(about, style=_DIM), width)
    if request.get("correlationId"):
        yield Text(f"correlation id {clean(request['correlationId'])}", style=_DIM)
    links = request.get("links") or {}
    if links.get("workflow"):
        yield Text(f"workflow {clean(links['workflow'])}", style=_DIM)


def _widths(actions: list[Document]) -> tuple[int, int, int]:
    names = [cell_len(clean(action.get("name") or action.get("id"))) for action in actions]
    states = [cell_len(clean(action.get("status"))) for action in actions]
    times = [len(_duration(action)) for action in actions]
    return max(names, default=0), max(states, default=0), max(times, default=0)


def _action(action: Document, widths: tuple[int, int, int]) -> Text:
    status = clean(action.get("status"))
    style = STYLES.get(status, "")
    name = clean(action.get("name") or action.get("id"))
    line = Text(f"  {MARKS.get(status, '?')} ", style=style)
    line.append(pad(name, widths[0]), style="default" if status != "pending" else _DIM)
    line.append(f"  {pad(status, widths[1])}", style=style)
    line.append(f"  {_duration(action).rjust(widths[2])}", style=_DIM)
    attempt = action.get("attempt") or 0
    if attempt > 1:
        line.append(f"  attempt {attempt}", style="yellow")
    return line


def _result_text(action: Document, ticket: Document | None) -> Text:
    """Return what an action has created: its reference, its state in JIRA, its address."""
    parts = []
    if action.get("externalReference"):
        parts.append(Text(clean(action["externalReference"]), style="bold"))
    if ticket:
        parts.append(Text(_live_status(ticket), style="cyan" if ticket.get("live") else "yellow"))
    if action.get("url"):
        parts.append(Text(clean(action["url"]), style=_DIM))
    return Text(GAP).join(parts)


def _duration(action: Document) -> str:
    return duration(action.get("startedAt"), action.get("finishedAt"))


def _live_status(ticket: Document) -> str:
    if ticket.get("live"):
        return f"[{clean(ticket.get('status'))}]"
    return f"[not live: {clean(error_text(ticket.get('error')) or 'JIRA did not answer')}]"


def _explanation(action: Document, request: Document, width: int | None) -> Iterator[Line]:
    """Yield why an action was skipped, or what it waits for and how that is decided."""
    if action.get("reason"):
        yield prose(clean(action["reason"]), width, style=_DIM, indent=_INDENT)
    waiting = action.get("waiting") or {}
    if waiting.get("kind") == "resolution":
        ticket = clean(action.get("externalReference") or "its ticket")
        yield Text(f"      waits until {ticket} is resolved", style="yellow")
    if waiting.get("kind") != "approval":
        return
    people = waiting.get("approvers") or {}
    names = [*people.get("users", ()), *(f"team {team}" for team in people.get("teams", ()))]
    until = f", until {local_time(waiting['deadline'])}" if waiting.get("deadline") else ""
    if waiting.get("message"):
        yield prose(clean(waiting["message"]), width, indent=_INDENT)
    people_asked = f"waits for {clean(', '.join(names))}{until}"
    yield prose(people_asked, width, style="yellow", indent=_INDENT)
    for vote in waiting.get("decisions") or ():
        yield Text(f"      {clean(vote.get('decision'))} by {clean(vote.get('by'))}", style=_DIM)
    if not may_decide(request):
        return
    for vote in ApprovalVote:
        ident = reference(request, width)
        yield Text(f"{_INDENT}pao request {vote} {ident} --reason '...'", style=_DIM)


def _failure(action: Document, request: Document, width: int | None) -> Iterator[Line]:
    """Explain a failed action, by the error of the request if the action has none."""
    if action.get("status") != "failed":
        return
    error = action.get("error") or request.get("error") or {}
    status = error.get("httpStatus") if isinstance(error, dict) else None
    text = clean(error_text(error), multiline=True)
    suffix = f" (HTTP {clean(status)})" if status and f"HTTP {clean(status)}" not in text else ""
    for number, part in enumerate(text.splitlines()):
        if number >= _MANY_LINES:
            yield Text(f"{_INDENT}... (`pao request get ID -o json` has the rest)", style=_DIM)
            break
        told = f"{part}{suffix if number == 0 else ''}"
        yield prose(told, width, style="red", indent=_INDENT)
    if action.get("outcomeUnknown") or (isinstance(error, dict) and error.get("outcomeUnknown")):
        text = f"Whether it took effect is not known{_hint_to_find_out(request)}."
        yield Text(_INDENT + text, style="yellow")


def _own_failure(request: Document, width: int | None) -> Iterator[Line]:
    """Explain a failure of the request that none of its actions or components explains."""
    parts = [*(request.get("actions") or ()), *(request.get("components") or ())]
    told = any(part.get("status") == "failed" for part in parts)
    text = error_text(request.get("error"))
    if request.get("status") == RequestStatus.FAILED and text and not told:
        yield Text()
        for part in clean(text, multiline=True).splitlines()[:_MANY_LINES]:
            yield prose(part, width, style="red", indent=GAP)


def _hint_to_find_out(request: Document) -> str:
    if request.get("status") != "failed":
        return ""
    if needs_evidence(request):
        return ", and PAO cannot look: look in the target, then retry with --evidence"
    return ": a retry looks for it first"


def error_text(error: object) -> str:
    """Return the message of an error, whether it is a text or an object."""
    if isinstance(error, dict):
        return str(error.get("message") or error.get("code") or "")
    return "" if error is None else str(error)


def _outcome(request: Document) -> Iterator[Text]:
    escalation = request.get("escalation") or {}
    if escalation:
        yield Text()
        line = Text("Escalated as ", style="magenta")
        line.append(clean(escalation.get("ticketKey")), style="bold")
        yield line.append(f"  {clean(escalation.get('url'))}", style=_DIM)
    decisions = request.get("decisions") or []
    if decisions:
        yield Text()
    for decision in decisions:
        yield _decision(decision)
        for line in change_lines(decision.get("changes") or {}):
            yield Text("          ").append_text(line)
        for name, actions in ((decision.get("details") or {}).get("outOfStep") or {}).items():
            used = ", ".join(clean(one) for one in actions)
            told = f"            {clean(name)} is inconsistent: {used} used the previous value"
            yield Text(told, style="yellow")


def _decision(decision: Document) -> Text:
    accepted = decision.get("accepted")
    line = Text("  decision  ", style=_DIM)
    line.append(clean(decision.get("decision")), style="default" if accepted else _DIM)
    line.append(f" by {clean(decision.get('by'))}, {local_time(decision.get('at'))}", style=_DIM)
    if decision.get("reason"):
        line.append(f": {clean(decision['reason'])}", style="default")
    told = clean(decision.get("message"))
    if accepted and decision.get("outcome") == "failed":
        return line.append(f"  (could not be carried out: {told})", style="red")
    if accepted:
        return line
    return line.append(f"  (refused{': ' if told else ''}{told})", style="yellow")
