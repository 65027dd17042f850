"""`pao request retry, abort, escalate, cancel, approve, reject, look`: what a person decides."""

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import Cli, command
from pao.app.cli.exits import CliError, ExitCode, LostAnswerError
from pao.app.cli.plan import change_lines, print_actions
from pao.app.cli.requests import RequestArgument
from pao.app.cli.retry_options import (
    AcceptUsedOption,
    EvidenceOption,
    LeaveBehindOption,
    RetryOptions,
    ReviseOption,
    UnsetOption,
)
from pao.app.cli.submission import FieldOption
from pao.app.cli.terminal import clean, segment
from pao.app.cli.timeline import print_request
from pao.app.cli.watch import finish, is_settled
from pao.core.states import ApprovalVote, Decision

if TYPE_CHECKING:
    from pao.app.cli.http import Api

app = typer.Typer()

ReasonOption = Annotated[
    str, typer.Option("--reason", "-r", help="Reason, kept in the audit trail.", show_default=False)
]

ActionOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The action, where several wait for an approval."),
]

AttemptOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="The attempt you decide about; refused if there has been another since."
    ),
]


@command(app, "retry")
def retry(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: Cli,
    *,
    request_id: RequestArgument,
    reason: ReasonOption,
    field: FieldOption = None,
    mode: Annotated[
        str | None,
        typer.Option(help="manual: use the manual way of a hybrid item."),
    ] = None,
    unset: UnsetOption = None,
    revise: ReviseOption = False,
    leave_behind: LeaveBehindOption = False,
    accept_used: AcceptUsedOption = False,
    evidence: EvidenceOption = None,
    attempt: AttemptOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Look, and show changed fields and calls; decide nothing."),
    ] = False,
) -> None:
    """Run the failed action again, with corrected fields where given.

    Exits with 1 when it failed again, or a dry run would be refused.
    """
    options = RetryOptions(
        field=field,
        unset=unset,
        mode=mode,
        revise=revise,
        leave_behind=leave_behind,
        accept_used=accept_used,
        evidence=evidence,
    )
    with cli.api() as api:
        body = {"reason": reason, **options.body(api, segment(request_id))}
        if dry_run:
            path = f"/requests/{segment(request_id)}/retry"
            document = api.post(path, {**body, "dryRun": True}).document
            cli.show(document, lambda: _print_changes(cli, document, options))
            if document.get("refusals"):
                raise typer.Exit(ExitCode.FAILED)
            return
        _decide(cli, api, Decision.RETRY, request_id, _upon(api, request_id, body, attempt))


_ENDINGS = {
    Decision.ABORT: "End a failed request for good.",
    Decision.ESCALATE: "Hand a failed request over to people, with a ticket that says everything.",
}


def _add_ending(decision: Decision, summary: str) -> None:
    @command(app, decision.value, help=summary)
    def end(
        cli: Cli,
        *,
        request_id: RequestArgument,
        reason: ReasonOption,
        attempt: AttemptOption = None,
    ) -> None:
        with cli.api() as api:
            body = _upon(api, request_id, {"reason": reason}, attempt)
            _decide(cli, api, decision, request_id, body)


for _decision, _summary in _ENDINGS.items():
    _add_ending(_decision, _summary)


@command(app, "cancel")
def cancel(cli: Cli, *, request_id: RequestArgument, reason: ReasonOption) -> None:
    """End what a request runs or waits for; it is failed then and waits for a decision."""
    with cli.api() as api:
        document = _sent(api, Decision.CANCEL, request_id, {"reason": reason})
    cli.show(document, lambda: print_request(cli.out, document))
    if not is_settled(document):
        cli.note(f"It is being stopped. Follow it: pao request status {request_id} --watch")


_VOTES = {
    ApprovalVote.APPROVE: "Approve an action that waits for an approval of yours.",
    ApprovalVote.REJECT: "Reject an action that waits for an approval of yours; it fails.",
}


def _add_vote(kind: ApprovalVote, summary: str) -> None:
    @command(app, kind.value, help=summary)
    def vote(
        cli: Cli, *, request_id: RequestArgument, reason: ReasonOption, action: ActionOption = None
    ) -> None:
        with cli.api() as api:
            chosen = action
            if chosen is None:
                chosen = _only_approval(api.get(f"/requests/{segment(request_id)}"))
            body = {"actionId": chosen, "reason": reason}
            _decide(cli, api, kind, request_id, body)


for _kind, _summary in _VOTES.items():
    _add_vote(_kind, _summary)


@command(app, "look")
def look(cli: Cli, *, request_id: RequestArgument) -> None:
    """Ask the failed action's target whether it took effect; changes nothing."""
    with cli.api() as api:
        document = api.post(f"/requests/{segment(request_id)}/look").document
    cli.show(document, lambda: _print_look(cli, document))


def _upon(api: "Api", request_id: str, body: dict[str, Any], attempt: int | None) -> dict[str, Any]:
    """Add which attempt the decision is about: what was shown last, or what was named."""
    if attempt is None:
        attempt = api.get(f"/requests/{segment(request_id)}").get("attempt")
    return body if attempt is None else {**body, "attempt": attempt}


def _only_approval(document: dict[str, Any]) -> str:
    waiting = [
        str(one.get("id"))
        for one in document.get("actions") or ()
        if (one.get("waiting") or {}).get("kind") == "approval"
    ]
    if len(waiting) == 1:
        return waiting[0]
    if not waiting:
        message = f"no action waits for an approval; the request is {document.get('status')}"
        raise CliError(message, exit_code=ExitCode.FAILED)
    message = f"name the action with --action; waiting for an approval: {', '.join(waiting)}"
    raise CliError(message, exit_code=ExitCode.USAGE)


def _decide(
    cli: Cli, api: "Api", decision: Decision | ApprovalVote, request_id: str, body: dict[str, Any]
) -> None:
    finish(cli, api, _sent(api, decision, request_id, body))


def _sent(
    api: "Api", decision: Decision | ApprovalVote, request_id: str, body: dict[str, Any]
) -> dict[str, Any]:
    try:
        answer = api.post(
            f"/requests/{segment(request_id)}/{decision}", body, idempotency_key=str(uuid.uuid4())
        )
    except LostAnswerError as error:
        error.hint = f"See what happened: pao request get {request_id}"
        raise
    document: dict[str, Any] = answer.document
    return document


def _print_changes(cli: Cli, document: dict[str, Any], options: RetryOptions) -> None:
    refusals = document.get("refusals") or ()
    if refusals:
        cli.out.print(Text("✗ The retry would be refused; nothing was decided.", style="red"))
    else:
        cli.out.print(Text("✓ The retry would be accepted; nothing was decided.", style="green"))
    for refusal in refusals:
        cli.out.print(Text(f"  {clean(refusal.get('message'))}", style="red"), soft_wrap=True)
    refused = {refusal.get("actionId") for refusal in refusals}
    for look in document.get("looks") or ():
        cli.out.print(Text(f"  {clean(look.get('actionId'))}: ", style="cyan"), end="")
        _print_look(cli, look, _found(look, options, is_refused=look.get("actionId") in refused))
    for line in change_lines(document.get("changes") or {}):
        cli.out.print(line, soft_wrap=True)
    print_actions(cli.out, document.get("actions") or ())


_LOOKS = {
    "found": ("green", "It took effect; a retry adopts it:"),
    "absent": ("yellow", "It did not take effect; a retry does it."),
    "unknown": ("red", "Whether it took effect could not be determined:"),
}


def _found(look: dict[str, Any], options: RetryOptions, *, is_refused: bool) -> str | None:
    """Return what a retry that is only tried would make of an effect that exists."""
    if look.get("answer") != "found":
        return None
    if is_refused:
        return "It took effect, with the values of an earlier attempt:"
    if options.leave_behind:
        return "It took effect; a retry adopts it, or leaves it behind when it goes elsewhere:"
    if options.revise:
        return "It took effect; a retry changes it to the corrected values:"
    return None


def _print_look(cli: Cli, document: dict[str, Any], found: str | None = None) -> None:
    answer = clean(document.get("answer"))
    style, sentence = _LOOKS.get(answer, ("default", ""))
    sentence = found or sentence
    if answer == "absent" and document.get("reason"):
        sentence = "It took effect only in part:"
    cli.out.print(Text(f"{answer}  ", style=f"bold {style}").append(sentence, "not bold default"))
    if document.get("reason"):
        cli.out.print(Text(f"  {clean(document['reason'])}"), soft_wrap=True)
    adopted = document.get("wouldAdopt") or {}
    for name in ("externalReference", "url"):
        if adopted.get(name):
            cli.out.print(Text(f"  {clean(adopted[name])}"), soft_wrap=True)
