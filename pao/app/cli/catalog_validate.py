"""`pao catalog validate`: what is wrong with documents, in every form it is wanted in."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pao.app.cli.context import Cli, command
from pao.app.cli.exits import ExitCode
from pao.app.cli.terminal import Output, clean
from pao.runtime.version import VERSION

if TYPE_CHECKING:
    from catalog.validation import Finding

app = typer.Typer()

_STYLES = {"error": "bold red", "warning": "yellow", "suggestion": "cyan"}


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


@command(app, "validate")
def validate(
    cli: Cli,
    *,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
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
) -> None:
    """Check documents; needs no server. Exits with 1 when there are errors."""
    from pao.app.cli.documents import validate as judge  # noqa: PLC0415 -- the rules: 0.5 s

    files, findings = judge(paths, changed_since)
    chosen = form or (Format.JSON if cli.output is Output.JSON else Format.TEXT)
    _write(cli, findings, chosen, len(files))
    counting = {"error", "warning"} if strict else {"error"}
    if any(finding.severity in counting for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _write(cli: Cli, findings: "list[Finding]", form: Format, files: int) -> None:
    from catalog.validation import formats  # noqa: PLC0415 -- as above

    if form is Format.TEXT:
        for finding in findings:
            cli.out.print(_line(finding), soft_wrap=True)
    elif form is Format.GITHUB:
        typer.echo(formats.as_github(findings), nl=bool(findings))
    else:
        write = formats.as_json if form is Format.JSON else _sarif
        typer.echo(write(findings))
    if form in {Format.TEXT, Format.GITHUB}:
        said = f"{files} {'file' if files == 1 else 'files'}: {formats.summary(findings)}"
        bad = any(finding.severity == "error" for finding in findings)
        mark, style = ("✗", "bold red") if bad else ("✓", "green")
        cli.err.print(Text(f"{mark} {said}", style=style))


def _sarif(findings: "list[Finding]") -> str:
    from catalog.validation import formats  # noqa: PLC0415 -- as above

    return formats.as_sarif(findings, version=VERSION)


def _line(finding: "Finding") -> Text:
    """Write a finding as compilers do; the text is the same as without colours."""
    line = Text(clean(f"{finding.file}:{finding.line}:{finding.column}: "), style="bold")
    line.append(str(finding.severity), style=f"not bold {_STYLES[finding.severity]}")
    told = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    line.append(clean(f": {told} "), style="not bold default")
    return line.append(f"[{finding.rule}]", style="not bold bright_black")
