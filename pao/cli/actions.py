"""`pao actions list, show`: the action types of this installation."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pao.cli.context import Cli, command
from pao.cli.errors import CliError, ExitCode
from pao.cli.terminal import clean, make_table

if TYPE_CHECKING:
    from activities.base import Action
    from activities.registry import Loaded

app = typer.Typer(no_args_is_help=True, help="The action types that catalog items may use.")


@command(app, "list")
def list_(cli: Cli) -> None:
    """List the action types, and packages whose types cannot be used."""
    found = _loaded()
    document = {
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
    cli.show(document, lambda: _print_list(cli, document))


@command(app, "show")
def show(
    cli: Cli, *, type_: Annotated[str, typer.Argument(metavar="TYPE", help="Name of the type.")]
) -> None:
    """Show a type's configuration (as JSON Schema), outputs and examples."""
    found = _loaded()
    action = found.actions.get(type_)
    if action is None:
        known = ", ".join(sorted(found.actions))
        raise CliError(
            f"There is no action type {type_!r}",
            exit_code=ExitCode.USAGE,
            hint=f"Known types: {known}",
        )
    document = describe(action) | {"source": found.sources[type_]}
    cli.show(document, lambda: _print_one(cli, document))


def describe(action: "Action[Any]") -> dict[str, Any]:
    """Give all that a document's author has to know of a type."""
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


def _loaded() -> "Loaded":
    from activities.registry import loaded  # noqa: PLC0415 -- pydantic: 0.3 s

    return loaded()


def _print_list(cli: Cli, document: dict[str, Any]) -> None:
    table = make_table("TYPE", "WHAT IT DOES", "FROM")
    for one in document["actions"]:
        table.add_row(one["type"], clean(one["summary"]), clean(one["source"]))
    cli.out.print(table)
    for problem in document["problems"]:
        text = f"✗ {clean(problem['source'])}: {clean(problem['message'])}"
        cli.out.print(Text(text, style="red"), soft_wrap=True)


def _print_one(cli: Cli, document: dict[str, Any]) -> None:
    cli.out.print(Text(document["type"], "bold").append(f"  {document['summary']}", "not bold"))
    for title, part in (("Configuration", "config"), ("Outputs", "outputs")):
        cli.out.print(Text(f"\n{title}", "bold"))
        table = make_table("KEY", "TYPE", "")
        required = set(document[part].get("required", ()))
        for name, about in document[part].get("properties", {}).items():
            kind = about.get("type") or about.get("$ref", "").rpartition("/")[2] or "any"
            need = "required. " if name in required else ""
            table.add_row(name, str(kind), clean(f"{need}{about.get('description', '')}"))
        cli.out.print(table)
    for example in document["examples"]:
        cli.out.print(Text("\nExample", "bold"))
        cli.out.print(Text(json.dumps(example, indent=2, ensure_ascii=False)), soft_wrap=True)
