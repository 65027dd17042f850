"""`pao request retry, abort, escalate, cancel, approve, reject, look`: what a person decides."""

import uuid
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.completion import failed_requests, running_requests
from pao.app.cli.context import Cli, command
from pao.app.cli.exits import CliError, ExitCode, LostAnswerError
from pao.app.cli.fields import read_form
from pao.app.cli.plan import change_lines, print_actions
from pao.app.cli.requests import RequestArgument
from pao.app.cli.retry_options import RetryOptions
from pao.app.cli.several import Round, Selection, read_each, selected
from pao.app.cli.terminal import clean, segment
from pao.app.cli.timeline import print_request
from pao.app.cli.watch import finish, is_settled
from pao.core.states import ApprovalVote, Decision

if TYPE_CHECKING:
    from catalog.forms import Form
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


RequestsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Ids, ticket keys or correlation ids of requests.",
        autocompletion=failed_requests,
    ),
]
RunningArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Ids, ticket keys or correlation ids of requests.",
        autocompletion=running_requests,
    ),
]


@command(app, "retry")
def retry(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: Cli,
    *,
    request_ids: RequestsArgument = None,
    reason: ReasonOption,
    options: RetryOptions,
    attempt: AttemptOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Look, and show changed fields and calls; decide nothing."),
    ] = False,
    selection: Selection,
) -> None:
    """Run the failed action again, with corrected fields where given.

    Exits with 1 when one was refused or has failed again, or a dry run would be refused.
    """
    options.check()
    forms: dict[str, Form] = {}

    def form(item: str) -> "Form":
        if item not in forms:
            forms[item] = read_form(api.get(f"/catalog/items/{segment(item)}/schema"))
        return forms[item]

    def body(request: dict[str, Any]) -> dict[str, Any]:
        made = options.body(lambda: form(request["catalogItemId"]))
        return {"reason": reason, **made}

    selection.check(cli, request_ids)
    with cli.api() as api:
        if dry_run and (only := _only(request_ids)):
            _try(cli, api, only, body, options)
            return
        task = _Task(Decision.RETRY, body, attempt=attempt, dry=dry_run)
        _decide(cli, api, task, request_ids, selection)


_ENDINGS = {
    Decision.ABORT: "End failed requests for good.",
    Decision.ESCALATE: "Hand failed requests over to people, with a ticket that says everything.",
}


def _add_ending(decision: Decision, summary: str) -> None:
    @command(app, decision.value, help=summary)
    def end(
        cli: Cli,
        *,
        request_ids: RequestsArgument = None,
        reason: ReasonOption,
        attempt: AttemptOption = None,
        selection: Selection,
    ) -> None:
        selection.check(cli, request_ids)
        task = _Task(decision, lambda _: {"reason": reason}, attempt=attempt)
        with cli.api() as api:
            _decide(cli, api, task, request_ids, selection)


for _decision, _summary in _ENDINGS.items():
    _add_ending(_decision, _summary)


@command(app, "cancel")
def cancel(
    cli: Cli,
    *,
    request_ids: RunningArgument = None,
    reason: ReasonOption,
    selection: Selection,
) -> None:
    """End what requests run or wait for; they are failed then and wait for a decision."""
    selection.check(cli, request_ids)
    with cli.api() as api:
        request_id = _only(request_ids)
        if request_id is None:
            task = _Task(Decision.CANCEL, lambda _: {"reason": reason}, names_attempt=False)
            _decide(cli, api, task, request_ids, selection)
            return
        document = _sent(api, Decision.CANCEL, request_id, {"reason": reason})
    cli.show(document, lambda: print_request(cli.out, document))
    if not is_settled(document):
        cli.note(f"It is being stopped. Follow it: pao request status {request_id} --watch")


_VOTES = {
    ApprovalVote.APPROVE: "Approve actions that wait for an approval of yours.",
    ApprovalVote.REJECT: "Reject actions that wait for an approval of yours; they fail.",
}


def _add_vote(kind: ApprovalVote, summary: str) -> None:
    @command(app, kind.value, help=summary)
    def vote(
        cli: Cli,
        *,
        request_ids: Annotated[
            list[str],
            typer.Argument(metavar="ID", help="Ids, ticket keys or correlation ids of requests."),
        ],
        reason: ReasonOption,
        action: ActionOption = None,
    ) -> None:
        def body(request: dict[str, Any]) -> dict[str, Any]:
            return {"actionId": action or _only_approval(request), "reason": reason}

        with cli.api() as api:
            task = _Task(kind, body, names_attempt=False)
            _decide(cli, api, task, request_ids, Selection())


for _kind, _summary in _VOTES.items():
    _add_vote(_kind, _summary)


@command(app, "look")
def look(cli: Cli, *, request_id: RequestArgument) -> None:
    """Ask the failed action's target whether it took effect; changes nothing."""
    with cli.api() as api:
        document = api.post(f"/requests/{segment(request_id)}/look").document
    cli.show(document, lambda: _print_look(cli, document))


@dataclass(frozen=True, slots=True)
class _Task:
    """What is decided, and the body of the call about a request.

    ``attempt`` is the one that was named; None stands for what was shown last.
    """

    decision: Decision | ApprovalVote
    body: Callable[[dict[str, Any]], dict[str, Any]]
    _: KW_ONLY
    attempt: int | None = None
    names_attempt: bool = True
    dry: bool = False

    def whole_body(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the body, with the attempt that the decision is about."""
        body = self.body(request)
        attempt = self.attempt if self.attempt is not None else request.get("attempt")
        return {**body, "attempt": attempt} if self.names_attempt and attempt else body


def _only(references: list[str] | None) -> str | None:
    return references[0] if references and len(references) == 1 else None


def _decide(
    cli: Cli, api: "Api", task: _Task, references: list[str] | None, selection: Selection
) -> None:
    """Decide about one request and show it, or about several and show what became of each."""
    if reference := _only(references):
        body = task.whole_body(api.get(f"/requests/{segment(reference)}"))
        finish(cli, api, _sent(api, task.decision, reference, body))
        return
    if task.attempt is not None:
        raise CliError("--attempt is for one request only", exit_code=ExitCode.USAGE)
    if selection.every and isinstance(task.decision, Decision):
        rows = selected(cli, api, task.decision, selection, dry=task.dry)
    else:
        rows = read_each(api, references or ())
    if not rows:
        cli.note("No requests match.")
    Round(cli, api, task.decision, rows).run(task.whole_body, dry=task.dry)


def _try(
    cli: Cli,
    api: "Api",
    reference: str,
    body: Callable[[dict[str, Any]], dict[str, Any]],
    options: RetryOptions,
) -> None:
    path = f"/requests/{segment(reference)}"
    made = body(api.get(path)) | {"dryRun": True}
    document = api.post(f"{path}/retry", made).document
    cli.show(document, lambda: _print_changes(cli, document, options))
    if document.get("refusals"):
        raise typer.Exit(ExitCode.FAILED)


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
