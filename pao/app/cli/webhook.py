"""`pao webhook github`: a signed test delivery, as GitHub sends one."""

import hashlib
import hmac
import os
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.terminal import clean

app = typer.Typer(no_args_is_help=True, help="Test deliveries to the webhooks of the catalog.")

SECRET = "GITHUB_WEBHOOK_SECRET"  # noqa: S105 -- the name of a variable
# GitHub sends no more.
_MOST = 25 * 1024 * 1024


@command(app, "github")
def github(
    cli: CommandContext,
    *,
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="Such as ping, push or pull_request.")
    ],
    payload: Annotated[
        str, typer.Option("--payload", metavar="FILE", help="JSON to deliver; - reads it.")
    ],
) -> None:
    """Deliver a payload, signed with the secret in GITHUB_WEBHOOK_SECRET.

    The bytes are sent as they are. Exits with 1 when it is refused.
    """
    secret = os.environ.get(SECRET, "")
    if not secret:
        raise CliError(
            f"No secret: {SECRET} is not set",
            exit_code=ExitCode.USAGE,
            hint="Set it to the secret that the webhook and PAO have.",
        )
    body = _read(payload)
    mac = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={mac}",
    }
    try:
        with cli.api() as api:
            document = api.deliver("/webhooks/github", body, headers).document
    except CliError as error:
        if error.exit_code is ExitCode.DENIED:
            # No access key has anything to do with it.
            error.hint = f"{SECRET} is not the secret that PAO is configured with."
        raise
    cli.show(document, lambda: _print(cli, document))


def _read(path: str) -> bytes:
    try:
        body = sys.stdin.buffer.read(_MOST + 1) if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CliError(
            f"{path} cannot be read: {error.strerror}",
            exit_code=ExitCode.USAGE,
            hint="Name a file with the JSON of an event.",
        ) from error
    if len(body) > _MOST:
        raise CliError(f"{path} is longer than 25 MB", exit_code=ExitCode.USAGE, hint="Send less.")
    return body


def _print(cli: CommandContext, document: dict[str, Any]) -> None:
    if "ignored" in document:
        why = clean(document["ignored"])
        cli.out.print(Text("ignored", style="yellow").append(f"  {why}", "default"))
        return
    cli.out.print(Text("accepted", style="green"))
