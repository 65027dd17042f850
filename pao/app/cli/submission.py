"""`pao request submit`: from fields to a request, and waiting for it."""

import re
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import Cli, command
from pao.app.cli.exits import CliError, ExitCode, LostAnswerError
from pao.app.cli.field_files import read_config
from pao.app.cli.fields import parse_assignments, read_form
from pao.app.cli.plan import print_actions
from pao.app.cli.prompts import ask_for_fields
from pao.app.cli.retry_options import FieldOption
from pao.app.cli.terminal import clean, segment
from pao.app.cli.watch import finish, follow_log, is_settled, print_log_line, watch

if TYPE_CHECKING:
    from pao.app.cli.http import Api

app = typer.Typer()


@command(app, "submit")
def submit(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: Cli,
    *,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the catalog item.")],
    field: FieldOption = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Fields as YAML 1.2 or JSON; - for standard input."),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the request.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and show the calls; submit nothing.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has settled.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow-logs", help="Wait, and show its log on standard error.")
    ] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The same key never makes a second request (random)."),
    ] = None,
) -> None:
    """Submit a request; asks for the fields that are missing on a terminal.

    Exits with 1 when the request failed.
    """
    with cli.api() as api:
        body: dict[str, Any] = {
            "catalogItemId": item,
            "fields": _collect(cli, api, item, config, field or []),
        }
        if tag:
            body["metadata"] = {"tags": tag}
        if dry_run:
            _show_plan(cli, api.post("/validate/request", body).document)
            return
        request = _send(cli, api, body, _usable_key(idempotency_key) or str(uuid.uuid4()))
        if follow:
            show = partial(print_log_line, cli.err)
            request = follow_log(api, request["id"], after=0, show=show, is_over=is_settled)
        elif wait:
            request = watch(cli, api, request["id"])
        finish(cli, api, request)


def _collect(
    cli: Cli, api: "Api", item: str, config: Path | None, assignments: list[str]
) -> dict[str, Any]:
    form = read_form(api.get(f"/catalog/items/{segment(item)}/schema"))
    given = read_config(config) if config else {}
    given |= parse_assignments(assignments, form)
    if not cli.interactive:
        return given
    # Whoever gave some fields knows the item: only what cannot be left out is asked for then.
    asked = [field for field in form if field.required and field.default is None] if given else form
    return ask_for_fields(cli, asked, given)


def _send(cli: Cli, api: "Api", body: dict[str, Any], key: str) -> dict[str, Any]:
    try:
        answer = api.post("/requests", body, idempotency_key=key)
    except LostAnswerError as error:
        error.hint = f"Repeat it safely by adding --idempotency-key {key}: nothing is done twice."
        raise
    except KeyboardInterrupt:
        cli.note(f"It may have been submitted. To see, repeat it with --idempotency-key {key}.")
        raise
    if answer.headers.get("Idempotency-Replayed", "").lower() == "true":
        cli.note("This key was used before: this is the first request, not a new one.")
    request: dict[str, Any] = answer.document
    _warn(cli, request)
    return request


def _warn(cli: Cli, document: dict[str, Any]) -> None:
    for warning in document.get("warnings") or ():
        cli.note(f"Note: {clean(warning)}")


def _usable_key(key: str | None) -> str | None:
    if key is None or re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        return key
    raise CliError(
        "--idempotency-key must be 1 to 255 visible ASCII characters, without spaces",
        exit_code=ExitCode.USAGE,
    )


def _show_plan(cli: Cli, document: dict[str, Any]) -> None:
    _warn(cli, document)
    cli.show(document, lambda: _print_plan(cli, document))


def _print_plan(cli: Cli, document: dict[str, Any]) -> None:
    cli.out.print(Text("✓ The request would be accepted; nothing was submitted.", style="green"))
    print_actions(cli.out, document.get("actions") or ())
