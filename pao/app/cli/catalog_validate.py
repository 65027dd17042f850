"""`pao catalog validate`: the findings about documents, in several formats."""

import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.terminal import OutputFormat, clean
from pao.runtime.version import VERSION

if TYPE_CHECKING:
    from catalog.validation import Finding
    from pao.app.cli.checking import CheckResult

app = typer.Typer()

_POLL_SECONDS = 0.3
_STYLES = {"error": "bold red", "warning": "yellow", "suggestion": "cyan"}


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


@command(app, "validate")
def validate(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Files or folders; - reads standard input."),
    ],
    changed_since: Annotated[
        str | None,
        typer.Option(
            metavar="REV", help="Only what changed since a Git revision, and what it breaks."
        ),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Output for people, machines, GitHub annotations, or SARIF."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")] = False,
    short: Annotated[
        bool,
        typer.Option("--short", help="One line for each finding, without the line of the file."),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file is saved, until Ctrl-C.")
    ] = False,
) -> None:
    """Check documents; needs no server. Exits with 1 when there are errors.

    In a repository, its catalog/ is checked. `pao catalog explain RULE` explains a finding.
    """
    from pao.app.cli.checking import check_documents  # noqa: PLC0415 -- the rules: 0.3 s

    chosen = form or (Format.JSON if cli.output is OutputFormat.JSON else Format.TEXT)
    while True:
        before = _stamps(paths) if watch else {}
        result = check_documents(paths, changed_since)
        _write(cli, result, chosen, short=short)
        if not watch:
            break
        _wait_for_change(paths, before)
    counting = {"error", "warning"} if strict else {"error"}
    if any(finding.severity in counting for finding in result.findings):
        raise typer.Exit(ExitCode.FAILED)


def _stamps(paths: list[Path]) -> dict[Path, tuple[int, int]]:
    from pao.app.cli.catalog_files import STANDARD_INPUT, stamps  # noqa: PLC0415 -- as above

    if STANDARD_INPUT in map(str, paths):
        raise CliError("Standard input cannot be watched", exit_code=ExitCode.USAGE)
    return stamps(paths)


def _wait_for_change(paths: list[Path], before: dict[Path, tuple[int, int]]) -> None:
    # A pipe would otherwise show nothing until its buffer is full.
    sys.stdout.flush()
    while _stamps(paths) == before:
        time.sleep(_POLL_SECONDS)


def _write(cli: CommandContext, result: "CheckResult", form: Format, *, short: bool) -> None:
    from catalog.validation import formats  # noqa: PLC0415 -- as above

    findings, files = result.findings, result.files
    if form is Format.TEXT:
        for finding in findings:
            cli.out.print(_line(finding), soft_wrap=True)
            line = "" if short else result.line(finding)
            for part in formats.excerpt(line, finding.line, finding.column) if line else ():
                cli.out.print(Text(clean(part), style="bright_black"), soft_wrap=True)
    elif form is Format.GITHUB:
        typer.echo(formats.as_github(findings), nl=bool(findings))
    elif cli.options.jq is not None:
        cli.write(json.loads(formats.as_json(findings)))
    else:
        write = formats.as_json if form is Format.JSON else _sarif
        typer.echo(write(findings))
    if form in {Format.TEXT, Format.GITHUB}:
        summary = f"{files} {'file' if files == 1 else 'files'}: {formats.summary(findings)}"
        bad = any(finding.severity == "error" for finding in findings)
        mark, style = ("✗", "bold red") if bad else ("✓", "green")
        cli.err.print(Text(f"{mark} {summary}", style=style))


def _sarif(findings: "list[Finding]") -> str:
    from catalog.validation import formats  # noqa: PLC0415 -- as above

    return formats.as_sarif(findings, version=VERSION)


def _line(finding: "Finding") -> Text:
    """Write a finding as compilers do; the text is the same as without colors."""
    line = Text(clean(f"{finding.file}:{finding.line}:{finding.column}: "), style="bold")
    line.append(str(finding.severity), style=f"not bold {_STYLES[finding.severity]}")
    message = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    line.append(clean(f": {message} "), style="not bold default")
    return line.append(f"[{finding.rule}]", style="not bold bright_black")
