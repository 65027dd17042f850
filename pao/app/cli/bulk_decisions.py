"""One decision about several requests: which ones, in which order, and what became of each.

Every request is decided by a separate call with its own idempotency key, so that a refusal does not
stop the others and an interruption leaves nothing half done.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext
from pao.app.cli.exits import CliError, ExitCode, LostAnswerError
from pao.app.cli.request_filters import RequestFilters
from pao.app.cli.request_table import id_length, request_table
from pao.app.cli.tables import print_table
from pao.app.cli.terminal import OutputFormat, clean, segment, state
from pao.core.states import ApprovalVote, Decision, RequestStatus

if TYPE_CHECKING:
    from pao.app.cli.http import Api

Document = dict[str, Any]
MakeBody = Callable[[Document], Document]

_LONGEST_WAIT = 120
_MAX_SHOWN = 20
_REQUIRED_STATUS = {Decision.CANCEL: RequestStatus.IN_PROGRESS}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSelection(RequestFilters):
    """Options that select the requests to decide about, instead of naming them."""

    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Every request that the filters select; shows them and asks first."
        ),
    ] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False

    def check(self, cli: CommandContext, references: Sequence[str] | None) -> None:
        """Raise unless requests are either named or selected, and can be confirmed."""
        if self.every and references:
            raise _usage_error("Name requests, or select them with --all; not both")
        if not self.every and not references:
            raise _usage_error("Name at least one request, or select some with --all and filters")
        if self.any and not self.every:
            raise _usage_error("Filters are for --all; without it the requests are named")
        if self.every and not self.any:
            raise _usage_error("--all needs at least one filter, such as --item or --cause")
        if self.every and not self.yes and not cli.interactive:
            raise _usage_error("There is no terminal to ask on; add --yes")


def select_requests(
    cli: CommandContext, api: "Api", decision: Decision, selection: RequestSelection, *, dry: bool
) -> list[Document]:
    """Return the selected requests, once a person has confirmed them."""
    status = _REQUIRED_STATUS.get(decision, RequestStatus.FAILED)
    decidable = "me" if status is RequestStatus.FAILED else None
    pages = api.pages(
        "/requests", limit=None, **selection.query(), status=[status.value], decidable=decidable
    )
    rows = [row for page in pages for row in page["data"] if not row.get("retrying")]
    if not rows or dry or selection.yes:
        return rows
    print_table(cli.err, request_table(rows), rows[:_MAX_SHOWN])
    if len(rows) > _MAX_SHOWN:
        cli.err.print(Text(f"and {len(rows) - _MAX_SHOWN} more", style="bright_black"))
    question = f"{decision.value.capitalize()} {_count_text(len(rows))}?"
    if not typer.confirm(question, default=False, err=True):
        cli.note("Nothing was decided.")
        raise typer.Exit(ExitCode.FAILED)
    return rows


def read_each(api: "Api", references: Sequence[str]) -> list[Document]:
    """Return the named requests, each once; raises ``CliError`` if one does not exist."""
    found = [api.get(f"/requests/{segment(one)}") for one in dict.fromkeys(references)]
    return list({str(one["id"]): one for one in found}.values())


@dataclass(slots=True)
class DecisionResult:
    """The result for one request; ``outcome`` is a word for machines."""

    request: Document
    outcome: str = "not attempted"
    error: CliError | None = None

    @property
    def is_good(self) -> bool:
        """Whether it was decided and has not failed again."""
        failed = self.request.get("status") == RequestStatus.FAILED
        return self.outcome == "accepted" or (
            self.outcome == "decided" and (not failed or bool(self.request.get("retrying")))
        )

    def document(self) -> Document:
        """Return it for a machine."""
        error = self.error
        return {
            "id": self.request["id"],
            "title": self.request.get("title"),
            "outcome": self.outcome,
            "status": self.request.get("status"),
            "retrying": bool(self.request.get("retrying")),
            "error": error
            and {"code": error.code, "message": error.message, "details": list(error.details)},
        }


class DecisionBatch:
    """One decision about each of several requests, one after the other."""

    def __init__(
        self,
        cli: CommandContext,
        api: "Api",
        decision: Decision | ApprovalVote,
        rows: Sequence[Document],
    ) -> None:
        self._cli = cli
        self._api = api
        self._decision = decision
        self._outcomes = [DecisionResult(row) for row in rows]
        whole = not cli.out.file.isatty() or cli.output is OutputFormat.WIDE
        self._length = None if whole else id_length([str(row["id"]) for row in rows])

    def run(self, body: MakeBody, *, dry: bool = False) -> None:
        """Decide about each and show it at once; exits with 1 unless all went well.

        ``body`` makes the body of a request's call. After an interruption, or if the service
        becomes unavailable, what was done until then is shown.
        """
        try:
            for one in self._outcomes:
                self._decide(one, body, dry=dry)
                self._show(one)
                if one.outcome == "unknown":
                    break
        except KeyboardInterrupt:
            self._end()
            raise
        self._end()
        if any(one.outcome in {"unknown", "not attempted"} for one in self._outcomes):
            raise typer.Exit(ExitCode.UNAVAILABLE)
        if not all(one.is_good for one in self._outcomes):
            raise typer.Exit(ExitCode.FAILED)

    def _decide(self, one: DecisionResult, body: MakeBody, *, dry: bool) -> None:
        path = f"/requests/{segment(str(one.request['id']))}"
        key = None if dry else str(uuid.uuid4())
        before = one.request
        try:
            now = self._call_within_rate(lambda: self._api.get(path))
            _require_unchanged(before, now)
            one.request = before | now
            sent_body = body(now) | ({"dryRun": True} if dry else {})
            one.outcome = "unknown"
            answer = self._call_within_rate(
                lambda: self._api.post(f"{path}/{self._decision}", sent_body, idempotency_key=key)
            )
            self._record_answer(one, answer.document, dry=dry)
        except LostAnswerError as error:
            one.error = error
        except CliError as error:
            is_unavailable = error.exit_code is ExitCode.UNAVAILABLE
            one.outcome, one.error = "unknown" if is_unavailable else "refused", error

    def _record_answer(self, one: DecisionResult, document: Document, *, dry: bool) -> None:
        if not dry:
            one.outcome, one.request = "decided", one.request | document
            return
        refusals = document.get("refusals") or ()
        one.outcome = "refused" if refusals else "accepted"
        if refusals:
            text = "; ".join(str(refusal.get("message")) for refusal in refusals)
            one.error = CliError(text, exit_code=ExitCode.FAILED)

    def _call_within_rate(self, call: Callable[[], Any]) -> Any:
        """Make a call, repeated while the service limits the rate."""
        while True:
            try:
                return call()
            except CliError as error:
                pause = error.retry_after
                if error.code != "RATE_LIMIT_EXCEEDED" or pause is None or pause > _LONGEST_WAIT:
                    raise
                self._cli.note(f"Too many calls for the service; continuing in {pause:g} s.")
                time.sleep(pause)

    def _show(self, one: DecisionResult) -> None:
        if not self._cli.is_table:
            return
        for line in self._lines(one):
            self._cli.out.print(line, soft_wrap=True)

    def _lines(self, one: DecisionResult) -> Iterator[Text]:
        request = one.request
        line = Text(f"{str(request['id'])[: self._length]}  ", style="bold")
        word = state(request.get("status"), retrying=request.get("retrying"))
        if one.outcome != "decided":
            style = "green" if one.outcome == "accepted" else "red"
            word = Text(f"{'✓' if one.is_good else '✗'} {one.outcome}", style=style)
        line.append_text(word)
        title = request.get("title") or request.get("catalogItemId")
        yield line.append(f"  {clean(title)}", style="bright_black")
        error = one.error
        failed = (request.get("error") or {}).get("message") if one.outcome == "decided" else None
        reason = error.message if error else failed if not one.is_good else None
        if reason:
            yield Text(f"    {clean(reason)}", style="red")
        for detail in error.details if error else ():
            yield Text(f"    - {clean(detail)}")

    def _end(self) -> None:
        document = {"data": [one.document() for one in self._outcomes]}
        if not self._cli.is_table:
            self._cli.show(document, lambda: None)
            return
        counts: dict[str, int] = {}
        for one in self._outcomes:
            word = str(one.request.get("status")) if one.outcome == "decided" else one.outcome
            counts[word] = counts.get(word, 0) + 1
        counts_text = ", ".join(
            f"{count} {word.replace('_', ' ')}" for word, count in counts.items()
        )
        self._cli.out.print(
            Text(f"{_count_text(len(self._outcomes))}: {counts_text}", style="bold")
        )
        for one in self._outcomes:
            if one.outcome == "unknown":
                self._cli.note(f"See what happened: pao request get {one.request['id']}")


def _require_unchanged(before: Document, now: Document) -> None:
    """Raise if the request has changed since it was shown."""
    for name in ("status", "retrying", "error"):
        if before.get(name) != now.get(name):
            raise CliError(
                f"It has changed since it was shown: it is {now.get('status')} now",
                exit_code=ExitCode.FAILED,
            )


def _count_text(count: int) -> str:
    return f"{count} request{'' if count == 1 else 's'}"


def _usage_error(message: str) -> CliError:
    return CliError(message, exit_code=ExitCode.USAGE)
