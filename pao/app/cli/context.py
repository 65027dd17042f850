"""What every command is given: the global options, the consoles and, on demand, the API.

`command` registers a function as a command that takes the global options as well, so that they
may stand before or after the command's name, and that ends with the exit code of its error.
"""

import functools
import inspect
import math
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer
from rich.console import Console
from rich.text import Text

from pao.app.cli.exits import CliError, ExitCode, exit_code_of
from pao.app.cli.profiles import find_target
from pao.app.cli.terminal import Output, clean, make_console, write_document
from pao.core.errors import PaoError

if TYPE_CHECKING:
    from pao.app.cli.http import Api

P = ParamSpec("P")

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
        typer.Option(help="Named endpoint and keys (PAO_PROFILE).", rich_help_panel=_PANEL),
    ] = None
    region: Annotated[
        str | None,
        typer.Option(help="Region of the signature (PAO_REGION).", rich_help_panel=_PANEL),
    ] = None
    output: Annotated[
        Output | None,
        typer.Option("--output", "-o", help="How to write the result.", rich_help_panel=_PANEL),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds to wait for an answer (30).", min=0.1, rich_help_panel=_PANEL),
    ] = None
    no_color: Annotated[
        bool | None,
        typer.Option("--no-color", help="No colours (NO_COLOR).", rich_help_panel=_PANEL),
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
        """Return these options, with those of ``outer`` where none was given here."""
        given = {
            entry.name: value
            for entry in fields(self)
            if (value := getattr(self, entry.name)) is not None
        }
        return replace(outer, **given)


class Cli:
    """One run of one command: its options and where it writes."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        color = not options.no_color
        self.out: Console = make_console(color=color)
        self.err: Console = make_console(stderr=True, color=color)

    @property
    def output(self) -> Output:
        """How the result is written."""
        return self.options.output or Output.TABLE

    @property
    def is_table(self) -> bool:
        """Whether the result is written for a person."""
        return self.output is Output.TABLE

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: both standard input and error are a terminal."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def live(self) -> bool:
        """Whether progress may be drawn: tables on a terminal."""
        return self.is_table and self.out.is_terminal

    def api(self) -> "Api":
        """Make the signed client of the service that was chosen."""
        from pao.app.cli.http import Api  # noqa: PLC0415 -- httpx and botocore: 0.4 s for `--help`

        options = self.options
        if options.timeout is not None and not math.isfinite(options.timeout):
            raise CliError("--timeout takes a number of seconds", exit_code=ExitCode.USAGE)
        target = find_target(
            os.environ, profile=options.profile, endpoint=options.endpoint, region=options.region
        )
        for warning in target.warnings:
            self.note(warning)
        trace = self.trace if options.debug else None
        note = self.trace if options.verbose or options.debug else None
        return Api(target, timeout=options.timeout or 30.0, trace=trace, note=note)

    def show(self, document: Any, render: Callable[[], None]) -> None:
        """Write the document itself for a machine, or call ``render`` for a person."""
        if self.output is Output.TABLE:
            render()
        else:
            write_document(document, self.output)

    def note(self, message: str) -> None:
        """Say something to the person; it never mixes with the result."""
        self.err.print(Text(clean(message), style="yellow"), soft_wrap=True)

    def trace(self, line: str) -> None:
        """Write one line of a trace on standard error."""
        self.err.print(Text(clean(line), style="bright_black"), soft_wrap=True)

    def report(self, error: CliError) -> None:
        """Write an error: what happened, each field, what to do, the id to ask with."""
        line = Text("Error: ", style="bold red").append(
            clean(error.message), style="not bold default"
        )
        self.err.print(line, soft_wrap=True)
        for detail in error.details:
            self.err.print(Text(f"  - {clean(detail)}"), soft_wrap=True)
        if error.hint:
            self.err.print(Text(clean(error.hint), style="yellow"), soft_wrap=True)
        if error.correlation_id:
            text = f"Correlation id: {clean(error.correlation_id)}"
            self.err.print(Text(text, style="bright_black"), soft_wrap=True)


def command(
    app: typer.Typer, name: str, **settings: Any
) -> Callable[[Callable[Concatenate[Cli, P], None]], Callable[Concatenate[Cli, P], None]]:
    """Register a command; the function gets a ``Cli`` first and its own options after it."""

    def register(
        function: Callable[Concatenate[Cli, P], None],
    ) -> Callable[Concatenate[Cli, P], None]:
        app.command(name, **settings)(_with_global_options(function))
        return function

    return register


def callback(
    app: typer.Typer,
) -> Callable[[Callable[Concatenate[Cli, P], None]], Callable[Concatenate[Cli, P], None]]:
    """Register what a group does when it is called without a subcommand."""

    def register(
        function: Callable[Concatenate[Cli, P], None],
    ) -> Callable[Concatenate[Cli, P], None]:
        app.callback(invoke_without_command=True)(_with_global_options(function))
        return function

    return register


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


def _with_global_options(function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def run(ctx: typer.Context, **values: Any) -> None:
        outer = ctx.find_object(GlobalOptions) or GlobalOptions()
        cli = Cli(take_global_options(values).over(outer))
        ctx.obj = cli.options
        if ctx.invoked_subcommand is not None:
            return
        _guarded(cli, functools.partial(function, cli, **values))

    _, *own = inspect.signature(function).parameters.values()
    context = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    # Typer checks the order of parameters no more than Python does for keywords: all are named.
    named = [entry.replace(kind=inspect.Parameter.KEYWORD_ONLY) for entry in own]
    parameters = [context, *named, *global_parameters()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {entry.name: entry.annotation for entry in parameters}
    return run


def _causes(error: PaoError) -> tuple[str, ...]:
    """Return what lies behind an outage: whoever sits here can read it, unlike a caller."""
    cause = error.__cause__
    if cause is None or exit_code_of(error.status) is not ExitCode.UNAVAILABLE:
        return ()
    text = " ".join(str(cause).split())
    return (f"{type(cause).__name__}: {text}" if text else type(cause).__name__,)


def _guarded(cli: Cli, run: Callable[[], None]) -> None:
    try:
        run()
    except CliError as error:
        cli.report(error)
        raise typer.Exit(error.exit_code) from error
    except PaoError as error:
        told = CliError(
            error.message,
            exit_code=exit_code_of(error.status),
            details=(*(f"{one.field}: {one.message}" for one in error.details), *_causes(error)),
        )
        cli.report(told)
        raise typer.Exit(told.exit_code) from error
    except (KeyboardInterrupt, typer.Abort) as error:
        cli.err.print(Text("\nInterrupted.", style="yellow"))
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        raise
    except typer.Exit:
        raise
    except Exception as error:
        told = _unforeseen(error)
        if cli.options.debug:
            cli.trace("".join(traceback.format_exception(error)).rstrip())
        cli.report(told)
        raise typer.Exit(told.exit_code) from error


def _unforeseen(error: Exception) -> CliError:
    """Return what no command has foreseen as a sentence; the system's own errors say enough."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return CliError(f"{place}{error.strerror}", exit_code=ExitCode.FAILED)
    if isinstance(error, RecursionError):
        return CliError("The input is nested too deeply", exit_code=ExitCode.USAGE)
    return CliError(
        f"Unexpected error in pao ({type(error).__name__}: {error})",
        exit_code=ExitCode.FAILED,
        hint="Run it again with --debug to see where, and report it.",
    )
