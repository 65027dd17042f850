"""`pao audit verify, anchor`: the proof of the audit trail, directly on the database."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from db.audit_chain import anchor_document, read_anchor
from pao.app.cli.configuration import settings_for
from pao.app.cli.context import CommandContext, command
from pao.app.cli.database_errors import database_errors
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.terminal import clean

if TYPE_CHECKING:
    from db.audit_chain import Anchor
    from db.audit_verification import AuditVerification

app = typer.Typer(
    no_args_is_help=True,
    help="The audit trail: read it (over the API); verify and anchor it (DATABASE_URL).",
)

_MAX_SHOWN = 50


@command(app, "verify")
def verify(
    cli: CommandContext,
    *,
    anchor: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="An exported anchor, or a log with anchors; repeatable."),
    ] = None,
) -> None:
    """Verify all lines and anchors of the audit trail; exits with 1 if one is invalid."""
    exported = [one for file in anchor or () for one in _read(file)]
    found = _verify(exported)
    document = {
        "verified": not found.findings,
        "lines": found.lines,
        "chains": found.chains,
        "anchors": found.anchors,
        "exportedAnchors": len(exported),
        "removedLines": found.removed_lines,
        "findings": [asdict(one) for one in found.findings],
    }
    cli.show(document, lambda: _print_verification(cli, found, len(exported)))
    if found.findings:
        raise typer.Exit(ExitCode.FAILED)


@command(app, "anchor")
def anchor(
    cli: CommandContext,
    *,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the anchor to this file; store it outside the database."
        ),
    ] = None,
) -> None:
    """Anchor the audit trail now, as is done daily, and show or export the newest anchor."""
    new_anchor = _anchor_now()
    if new_anchor is None:
        raise CliError(
            "There is no audit trail yet",
            exit_code=ExitCode.FAILED,
            hint="Anchor it after the first request.",
        )
    document = anchor_document(new_anchor)
    if export is not None:
        _write(export, document)
    cli.show(document, lambda: _print_anchor(cli, document, export))


def _verify(exported: "Sequence[Anchor]") -> "AuditVerification":
    from db import audit_verification  # noqa: PLC0415 -- as above

    url = settings_for("database", os.environ).database.url.get_secret_value()
    with database_errors("DATABASE_URL"):
        return asyncio.run(audit_verification.verify(url, exported=exported))


def _anchor_now() -> "Anchor | None":
    settings = settings_for("database", os.environ)

    from db.audit_anchoring import anchor_all  # noqa: PLC0415 -- SQLAlchemy: 0.4 s
    from pao.app.assembly import audit_database  # noqa: PLC0415 -- as above

    async def run() -> "Anchor | None":
        opened = audit_database(settings)
        try:
            new_anchor = await anchor_all(opened)
            return new_anchor[-1] if new_anchor else None
        finally:
            await opened.close()

    with database_errors("DATABASE_URL"):
        return asyncio.run(run())


def _read(file: Path) -> "list[Anchor]":
    """Read an exported anchor, or the lines of a log with anchors among them."""
    try:
        text = file.read_text("utf-8")
        logged = [line for line in text.splitlines() if '"audit.anchor"' in line]
        found = [read_anchor(json.loads(one)) for one in logged or [text]]
    except (OSError, RecursionError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not an exported anchor"
        raise CliError(
            f"{file} cannot be read: {reason}",
            exit_code=ExitCode.USAGE,
            hint="Pass a file written by `pao audit anchor --export`, or a worker's log.",
        ) from error
    return found


def _write(file: Path, document: dict[str, Any]) -> None:
    try:
        file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise CliError(
            f"{file} cannot be written: {error.strerror}",
            exit_code=ExitCode.USAGE,
            hint="Choose another file with --export.",
        ) from error


def _print_verification(
    cli: CommandContext, verification: "AuditVerification", exported: int
) -> None:
    for one in verification.findings[:_MAX_SHOWN]:
        place = f"request {one.chain}" if one.chain else ""
        place += f", line {one.position}: " if one.position else ": " if place else ""
        cli.out.print(
            Text("✗ ", style="red").append(clean(f"{place}{one.message}"), style="default"),
            soft_wrap=True,
        )
    if len(verification.findings) > _MAX_SHOWN:
        cli.out.print(
            Text(f"  and {len(verification.findings) - _MAX_SHOWN} more; -o json shows all")
        )
    text = (
        f"{verification.lines} lines in {verification.chains} chains, "
        f"{verification.anchors} anchors"
    )
    if exported:
        text += f", {exported} exported"
    if verification.removed_lines:
        text += (
            f"; {verification.removed_lines} older lines were removed when their retention ended"
        )
    count = len(verification.findings)
    word = (
        f"{count} finding{'' if count == 1 else 's'} in "
        if count
        else "✓ The audit trail is intact: "
    )
    style = "red" if verification.findings else "green"
    cli.out.print(Text(word, style=style).append(text, style="default"), soft_wrap=True)


def _print_anchor(cli: CommandContext, document: dict[str, Any], export: Path | None) -> None:
    cli.out.print(Text(f"anchor {document['id']} of {document['at']}"))
    cli.out.print(Text(f"  {document['hash']}", style="cyan"))
    if export is not None:
        cli.out.print(Text("✓ ", style="green").append(clean(str(export)), style="default"))
