"""What an operator reads in the Temporal UI: Markdown that needs no other document."""

from collections.abc import Collection

from pao.core.names import workflow_id
from pao.core.payloads.actions import ActionState
from pao.core.payloads.context import RequestContext
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import OpenApproval, OpenWait
from pao.core.states import ActionStatus, ApprovalVote, RequestStatus
from workflows.failures import suggest

SIGNALS = (
    ("retry", '{"by": "you", "reason": "quota was raised"}', "run the failed action again"),
    ("abort", '{"by": "you", "reason": "no longer needed"}', "end the request here"),
    ("escalate", '{"by": "you", "reason": "needs the platform team"}', "open a ticket and end"),
)
MOST_NAMED = 10
CANCEL = (
    "cancel",
    '{"by": "you", "reason": "it hangs"}',
    "cancel what is running; the request then fails and waits for a decision",
)
MANUAL_WAY = (
    "retry",
    '{"by": "you", "mode": "manual", "reason": "the cluster is full"}',
    "use the manual way: people do the work instead",
)


def current_details(
    context: RequestContext,
    status: RequestStatus,
    states: list[ActionState],
    *,
    retrying: bool,
    manual_way: bool = False,
) -> str:
    """Describe the state of the request, what failed and why, and what can be signalled.

    ``manual_way``: a retry may take it instead of what failed.
    """
    lines = [_headline(status, states, retrying=retrying), ""]
    lines += [f"- {_action_line(state)}" for state in states]
    for state in states:
        if state.status == ActionStatus.WAITING and state.waits_for is not None:
            lines += ["", *_wait(context, state, state.waits_for)]
    if status == RequestStatus.IN_PROGRESS or retrying:
        lines += ["", *_way_to_end(workflow_id(context.request_id))]
    for state in states:
        lines += [f"- left behind by `{state.id}`: {_left(one)}" for one in state.left_behind]
    if any(state.left_behind for state in states):
        lines.append(f"- what of it is cleaned up: `pao request cleanup {context.request_id}`")
    if status == RequestStatus.FAILED and not retrying:
        lines += ["", *_choices(context, states)]
        if manual_way:
            lines += _manual_way(context)
    return "\n".join(lines)


def _headline(status: RequestStatus, states: list[ActionState], *, retrying: bool) -> str:
    running = [state for state in states if state.status == ActionStatus.IN_PROGRESS]
    text = f"**{status.replace('_', ' ')}**"
    if len(running) > 1:
        text += f": {len(running)} actions run"
    elif running:
        action = running[0]
        text += f": `{action.id}` ({action.name}) runs, attempt {action.attempt}"
    elif retrying:
        text += ": a retry is being prepared"
    return text


def _action_line(state: ActionState) -> str:
    text = f"`{state.id}` {state.name}: {state.status.replace('_', ' ')}"
    if state.external_reference:
        text += f", [{state.external_reference}]({state.url})"
    if state.adopted:
        text += " (adopted, not created again)"
    if state.note:
        text += f" ({' '.join(state.note.split())})"
    return text


def _wait(context: RequestContext, state: ActionState, waiting: OpenWait) -> list[str]:
    if not isinstance(waiting, OpenApproval):
        what = f"[{state.external_reference}]({state.url})" if state.url else "its target"
        return [f"`{state.id}` waits for {what} since {waiting.since}"]
    people = waiting.approvers
    names = [*people.users, *(f"team {team}" for team in people.teams)]
    given = sum(vote.decision == ApprovalVote.APPROVE for vote in waiting.decisions)
    lines = [f"### `{state.id}` waits for an approval", ""]
    if waiting.message:
        lines += [f"> {' '.join(waiting.message.split())}", ""]
    lines.append(f"Approvers: {', '.join(names)}; {given} of {waiting.minimum} have approved.")
    if waiting.deadline:
        lines.append(f"Deadline: {waiting.deadline}, then: {waiting.on_deadline}.")
    for vote in ApprovalVote:
        command = f"pao request {vote} {context.request_id} --action {state.id} --reason '...'"
        lines += ["", "  ```", f"  {command}", "  ```"]
    return lines


def _command(workflow: str, name: str, payload: str) -> str:
    return f"temporal workflow signal --workflow-id {workflow} --name {name} --input '{payload}'"


def _choices(context: RequestContext, states: list[ActionState]) -> list[str]:
    lines: list[str] = []
    for state in states:
        if state.status != ActionStatus.FAILED or state.error is None:
            continue
        decision, why = suggest(state.error)
        unknown = (
            " **It is not known whether it took effect.**" if state.error.outcome_unknown else ""
        )
        lines += [
            f"### `{state.id}` failed, attempt {state.attempt}",
            "",
            f"> {' '.join(state.error.message.split())}",
            "",
            f"Suggested: **{decision}**. {why}{unknown}",
            "",
            *_left_in_target(state),
        ]
    lines += ["### Send one of these signals", ""]
    return lines + signal_lines(workflow_id(context.request_id))


def _left(one: PartialResource) -> str:
    named = " ".join(part for part in (one.type, one.id, one.url) if part)
    return " ".join(f"{named}. {one.cleanup or 'Remove it by hand.'}".split())


def _left_in_target(state: ActionState) -> list[str]:
    if not state.partial:
        return []
    names = [one.id or one.type for one in state.partial[:MOST_NAMED]]
    more = len(state.partial) - len(names)
    text = f"Left in its target: {', '.join(names)}{f' and {more} more' if more else ''}."
    return [text, ""]


def _way_to_end(workflow: str) -> list[str]:
    name, payload, effect = CANCEL
    return [
        f"- **{name}**: {effect}",
        "",
        "  ```",
        f"  {_command(workflow, name, payload)}",
        "  ```",
    ]


def _manual_way(context: RequestContext) -> list[str]:
    command = _command(workflow_id(context.request_id), *MANUAL_WAY[:2])
    return [f"- **{MANUAL_WAY[0]}**, {MANUAL_WAY[2]}", "", "  ```", f"  {command}", "  ```", ""]


def signal_lines(workflow: str, *, only: Collection[str] | None = None) -> list[str]:
    """Return each signal with its effect and a command to copy."""
    lines: list[str] = []
    for name, payload, effect in SIGNALS:
        if only is None or name in only:
            command = _command(workflow, name, payload)
            lines += [f"- **{name}**: {effect}", "", "  ```", f"  {command}", "  ```", ""]
    return lines
