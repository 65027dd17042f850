"""The options that every command takes, before or after its name."""

import inspect
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

import typer

from pao.app.cli.completion import profiles
from pao.app.cli.terminal import OutputFormat

_PANEL = "Global options"


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that every command takes; None means not given at this place."""

    endpoint: Annotated[
        str | None,
        typer.Option(help="Address of the service (PAO_URL).", rich_help_panel=_PANEL),
    ] = None
    profile: Annotated[
        str | None,
        typer.Option(
            help="Named endpoint and keys (PAO_PROFILE).",
            autocompletion=profiles,
            rich_help_panel=_PANEL,
        ),
    ] = None
    region: Annotated[
        str | None,
        typer.Option(help="Region of the signature (PAO_REGION).", rich_help_panel=_PANEL),
    ] = None
    output: Annotated[
        OutputFormat | None,
        typer.Option(
            "--output",
            "-o",
            help="How to write the result. wide: nothing is cut; id: ids only.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    jq: Annotated[
        str | None,
        typer.Option(
            "--jq",
            metavar="EXPR",
            help="Filter the JSON result with a jq expression.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(
            help="Seconds to wait for an answer (30).",
            min=0.1,
            max=86_400,
            rich_help_panel=_PANEL,
        ),
    ] = None
    no_color: Annotated[
        bool | None,
        typer.Option("--no-color", help="No colors (NO_COLOR).", rich_help_panel=_PANEL),
    ] = None
    verbose: Annotated[
        bool | None,
        typer.Option("--verbose", help="Show each call.", rich_help_panel=_PANEL),
    ] = None
    debug: Annotated[
        bool | None,
        typer.Option("--debug", help="Trace HTTP, credentials masked.", rich_help_panel=_PANEL),
    ] = None

    def over(self, outer: "GlobalOptions") -> "GlobalOptions":
        """Return these options, with those of ``outer`` for those not given here."""
        given = {
            entry.name: value
            for entry in fields(self)
            if (value := getattr(self, entry.name)) is not None
        }
        return replace(outer, **given)


def global_parameters() -> list[inspect.Parameter]:
    """Return the global options as keyword parameters, as Typer reads them."""
    return [
        inspect.Parameter(
            entry.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=entry.type
        )
        for entry in fields(GlobalOptions)
    ]


def take_global_options(values: dict[str, Any]) -> GlobalOptions:
    """Take the global options out of a command's values."""
    return GlobalOptions(**{entry.name: values.pop(entry.name) for entry in fields(GlobalOptions)})
