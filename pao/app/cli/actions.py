"""`pao actions list, show, check`: the action types of this installation."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.completion import action_types
from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import ExitCode
from pao.app.cli.tables import Column, Fit, Table, print_table
from pao.app.cli.terminal import OutputFormat, clean
from pao.app.cli.unknown_words import unknown_word

if TYPE_CHECKING:
    from activities.base import Action
    from activities.extensions import LoadedActions

app = typer.Typer(no_args_is_help=True, help="The action types that catalog items may use.")


@command(app, "list")
def list_(cli: CommandContext) -> None:
    """List the action types, and packages whose types cannot be used."""
    found = _load_actions()
    document: dict[str, list[dict[str, Any]]] = {
        "actions": [
            {
                "type": name,
                "summary": action.summary,
                "source": found.sources[name],
                "slow": action.slow,
            }
            for name, action in sorted(found.actions.items())
        ],
        "problems": [{"source": one.source, "message": one.message} for one in found.problems],
    }
    cli.show_table(document, document["actions"], _TYPES, empty="There are no action types.")
    for problem in found.problems if cli.is_table else ():
        text = f"✗ {clean(problem.source)}: {clean(problem.message)}"
        cli.out.print(Text(text, style="red"), soft_wrap=True)


@command(app, "show")
def show(
    cli: CommandContext,
    *,
    type_: Annotated[
        str, typer.Argument(metavar="TYPE", help="Name of the type.", autocompletion=action_types)
    ],
) -> None:
    """Show a type's configuration (as JSON Schema), outputs and examples."""
    found = _load_actions()
    action = found.actions.get(type_)
    if action is None:
        raise unknown_word("The action type", type_, sorted(found.actions))
    document = describe(action) | {"source": found.sources[type_]}
    cli.show(document, lambda: _print_one(cli, document))


@command(app, "check")
def check(
    cli: CommandContext,
    *,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the type.", autocompletion=action_types)
    ],
) -> None:
    """Check that a type meets the contract of action types, examples included.

    It calls no target; the tests of its package check how it behaves.
    """
    from pao.extension.contract import Checked, check_contract  # noqa: PLC0415 -- pydantic: 0.3 s

    found = _load_actions()
    action = found.actions.get(name)
    broken = [one.message for one in found.problems if name in f"{one.source} {one.message}"]
    if action is not None:
        checked = check_contract(action)
    elif broken:
        checked = [Checked("PAO can load it", tuple(broken))]
    else:
        raise unknown_word("The action type", name, sorted(found.actions))
    document = {
        "type": name,
        "source": found.sources.get(name),
        "holds": all(one.holds for one in checked),
        "checks": [
            {"promise": one.promise, "holds": one.holds, "problems": list(one.problems)}
            for one in checked
        ],
    }
    cli.show(document, lambda: _print_checks(cli, document))
    if not document["holds"]:
        raise typer.Exit(ExitCode.FAILED)


def _print_checks(cli: CommandContext, document: dict[str, Any]) -> None:
    for one in document["checks"]:
        mark, style = ("✓ ", "green") if one["holds"] else ("✗ ", "bold red")
        cli.out.print(Text(mark, style=style).append(clean(one["promise"]), "not bold default"))
        for problem in one["problems"]:
            cli.out.print(Text(f"    {clean(problem)}", style="red"), soft_wrap=True)


def describe(action: "Action[Any]") -> dict[str, Any]:
    """Return all that a document's author needs to know about a type."""
    return {
        "type": action.type,
        "summary": action.summary,
        "resourceType": action.resource_type,
        "slow": action.slow,
        "defaultTimeout": action.default_timeout,
        "config": action.config.model_json_schema(),
        "outputs": action.outputs.model_json_schema(),
        "examples": list(action.examples),
    }


def _load_actions() -> "LoadedActions":
    from activities.registry import loaded  # noqa: PLC0415 -- pydantic: 0.3 s

    return loaded()


_TYPES: Table[dict[str, Any]] = Table(
    (
        Column("TYPE", lambda row: row["type"]),
        Column("WHAT IT DOES", lambda row: row["summary"], fit=Fit.FOLD),
        Column("FROM", lambda row: row["source"], drop_order=1),
    ),
    ident=lambda row: row["type"],
)


def _print_one(cli: CommandContext, document: dict[str, Any]) -> None:
    cli.out.print(Text(document["type"], "bold").append(f"  {document['summary']}", "not bold"))
    for title, part in (("Configuration", "config"), ("Outputs", "outputs")):
        cli.out.print(Text(f"\n{title}", "bold"))
        _print_keys(cli, document[part])
        for name, inner in document[part].get("$defs", {}).items():
            if inner.get("properties"):
                about = clean(inner.get("description", "")).split("\n")[0]
                cli.out.print(Text(f"\n{name}", "bold").append(f"  {about}", "not bold"))
                _print_keys(cli, inner)
    for example in document["examples"]:
        cli.out.print(Text("\nExample", "bold"))
        cli.out.print(Text(json.dumps(example, indent=2, ensure_ascii=False)), soft_wrap=True)


def _print_keys(cli: CommandContext, schema: dict[str, Any]) -> None:
    required = set(schema.get("required", ()))

    def about(pair: tuple[str, dict[str, Any]]) -> str:
        name, key = pair
        return f"{'required. ' if name in required else ''}{key.get('description', '')}"

    table: Table[tuple[str, dict[str, Any]]] = Table(
        (
            Column("KEY", lambda pair: pair[0]),
            Column("TYPE", lambda pair: kind_of(pair[1]), fit=Fit.FOLD),
            Column("", about, fit=Fit.FOLD),
        ),
        ident=lambda pair: pair[0],
    )
    wide = cli.output is OutputFormat.WIDE
    print_table(cli.out, table, list(schema.get("properties", {}).items()), wide=wide)


def kind_of(schema: dict[str, Any]) -> str:
    """Describe in a few words what a JSON Schema accepts."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        kinds = dict.fromkeys(kind_of(one) for one in choices)
        return " | ".join(kind for kind in kinds if kind != "null")
    if schema.get("type") == "array":
        return f"array of {kind_of(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
