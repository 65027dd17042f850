"""`pao catalog explain, schema`: what a rule is about, and the JSON Schemas of documents."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.terminal import clean
from pao.app.cli.unknown_words import unknown_word

app = typer.Typer()


@command(app, "explain")
def explain(
    cli: CommandContext,
    *,
    rule: Annotated[
        str | None, typer.Argument(metavar="RULE", help="Its id, as shown at the end of a finding.")
    ] = None,
) -> None:
    """Explain a rule, with a bad and a good example; without RULE, list all rules."""
    from catalog.validation.examples import examples  # noqa: PLC0415 -- the rules: 0.3 s
    from catalog.validation.rules_page import all_rules  # noqa: PLC0415 -- as above

    rules = {identifier: rest for identifier, *rest in all_rules()}
    if rule is None:
        listed = [
            {"id": name, "severity": str(severity), "title": title}
            for name, (title, severity, _) in rules.items()
        ]
        cli.show_table({"rules": listed}, listed, _RULES, empty="There are no rules.")
        return
    # Findings end with it in brackets.
    rule = rule.strip("[]")
    if rule not in rules:
        raise _unknown(rule, list(rules))
    title, severity, explanation = rules[rule]
    example = examples().get(rule)
    document = {
        "id": rule,
        "severity": str(severity),
        "title": title,
        "text": explanation.replace("``", "`"),
        "before": example.before if example else "",
        "codeOwners": example.owners if example else "",
        "bad": example.bad if example else "",
        "good": example.good if example else "",
    }
    cli.show(document, lambda: _print_rule(cli, document))


@command(app, "schema")
def schema(
    cli: CommandContext,
    *,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="catalog-item, -bundle, -list or an action type.")
    ] = "catalog-item",
    write: Annotated[
        Path | None, typer.Option("--write", metavar="DIR", help="Write all of them into a folder.")
    ] = None,
) -> None:
    """Print the JSON Schema of documents, for editors; --write writes all of them as files."""
    from pao.app.cli.schemas import installed_schemas, write_schemas  # noqa: PLC0415 -- as above

    schemas = installed_schemas()
    if write is not None:
        files = write_schemas(write, schemas)
        cli.show({"files": files}, lambda: _print_files(cli, files))
        return
    found = next((one for one in (name, f"catalog-{name}") if one in schemas), None)
    if found is None:
        raise unknown_word("The schema", name, list(schemas))
    typer.echo(schemas[found], nl=False)


def _unknown(rule: str, known: list[str]) -> CliError:
    from catalog.suggestions import nearest  # noqa: PLC0415 -- as above

    near = nearest(rule, known)
    hint = f"Did you mean {near}?" if near else "pao catalog explain lists all rules."
    within = [name for name in known if rule.casefold() in name.split("-")]
    if within and not near:
        hint = f"Did you mean {' or '.join(within)}?"
    return CliError(f"There is no rule {rule!r}", exit_code=ExitCode.USAGE, hint=hint)


_RULES: Table[dict[str, str]] = Table(
    (
        Column("RULE", lambda row: row["id"]),
        Column("SEVERITY", lambda row: row["severity"], drop_order=1),
        Column("WHAT IT ASKS FOR", lambda row: row["title"], fit=Fit.FOLD),
    ),
    ident=lambda row: row["id"],
)


_EXAMPLES = (
    ("before", "Before", "cyan"),
    ("codeOwners", "CODEOWNERS", "cyan"),
    ("bad", "Bad", "red"),
    ("good", "Good", "green"),
)


def _print_rule(cli: CommandContext, document: dict[str, Any]) -> None:
    head = Text(document["id"], "bold").append(f"  {document['severity']}", "not bold cyan")
    cli.out.print(head)
    paragraphs = [" ".join(part.split()) for part in document["text"].split("\n\n")]
    cli.out.print(Text(f"\n{document['title']}.", "bold"))
    for text in paragraphs:
        cli.out.print(Text(f"\n{text}"))
    for key, label, style in _EXAMPLES:
        if document[key]:
            cli.out.print(Text(f"\n{label}:", f"bold {style}"))
            for line in document[key].splitlines():
                cli.out.print(Text(f"  {clean(line)}"), soft_wrap=True)


def _print_files(cli: CommandContext, files: list[str]) -> None:
    for file in files:
        cli.out.print(Text("✓ ", style="green").append(clean(file), "default"), soft_wrap=True)
