"""`pao catalog preview, render, test`: what a document would show, send and refuse; no server."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.field_files import read_config
from pao.app.cli.fields import parse_assignments
from pao.app.cli.plan import print_actions
from pao.app.cli.terminal import clean

if TYPE_CHECKING:
    from catalog.testing.cases import CaseResult
    from catalog.testing.dry_run import DryRunResult
    from pao.app.cli.documents import FoundDocument

app = typer.Typer()

Item = Annotated[str, typer.Argument(metavar="ITEM", help="A file, or the id of an item.")]
Catalog = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the catalog (CATALOG_PATH, else catalog/ or .)."),
]


@command(app, "preview")
def preview(cli: CommandContext, *, item: Item, catalog: Catalog = None) -> None:
    """Show the form of a document as people will see it; needs no server."""
    from pao.app.cli.form_view import (  # noqa: PLC0415 -- forms take 0.3 s to load
        print_form,
        with_origins,
    )

    named = _find(item, catalog)
    form, errors = named.result.form, named.result.errors
    if form is None:
        raise CliError(
            f"{named.path} has no valid form",
            exit_code=ExitCode.FAILED,
            details=tuple(str(finding) for finding in errors),
        )
    metadata = named.result.definition.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    drawn = form.ui_schema()
    document = {
        "id": about.get("id"),
        "version": about.get("version"),
        "form": drawn,
        "jsonSchema": form.json_schema(),
    }
    shown = with_origins(drawn, form.fields.values())
    cli.show(document, lambda: print_form(cli.out, about, shown))
    if errors:
        count = f"{len(errors)} {'error' if len(errors) == 1 else 'errors'}"
        cli.note(f"The document has {count}: pao catalog validate {named.path}")


@command(app, "render")
def render(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    item: Item,
    fields: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fields as YAML or JSON.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field", "-f", metavar="NAME=VALUE", help="A field; overrides the one in FILE."
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="A variable that templates read."),
    ] = None,
    catalog: Catalog = None,
) -> None:
    """Show what would be sent for these fields; needs no server.

    Exits with 1 when the fields are refused. Outputs of earlier actions and variables of the
    environment are made up, of the declared types.
    """
    variables = _variables(env or [])
    named = _find(item, catalog)
    given = parse_assignments(field or [], named.item.form)
    values = (read_config(fields) if fields else {}) | given
    run = _run(named, values, variables)
    cli.show(_document(run), lambda: _print_run(cli, run))
    if not run.works:
        raise typer.Exit(ExitCode.FAILED)


@command(app, "test")
def run_tests(
    cli: CommandContext,
    *,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Documents, folders, or cases.")
    ],
    update: Annotated[bool, typer.Option("--update", help="Update the expected results.")] = False,
    with_errors: Annotated[
        bool, typer.Option("--with-errors", help="Let --update record errors, too.")
    ] = False,
) -> None:
    """Run the test cases next to documents (`<id>.tests/NAME.yaml`); needs no server.

    A case holds `fields`, `options` that fields offer, and, under `expect`, the `actions` as they
    would be sent, the fields that are `refused`, or the resulting `fields`. Exits with 1 if a
    result differs. `--update` records the results, errors only with `--with-errors`.
    """
    from pao.app.cli.cases import run_cases, update_case  # noqa: PLC0415 -- the rules: 0.5 s

    failed = ran = 0
    results = []
    for file, outcome in run_cases(paths):
        ran += 1
        written = (
            update and not outcome.holds and update_case(file, outcome, with_errors=with_errors)
        )
        failed += not outcome.holds and not written
        about = {"case": str(file), "holds": outcome.holds, "updated": bool(written)}
        results.append({**about, "errors": outcome.errors})
        if cli.is_table:
            _print_outcome(cli, file, outcome, written=bool(written))
        if update and outcome.errors:
            _print_errors(cli, outcome, written=bool(written))
    if not ran:
        raise CliError(
            "There are no test cases at these paths",
            exit_code=ExitCode.USAGE,
            hint="Write one beside the item, such as network/network-dns-record.tests/plain.yaml.",
        )
    cli.show({"ran": ran, "failed": failed, "cases": results}, lambda: None)
    text = f"{ran} {'case' if ran == 1 else 'cases'}, {failed} failed"
    cli.err.print(Text(f"{'✗' if failed else '✓'} {text}", style="bold red" if failed else "green"))
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _print_errors(cli: CommandContext, outcome: "CaseResult", *, written: bool) -> None:
    text = "is now the expectation" if written else "was not written: fix it, or use --with-errors"
    for error in outcome.errors:
        line = Text(f"  ! {clean(error)}", style="bold red").append(f"  {text}", "bold yellow")
        cli.err.print(line, soft_wrap=True)


def _find(item: str, catalog: Path | None) -> "FoundDocument":
    from pao.app.cli.documents import find  # noqa: PLC0415 -- the rules: 0.5 s

    return find(item, catalog)


def _variables(given: list[str]) -> dict[str, str]:
    """Return ``NAME=VALUE`` pairs as a mapping."""
    found = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not (name and sign):
            raise CliError(f"--env {one} is not NAME=VALUE", exit_code=ExitCode.USAGE)
        found[name] = value
    return found


def _run(
    named: "FoundDocument", values: dict[str, Any], variables: dict[str, str]
) -> "DryRunResult":
    from catalog.testing.dry_run import dry_run  # noqa: PLC0415 -- the rules: 0.5 s
    from catalog.testing.samples import Sample  # noqa: PLC0415 -- as above
    from pao.app.cli.cases import lists_of  # noqa: PLC0415 -- as above
    from pao.app.cli.documents import known_actions  # noqa: PLC0415 -- as above

    lists = lists_of(named.path, named.item)
    now = datetime.now(UTC)
    sample = Sample(fields=values, at=now, lists=lists, environment=variables)
    return dry_run(named.item, named.result.definition, sample, known_actions=known_actions())


def _document(run: "DryRunResult") -> dict[str, Any]:
    refused = [
        {"field": one.field, "constraint": one.constraint, "message": one.message}
        for one in run.refused
    ]
    return {
        "valid": run.works,
        "title": run.title,
        "fields": run.values,
        "refused": refused,
        "actions": run.actions,
    }


def _print_run(cli: CommandContext, run: "DryRunResult") -> None:
    for error in run.refused:
        line = Text("✗ ", style="bold red").append(clean(error.field), style="bold default")
        line.append(f"  {clean(error.message)}", style="not bold default")
        cli.out.print(line.append(f"  [{error.constraint}]", style="bright_black"), soft_wrap=True)
    if run.refused:
        return
    broken = [action for action in run.actions if "error" in action]
    if not broken:
        cli.out.print(Text("Title: ").append(clean(run.title), style="bold"), soft_wrap=True)
        cli.out.print(Text("✓ The fields are valid; this would be sent:", style="green"))
    print_actions(cli.out, run.actions)
    for action in broken:
        text = f"✗ {clean(action['id'])}: {clean(action['error'])}"
        cli.out.print(Text(text, style="bold red"), soft_wrap=True)


def _print_outcome(
    cli: CommandContext, file: Path, outcome: "CaseResult", *, written: bool
) -> None:
    mark, style = ("✓", "green") if outcome.holds else ("✗", "bold red")
    if written:
        mark, style = "↻", "yellow"
    line = Text(f"{mark} ", style=style).append(clean(file), style="not bold default")
    cli.out.print(line.append("  written" if written else "", style="yellow"), soft_wrap=True)
    if outcome.holds or written:
        return
    for text in outcome.difference.splitlines():
        shade = {"+": "green", "-": "red", "@": "cyan"}.get(text[:1], "default")
        cli.out.print(Text(f"    {clean(text)}", style=shade), soft_wrap=True)
