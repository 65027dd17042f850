"""What an operator reads in the Temporal UI: Markdown that needs no other document."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import quote

from pao.core.payloads.actions import ActionState
from pao.core.payloads.cleanups import CleanupMark
from pao.core.payloads.context import RequestContext
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import OpenApproval, OpenWait
from pao.core.resources import orphaned_resources, resource_entry_id
from pao.core.states import ActionStatus, ApprovalVote, RequestStatus
from workflows.failures import suggest

# Temporal's UI says what each does beside its name. One line each: the page shows about twenty.
SIGNALS = (
    ("retry", '{"by": "you", "reason": "quota was raised"}'),
    ("abort", '{"by": "you", "reason": "no longer needed"}'),
    ("escalate", '{"by": "you", "reason": "not ours to fix"}'),
)
SEND_SIGNAL = "Above, under *More Actions*, *Send a Signal*: choose the name and paste the input."
MOST_NAMED = 10
MOST_NOTE = 200
_QUOTED = re.compile(r"\{[^`]*\}")
# An underscore within a word is not markup.
_MARKDOWN = re.compile(r"([\\`*\[\]<~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;))")
# Markdown turns an address into a link: only what would end the link is escaped.
_MARKDOWN_IN_ADDRESS = re.compile(r"([\\`*\[\]<])")
_ADDRESS = re.compile(r"https?://")
_BEGINS_A_BLOCK = re.compile(r"^([-+=>#])")
_IN_ADDRESSES = ":/?#@!$&'*+,;=%[]~"
CANCEL_SIGNAL = (
    "cancel",
    '{"by": "you", "reason": "it hangs"}',
    "ends what runs; the request then fails and waits for a decision",
)
MANUAL_WAY_SIGNAL = (
    "retry",
    '{"by": "you", "mode": "manual", "reason": "it is full"}',
    "takes the manual way: people do the work instead",
)


def current_details(  # noqa: PLR0913 -- what is described, each part named.
    context: RequestContext,
    status: RequestStatus,
    states: list[ActionState],
    *,
    retrying: bool,
    manual_way: bool = False,
    refused: str | None = None,
    cleaned: Mapping[str, CleanupMark] | None = None,
) -> str:
    """Describe the state of the request, what failed and why, and what can be signaled.

    ``manual_way``: a retry may take it instead of what failed. ``refused`` is the last refusal,
    ``cleaned`` what people have reported as cleaned up, by entry.
    """
    lines = [*title_lines(context), _headline(status, states, retrying=retrying), ""]
    lines += refusal_lines(refused)
    lines += [f"- {_action_line(state)}" for state in states]
    for state in states:
        if state.status == ActionStatus.WAITING and state.waits_for is not None:
            lines += ["", *_wait_lines(context, state, state.waits_for)]
    if status == RequestStatus.IN_PROGRESS or retrying:
        lines += ["", SEND_SIGNAL, "", *_signal_with_effect(*CANCEL_SIGNAL)]
    lines += _left_behind_lines(context.request_id, states, cleaned or {})
    if status == RequestStatus.FAILED and not retrying:
        lines += ["", *_decision_lines(states)]
        if manual_way:
            lines += _signal_with_effect(*MANUAL_WAY_SIGNAL)
    return "\n".join(lines)


def title_lines(context: RequestContext) -> list[str]:
    """Return the request's title as lines; none if it has no title."""
    return [f"## {markdown_text(context.subject)}", ""] if context.title else []


def markdown_text(text: str) -> str:
    """Return external text on one line, escaped so that Markdown shows it literally."""
    return _BEGINS_A_BLOCK.sub(r"\\\1", " ".join(map(_escape_word, text.split())))


def _escape_word(word: str) -> str:
    signs = _MARKDOWN_IN_ADDRESS if _ADDRESS.match(word) else _MARKDOWN
    return signs.sub(r"\\\1", word)


def _link(text: str, url: str | None) -> str:
    label = markdown_text(text)
    return f"[{label}]({quote(url, safe=_IN_ADDRESSES)})" if url else label


def _headline(status: RequestStatus, states: list[ActionState], *, retrying: bool) -> str:
    running = [state for state in states if state.status == ActionStatus.IN_PROGRESS]
    text = f"**{status.replace('_', ' ')}**"
    if len(running) > 1:
        text += f": {len(running)} actions run"
    elif running:
        action = running[0]
        text += f": `{action.id}` ({markdown_text(action.name)}) runs, attempt {action.attempt}"
    elif retrying:
        text += ": a retry is being prepared"
    return text


def _action_line(state: ActionState) -> str:
    text = f"`{state.id}` {markdown_text(state.name)}: {state.status.replace('_', ' ')}"
    if state.external_reference:
        text += f", {_link(state.external_reference, state.url)}"
    if state.adopted:
        text += " (adopted, not created again)"
    if state.note:
        text += f" ({markdown_text(state.note)})"
    return text


def _wait_lines(context: RequestContext, state: ActionState, waiting: OpenWait) -> list[str]:
    if not isinstance(waiting, OpenApproval):
        url = state.url
        target = _link(state.external_reference or url, url) if url else "its target"
        return [f"`{state.id}` waits for {target} since {waiting.since}"]
    people = waiting.approvers
    approvers = [*people.users, *(f"team {team}" for team in people.teams)]
    names = ", ".join(map(markdown_text, approvers))
    approvals = sum(vote.decision == ApprovalVote.APPROVE for vote in waiting.decisions)
    lines = [f"### `{state.id}` waits for an approval", ""]
    if waiting.message:
        lines += [f"> {markdown_text(waiting.message)}", ""]
    lines.append(f"Approvers: {names}; {approvals} of {waiting.minimum} have approved.")
    if waiting.deadline:
        lines.append(f"Deadline: {waiting.deadline}, then: {waiting.on_deadline}.")
    for vote in ApprovalVote:
        command = f"pao request {vote} {context.request_id} --action {state.id} --reason '...'"
        lines += ["", "  ```", f"  {command}", "  ```"]
    return lines


def _decision_lines(states: list[ActionState]) -> list[str]:
    lines: list[str] = []
    for state in states:
        if state.status != ActionStatus.FAILED or state.error is None:
            continue
        decision, why = suggest(state.error)
        lines += [
            f"### `{state.id}` failed, attempt {state.attempt}",
            "",
            f"> {markdown_text(state.error.message)}",
            "",
            f"Suggested: **{decision}**. {markdown_text(why)}",
            "",
            *_partial_lines(state),
        ]
    return [*lines, "### Decide", "", SEND_SIGNAL, "", *signal_lines()]


def _left_behind_lines(
    request_id: str, states: list[ActionState], cleaned: Mapping[str, CleanupMark]
) -> list[str]:
    lines = [
        f"- left behind by `{state.id}`: {_describe_resource(one)}{_cleanup_mark(mark)}"
        for state in states
        for one in orphaned_resources(request_id, state)
        for mark in (cleaned.get(resource_entry_id(state.id, one)),)
    ]
    if lines:
        lines.append(f"- when it is cleaned up, report it: `pao request cleanup {request_id}`")
    return lines


def _describe_resource(one: PartialResource) -> str:
    name = " ".join(part for part in (one.type, one.id, one.url) if part)
    return markdown_text(f"{name}. {one.cleanup or 'Remove it by hand.'}")


def _cleanup_mark(mark: CleanupMark | None) -> str:
    if mark is None:
        return " **Not reported as done.**"
    note = " ".join(mark.note.split())[:MOST_NOTE]
    return f" **Done**, says {markdown_text(mark.by)}: {markdown_text(note)}"


def _partial_lines(state: ActionState) -> list[str]:
    if not state.partial:
        return []
    names = [markdown_text(one.id or one.type) for one in state.partial[:MOST_NAMED]]
    more = len(state.partial) - len(names)
    text = f"Left in its target: {', '.join(names)}{f' and {more} more' if more else ''}."
    return [text, ""]


def _signal_with_effect(name: str, payload: str, effect: str) -> list[str]:
    """Return a further signal: its effect as well as its input."""
    return [f"- **{name}** {effect}  ", f"  `{payload}`"]


def refusal_lines(refused: str | None) -> list[str]:
    """Return the last refusal as lines; JSON in it is shown as code."""
    if not refused:
        return []
    text = _QUOTED.sub(r"`\g<0>`", " ".join(refused.split()))
    return [f"**Last refused:** {text}", ""]


def signal_lines(*, only: Collection[str] | None = None) -> list[str]:
    """Return each signal with its input, ready to be pasted."""
    return [
        f"- **{name}** `{payload}`" for name, payload in SIGNALS if only is None or name in only
    ]
