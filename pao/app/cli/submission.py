"""`pao request submit`: submits a request, and waits for it."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.completion import items
from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode, LostAnswerError
from pao.app.cli.field_files import FieldFile, read_field_file
from pao.app.cli.fields import parse_assignments, read_form
from pao.app.cli.log_lines import follow_log, print_log_line
from pao.app.cli.plan import print_actions
from pao.app.cli.retry_options import FieldOption
from pao.app.cli.terminal import clean, segment
from pao.app.cli.watch import finish, is_settled, watch

if TYPE_CHECKING:
    from catalog.forms import Form
    from pao.app.cli.http import Api

app = typer.Typer()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionOptions:
    """The options of commands that submit."""

    field: FieldOption = None
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Fields as YAML 1.2 or JSON, or saved answers; - for standard input.",
        ),
    ] = None
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the request.")] = None
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A note shown with the request.")
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and show the calls; submit nothing.")
    ] = False
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has settled.")] = False
    follow: Annotated[
        bool, typer.Option("--follow-logs", help="Wait, and show its log on standard error.")
    ] = False
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="The same key never creates a second request (random by default)."
        ),
    ] = None

    def given(self, form: "Form", *, asks: bool = False) -> FieldFile:
        """Return the given fields, and those that are still to be asked for.

        A value that cannot be read ends the command, unless it can be asked for again.
        """
        file = read_field_file(self.config) if self.config else FieldFile()
        unreadable: dict[str, list[str]] = {}
        assigned = parse_assignments(self.field or [], form, unreadable if asks else None)
        left = (name for name in file.unanswered if name not in assigned)
        return FieldFile(file.fields | assigned, tuple(left), unreadable)


@command(app, "submit")
def submit(
    cli: CommandContext,
    *,
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="Id of the catalog item.", autocompletion=items)
    ],
    options: SubmissionOptions,
) -> None:
    """Submit a request; on a terminal it asks for the fields.

    Answers are checked at once, and can be saved to a file for --config.
    Exits with 1 when the request failed.
    """
    key = check_idempotency_key(options.idempotency_key)
    with cli.api() as api:
        form = read_form(api.get(f"/catalog/items/{segment(item)}/schema"))
        metadata = metadata_of(options.tag, options.note)
        submission = RequestSubmission(cli, api, item, metadata, key)
        submit_fields(submission, form, options.given(form, asks=cli.interactive), options)


def submit_fields(
    submission: "RequestSubmission", form: "Form", given: FieldFile, options: SubmissionOptions
) -> None:
    """Submit or check the fields, and show the request as the options say."""
    cli, api = submission.cli, submission.api
    if options.dry_run:
        _show_plan(cli, submission.fill_in(form, given, dry_run=True))
        return
    request = submission.fill_in(form, given)
    if options.follow:
        show = partial(print_log_line, cli.err)
        request = follow_log(api, request["id"], after=0, show=show, is_over=is_settled)
    elif options.wait:
        request = watch(cli, api, request["id"])
    finish(cli, api, request)


@dataclass(slots=True)
class RequestSubmission:
    """A request to submit for an item; after a lost response, always with the same key."""

    cli: CommandContext
    api: "Api"
    item: str
    metadata: dict[str, Any]
    key: str | None
    verb: str = "Submit"

    def fill_in(self, form: "Form", given: FieldFile, *, dry_run: bool = False) -> dict[str, Any]:
        """Submit or check the fields, asking on a terminal for what is missing or invalid.

        Without given fields all are asked for, otherwise those that need a value and those that
        are named as unanswered.
        """
        act = self.check if dry_run else self.send
        if not self.cli.interactive:
            return act(given.fields)
        from pao.app.cli.prompts.answers import Answers  # noqa: PLC0415 -- forms take 0.3 s to load
        from pao.app.cli.prompts.form_prompt import FormPrompt  # noqa: PLC0415 -- as above
        from pao.app.cli.prompts.service import FormValidator, ItemService  # noqa: PLC0415 -- as above

        service, today = ItemService(self.api, self.item), datetime.now(UTC).date()
        judge = FormValidator(form, today, service)
        expected = given.unanswered if given.fields else None
        answers = Answers(form, given.fields, judge, expected=expected)
        answers.refuse(given.unreadable)
        self.verb = "Check" if dry_run else "Submit"
        return FormPrompt(self.cli, answers, service, today, self).run(act)

    def check(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the service's dry run of these fields."""
        document: dict[str, Any] = self.api.post("/validate/request", self._body(fields)).document
        return document

    def send(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Submit; return the request."""
        key = self.key or str(uuid.uuid4())
        try:
            answer = self.api.post("/requests", self._body(fields), idempotency_key=key)
        except CliError as error:
            # A service that is unavailable may not know either whether it was stored.
            if isinstance(error, LostAnswerError) or error.code == "SERVICE_UNAVAILABLE":
                self.key = key
                safely = (
                    f"Repeat it safely by adding --idempotency-key {key}: nothing is done twice."
                )
                error.hint = f"{error.hint} {safely}" if error.hint else safely
            raise
        except KeyboardInterrupt:
            self.key = key
            self.cli.note(
                f"It may have been submitted. To see, repeat it with --idempotency-key {key}."
            )
            raise
        if answer.headers.get("Idempotency-Replayed", "").lower() == "true":
            self.cli.note("This key was used before: this is the first request, not a new one.")
        request: dict[str, Any] = answer.document
        _warn(self.cli, request)
        return request

    def saved_fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the answers to save: all of them."""
        return dict(fields)

    def command(self, path: str) -> list[str]:
        """Return the command that submits the same request with saved answers."""
        words = [word for tag in self.metadata.get("tags", ()) for word in ("--tag", tag)]
        words += ["--note", self.metadata["note"]] if "note" in self.metadata else []
        words += ["--idempotency-key", self.key] if self.key else []
        return ["pao", "request", "submit", self.item, "--config", path, *words]

    def _body(self, fields: dict[str, Any]) -> dict[str, Any]:
        metadata = {"metadata": self.metadata} if self.metadata else {}
        return {"catalogItemId": self.item, "fields": fields, **metadata}


def metadata_of(tags: Sequence[str] | None, note: str | None) -> dict[str, Any]:
    """Return tags and note as metadata, without empty ones."""
    given = {"tags": list(tags or ()), "note": note}
    return {name: value for name, value in given.items() if value}


def _warn(cli: CommandContext, document: dict[str, Any]) -> None:
    for warning in document.get("warnings") or ():
        cli.note(f"Note: {clean(warning)}")


def check_idempotency_key(key: str | None) -> str | None:
    """Return an idempotency key; raises ``CliError`` if it is not valid in a header."""
    if key is None or re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        return key
    raise CliError(
        "--idempotency-key must be 1 to 255 visible ASCII characters, without spaces",
        exit_code=ExitCode.USAGE,
    )


def _show_plan(cli: CommandContext, document: dict[str, Any]) -> None:
    _warn(cli, document)
    cli.show(document, lambda: _print_plan(cli, document))


def _print_plan(cli: CommandContext, document: dict[str, Any]) -> None:
    cli.out.print(Text("✓ The request would be accepted; nothing was submitted.", style="green"))
    print_actions(cli.out, document.get("actions") or ())
