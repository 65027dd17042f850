"""`pao request retry, abort, escalate, cancel, approve, reject, look`: what a person decides."""

import uuid
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pao.app.cli.bulk_decisions import DecisionBatch, RequestSelection, read_each, select_requests
from pao.app.cli.completion import failed_requests, running_requests
from pao.app.cli.context import CommandContext, command
from pao.app.cli.corrections import CorrectionPrompt
from pao.app.cli.exits import CliError, ExitCode, LostAnswerError
from pao.app.cli.fields import read_form
from pao.app.cli.look_output import print_look, show_changes
from pao.app.cli.requests import RequestArgument
from pao.app.cli.retry_options import RetryOptions
from pao.app.cli.terminal import segment
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
        metavar="N",
        help="The attempt you decide about; refused if there has been another one since.",
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
    cli: CommandContext,
    *,
    request_ids: RequestsArgument = None,
    reason: ReasonOption,
    options: RetryOptions,
    attempt: AttemptOption = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Look, and show changed fields and calls, without deciding anything."
        ),
    ] = False,
    selection: RequestSelection,
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
        request_body = options.body(lambda: form(request["catalogItemId"]))
        return {"reason": reason, **request_body}

    selection.check(cli, request_ids)
    only = _single_reference(request_ids)
    if options.ask and not (only and cli.interactive):
        raise CliError(
            "--ask corrects the fields of one request, on a terminal", exit_code=ExitCode.USAGE
        )
    with cli.api() as api:
        asks = only and cli.interactive and (options.ask or options.has_fields)
        request = api.get(f"/requests/{segment(only)}") if only and asks else {}
        # For any other request the service says at once that it cannot be retried.
        if request.get("status") == "failed":
            correction = CorrectionPrompt(
                cli, api, request, form(request["catalogItemId"]), options, reason, dry=dry_run
            )
            sent = {"reason": reason, **options.consents()}
            task = _DecisionCall(Decision.RETRY, lambda _: sent, attempt=attempt, dry=dry_run)
            _correct(cli, api, task, request, correction)
            return
        if dry_run and only:
            _show_dry_run(cli, api, only, body, options)
            return
        task = _DecisionCall(Decision.RETRY, body, attempt=attempt, dry=dry_run)
        _decide(cli, api, task, request_ids, selection)


_ENDINGS = {
    Decision.ABORT: "End failed requests permanently.",
    Decision.ESCALATE: "Hand failed requests over to people, with a ticket that has all details.",
}


def _add_ending(decision: Decision, summary: str) -> None:
    @command(app, decision.value, help=summary)
    def end(
        cli: CommandContext,
        *,
        request_ids: RequestsArgument = None,
        reason: ReasonOption,
        attempt: AttemptOption = None,
        selection: RequestSelection,
    ) -> None:
        selection.check(cli, request_ids)
        task = _DecisionCall(decision, lambda _: {"reason": reason}, attempt=attempt)
        with cli.api() as api:
            _decide(cli, api, task, request_ids, selection)


for _decision, _summary in _ENDINGS.items():
    _add_ending(_decision, _summary)


@command(app, "cancel")
def cancel(
    cli: CommandContext,
    *,
    request_ids: RunningArgument = None,
    reason: ReasonOption,
    selection: RequestSelection,
) -> None:
    """Stop what requests run or wait for; they become failed and wait for a decision."""
    selection.check(cli, request_ids)
    with cli.api() as api:
        request_id = _single_reference(request_ids)
        if request_id is None:
            task = _DecisionCall(Decision.CANCEL, lambda _: {"reason": reason}, names_attempt=False)
            _decide(cli, api, task, request_ids, selection)
            return
        document = _send(api, Decision.CANCEL, request_id, {"reason": reason})
    cli.show(document, lambda: print_request(cli.out, document))
    if not is_settled(document):
        cli.note(f"It is being stopped. Follow it: pao request status {request_id} --watch")


_VOTES = {
    ApprovalVote.APPROVE: "Approve actions that wait for your approval.",
    ApprovalVote.REJECT: "Reject actions that wait for your approval; they fail.",
}


def _add_vote(kind: ApprovalVote, summary: str) -> None:
    @command(app, kind.value, help=summary)
    def vote(
        cli: CommandContext,
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
            task = _DecisionCall(kind, body, names_attempt=False)
            _decide(cli, api, task, request_ids, RequestSelection())


for _kind, _summary in _VOTES.items():
    _add_vote(_kind, _summary)


@command(app, "look")
def look(cli: CommandContext, *, request_id: RequestArgument) -> None:
    """Ask the failed action's target whether it took effect; changes nothing."""
    with cli.api() as api:
        document = api.post(f"/requests/{segment(request_id)}/look").document
    cli.show(document, lambda: print_look(cli, document))


@dataclass(frozen=True, slots=True)
class _DecisionCall:
    """A decision, and the body of its call about a request.

    ``attempt`` is the one that was named; None means the one that was shown last.
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


def _single_reference(references: list[str] | None) -> str | None:
    return references[0] if references and len(references) == 1 else None


def _decide(
    cli: CommandContext,
    api: "Api",
    task: _DecisionCall,
    references: list[str] | None,
    selection: RequestSelection,
) -> None:
    """Decide about one request and show it, or about several and show each result."""
    if reference := _single_reference(references):
        body = task.whole_body(api.get(f"/requests/{segment(reference)}"))
        finish(cli, api, _send(api, task.decision, reference, body))
        return
    if task.attempt is not None:
        raise CliError("--attempt is for one request only", exit_code=ExitCode.USAGE)
    if selection.every and isinstance(task.decision, Decision):
        rows = select_requests(cli, api, task.decision, selection, dry=task.dry)
    else:
        rows = read_each(api, references or ())
    if not rows:
        cli.note("No requests match.")
    DecisionBatch(cli, api, task.decision, rows).run(task.whole_body, dry=task.dry)


def _correct(
    cli: CommandContext,
    api: "Api",
    task: _DecisionCall,
    request: dict[str, Any],
    correction: CorrectionPrompt,
) -> None:
    """Ask for the corrected fields until they are valid, and retry with them."""
    path = f"/requests/{request['id']}/retry"
    options = correction.options

    def send(fields: dict[str, Any]) -> dict[str, Any]:
        body = {**task.whole_body(request), **({"fields": fields} if fields else {})}
        if not task.dry:
            return _send(api, task.decision, request["id"], body)
        document: dict[str, Any] = api.post(path, body | {"dryRun": True}).document
        return document

    document = correction.run(send)
    if task.dry:
        show_changes(cli, document, options)
    else:
        finish(cli, api, document)


def _show_dry_run(
    cli: CommandContext,
    api: "Api",
    reference: str,
    body: Callable[[dict[str, Any]], dict[str, Any]],
    options: RetryOptions,
) -> None:
    path = f"/requests/{segment(reference)}"
    request_body = body(api.get(path)) | {"dryRun": True}
    show_changes(cli, api.post(f"{path}/retry", request_body).document, options)


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


def _send(
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
