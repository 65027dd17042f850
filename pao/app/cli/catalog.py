"""`pao catalog list, get`: what can be requested."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from pao.app.cli.completion import items
from pao.app.cli.context import CommandContext, command
from pao.app.cli.fields import read_form
from pao.app.cli.tables import Column, Fit, Table, print_table
from pao.app.cli.terminal import OutputFormat, clean, segment

if TYPE_CHECKING:
    from catalog.forms import FieldDefinition, Form

app = typer.Typer(no_args_is_help=True, help="What can be requested, and its documents.")


@command(app, "list")
def list_items(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only of this team.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", "-q", help="Only items that contain this text.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 200,
) -> None:
    """List catalog items and who owns them."""
    with cli.api() as api:
        pages = list(
            api.pages("/catalog", limit=limit, category=category, owner=owner, tag=tag, q=search)
        )
    document = (
        pages[0]
        if len(pages) == 1
        else {**pages[-1], "data": [r for p in pages for r in p["data"]]}
    )
    cli.show_table(document, document["data"], _ITEMS, empty="No items match.")


@command(app, "get")
def get(
    cli: CommandContext,
    *,
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="Id of the catalog item.", autocompletion=items)
    ],
    schema: Annotated[bool, typer.Option("--schema", help="Its form and JSON Schema.")] = False,
) -> None:
    """Show an item: what it is, who owns it, its fields."""
    path = f"/catalog/items/{segment(item)}"
    with cli.api() as api:
        document = api.get(f"{path}/schema") if schema else api.get(path)
        form = document if schema else api.get(f"{path}/schema") if cli.is_table else {}
    cli.show(document, lambda: _print_item(cli, {} if schema else document, read_form(form)))


def _ident(row: dict[str, Any]) -> Text:
    return Text(clean(row["id"]), style="" if row.get("requestable", True) else "bright_black")


def _marks(row: dict[str, Any]) -> Text:
    marks = [Text(mark, "yellow") for mark in ("deprecated", "stale") if row.get(mark)]
    if row.get("requestable") is False:
        marks.append(Text("not for your teams", "bright_black"))
    return Text(", ").join(marks)


def _team(owner: Any) -> Any:
    return owner.get("team") if isinstance(owner, dict) else owner


_ITEMS: Table[dict[str, Any]] = Table(
    (
        Column("ID", _ident),
        Column("VERSION", lambda row: row.get("version"), drop_order=1),
        Column("CATEGORY", lambda row: row.get("category"), drop_order=2),
        Column("OWNER", lambda row: _team(row.get("owner")), drop_order=3),
        Column("NAME", lambda row: row.get("name"), fit=Fit.CUT),
        Column("", _marks, drop_order=4),
        Column("TAGS", lambda row: ", ".join(map(str, row.get("tags") or ())), wide=True),
    ),
    ident=lambda row: row["id"],
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A field of a form, and whether it or its group has a condition."""

    field: "FieldDefinition"
    is_conditional: bool


def _rows(form: "Form") -> list[_Row]:
    return [
        _Row(field, bool(group.conditional or field.conditional))
        for group in form.definition.groups
        for field in group.fields
    ]


def _print_item(cli: CommandContext, document: dict[str, Any], form: "Form") -> None:
    rows = _rows(form)
    # The definition may stand by itself or under its own key, beside version and sha.
    definition = document.get("definition") or document
    metadata = definition.get("metadata") or definition
    if document:
        name, version = clean(metadata.get("name")), clean(metadata.get("version"))
        cli.out.print(Text(name, style="bold").append(f"  {version}", style="not bold cyan"))
        cli.out.print(Text(clean(metadata.get("description"))), soft_wrap=True)
        _print_facts(cli.out, document, metadata)
        cli.out.print()
    print_table(cli.out, _FIELDS, rows, wide=cli.output is OutputFormat.WIDE)
    if document:
        example = " ".join(f"--field {row.field.id}=..." for row in rows if _is_needed(row))
        cli.out.print()
        ident = clean(metadata.get("id"))
        cli.out.print(Text(f"pao request submit {ident} {example}".rstrip()), soft_wrap=True)


def _print_facts(console: Console, document: dict[str, Any], metadata: dict[str, Any]) -> None:
    facts = {
        "id": metadata.get("id"),
        "category": metadata.get("category"),
        "owner": _team(metadata.get("owner")),
        "tags": ", ".join(str(tag) for tag in metadata.get("tags") or ()),
        "git": document.get("gitSha"),
    }
    for name, value in facts.items():
        if value:
            console.print(Text(f"{name:<10}", style="bright_black").append(clean(value), "default"))
    deprecation = document.get("deprecation") or {}
    if isinstance(deprecation, dict) and deprecation.get("deprecated"):
        instead = (
            f"; use {clean(deprecation['replacement'])}" if deprecation.get("replacement") else ""
        )
        console.print(Text(f"Deprecated{instead}.", style="yellow"))


def _is_needed(row: _Row) -> bool:
    """Return whether nobody can leave the field out, whatever the others are."""
    field = row.field
    return field.is_always_required and field.default is None and not row.is_conditional


def _notes(row: _Row) -> str:
    from catalog.forms.writing import as_text  # noqa: PLC0415 -- forms take 0.3 s to load

    field = row.field
    notes = "required" if field.is_always_required else ""
    if field.default is not None:
        notes = f"default {as_text(field.default)}" if not field.template else "computed default"
    return f"{notes}, conditional".removeprefix(", ") if row.is_conditional else notes


def _about(row: _Row) -> str:
    from catalog.forms.writing import as_text  # noqa: PLC0415 -- as above

    field = row.field
    values = ", ".join(as_text(choice.value) for choice in field.choices or ())
    return (field.description or field.label) + (f" ({values})" if values else "")


_FIELDS: Table[_Row] = Table(
    (
        Column("FIELD", lambda row: row.field.id),
        Column("TYPE", lambda row: row.field.type, drop_order=1),
        Column("", _notes, fit=Fit.FOLD),
        Column("DESCRIPTION", _about, fit=Fit.FOLD),
    ),
    ident=lambda row: row.field.id,
)
