"""`pao request retry, abort, escalate, cancel, approve, reject, look`: what a person decides."""

import uuid
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pao.app.cli.bulk_decisions import Round, Selection, read_each, selected
from pao.app.cli.completion import failed_requests, running_requests
from pao.app.cli.context import Cli, command
from pao.app.cli.corrections import Correction
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
    only = _only(request_ids)
    if options.ask and not (only and cli.interactive):
        raise CliError(
            "--ask corrects the fields of one request, on a terminal", exit_code=ExitCode.USAGE
        )
    with cli.api() as api:
        asks = only and cli.interactive and (options.ask or options.has_fields)
        request = api.get(f"/requests/{segment(only)}") if only and asks else {}
        # Of any other request the service says at once that it cannot be retried.
        if request.get("status") == "failed":
            correction = Correction(
                cli, api, request, form(request["catalogItemId"]), options, reason, dry=dry_run
            )
            sent = {"reason": reason, **options.consents()}
            task = _Task(Decision.RETRY, lambda _: sent, attempt=attempt, dry=dry_run)
            _correct(cli, api, task, request, correction)
            return
        if dry_run and only:
            _try(cli, api, only, body, options)
            return
        task = _Task(Decision.RETRY, body, attempt=attempt, dry=dry_run)
        _decide(cli, api, task, request_ids, selection)


_ENDINGS = {
    Decision.ABORT: "End failed requests for good.",
    Decision.ESCALATE: "Hand failed requests over to people, with a ticket that has all details.",
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
    cli.show(document, lambda: print_look(cli, document))


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


def _correct(
    cli: Cli, api: "Api", task: _Task, request: dict[str, Any], correction: Correction
) -> None:
    """Ask for the corrected fields until they are right, and retry with them."""
    path = f"/requests/{request['id']}/retry"
    options = correction.options

    def send(fields: dict[str, Any]) -> dict[str, Any]:
        body = {**task.whole_body(request), **({"fields": fields} if fields else {})}
        if not task.dry:
            return _sent(api, task.decision, request["id"], body)
        document: dict[str, Any] = api.post(path, body | {"dryRun": True}).document
        return document

    document = correction.run(send)
    if task.dry:
        show_changes(cli, document, options)
    else:
        finish(cli, api, document)


def _try(
    cli: Cli,
    api: "Api",
    reference: str,
    body: Callable[[dict[str, Any]], dict[str, Any]],
    options: RetryOptions,
) -> None:
    path = f"/requests/{segment(reference)}"
    made = body(api.get(path)) | {"dryRun": True}
    show_changes(cli, api.post(f"{path}/retry", made).document, options)


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
