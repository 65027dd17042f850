"""The context of every command: the global options, the consoles and, on demand, the API.

`command` registers a function as a command that also takes the global options, so that they
may stand before or after the command's name, and that ends with the exit code of its error. A
parameter whose type is a dataclass is replaced by options, one for each of its fields.
"""

import functools
import inspect
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from pao.app.cli.exits import CliError, ExitCode, exit_code_of
from pao.app.cli.filtering import Program, compile_jq
from pao.app.cli.global_options import GlobalOptions, global_parameters, take_global_options
from pao.app.cli.profiles import find_target
from pao.app.cli.tables import Table, print_table
from pao.app.cli.terminal import (
    OutputFormat,
    clean,
    make_console,
    write_document,
    write_line,
    write_lines,
)
from pao.core.errors import PaoError

if TYPE_CHECKING:
    from pao.app.cli.http import Api

P = ParamSpec("P")
Row = TypeVar("Row")


class CommandContext:
    """One run of one command: its options and where it writes."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        color = not options.no_color
        self.out: Console = make_console(color=color)
        self.err: Console = make_console(stderr=True, color=color)
        self._program: Program | None = None

    def prepare(self) -> None:
        """Compile ``--jq`` first, so that an invalid one has no effect."""
        if self.options.jq is None:
            return
        if self.options.output not in (None, OutputFormat.JSON):
            raise CliError(
                f"--jq and --output {self.options.output} cannot be combined",
                exit_code=ExitCode.USAGE,
            )
        self._program = compile_jq(self.options.jq)

    @property
    def output(self) -> OutputFormat:
        """How the result is written."""
        if self.options.jq is not None:
            return OutputFormat.JSON
        return self.options.output or OutputFormat.TABLE

    @property
    def is_table(self) -> bool:
        """Whether the result is written for a person."""
        return self.output in {OutputFormat.TABLE, OutputFormat.WIDE}

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: both standard input and error are a terminal."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def live(self) -> bool:
        """Whether progress may be drawn: tables on a terminal."""
        return self.is_table and self.out.is_terminal

    def api(self) -> "Api":
        """Return the signed client of the chosen service."""
        from pao.app.cli.http import Api  # noqa: PLC0415 -- httpx: 0.2 s for `--help`

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
        if self.is_table:
            render()
        elif self.output is OutputFormat.ID:
            self._write_ids(document)
        else:
            self.write(document)

    def show_table(
        self, document: Any, rows: Sequence[Row], table: Table[Row], *, empty: str
    ) -> None:
        """Write a list: the document for a machine, its rows for a person, or their ids alone."""
        if not rows and self.output in {OutputFormat.TABLE, OutputFormat.WIDE, OutputFormat.ID}:
            self.note(empty)
        elif self.output is OutputFormat.ID:
            write_lines(str(table.ident(row)) for row in rows)
        elif self.is_table:
            print_table(self.out, table, rows, wide=self.output is OutputFormat.WIDE)
        else:
            self.write(document)

    def write(self, document: Any, *, one_line: bool = False) -> None:
        """Write a document as JSON or YAML, or the result of ``--jq``."""
        if self._program is not None:
            write_lines(self._program(document))
        elif one_line and self.output is OutputFormat.JSON:
            write_line(document)
        else:
            write_document(document, self.output)

    def _write_ids(self, document: Any) -> None:
        rows = document.get("data", [document])
        found = [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]
        if not found:
            self.note("Nothing here has an id.")
        write_lines(found)

    def note(self, message: str) -> None:
        """Print a note to the person on standard error."""
        self.err.print(Text(clean(message), style="yellow"), soft_wrap=True)

    def trace(self, line: str) -> None:
        """Write one line of a trace on standard error."""
        self.err.print(Text(clean(line), style="bright_black"), soft_wrap=True)

    def report(self, error: CliError) -> None:
        """Print an error: what happened, each field, what to do, the correlation id."""
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
) -> Callable[
    [Callable[Concatenate[CommandContext, P], None]], Callable[Concatenate[CommandContext, P], None]
]:
    """Register a command; the function gets a ``CommandContext`` first, then its own options."""

    def register(
        function: Callable[Concatenate[CommandContext, P], None],
    ) -> Callable[Concatenate[CommandContext, P], None]:
        app.command(name, **settings)(_with_global_options(function))
        return function

    return register


def callback(
    app: typer.Typer,
) -> Callable[
    [Callable[Concatenate[CommandContext, P], None]], Callable[Concatenate[CommandContext, P], None]
]:
    """Register what a group does when it is called without a subcommand."""

    def register(
        function: Callable[Concatenate[CommandContext, P], None],
    ) -> Callable[Concatenate[CommandContext, P], None]:
        app.callback(invoke_without_command=True)(_with_global_options(function))
        return function

    return register


def _with_global_options(function: Callable[..., None]) -> Callable[..., None]:
    _, *own = inspect.signature(function).parameters.values()
    groups = {entry.name: kind for entry in own if (kind := _group(entry))}

    @functools.wraps(function)
    def run(ctx: typer.Context, **values: Any) -> None:
        outer = ctx.find_object(GlobalOptions) or GlobalOptions()
        cli = CommandContext(take_global_options(values).over(outer))
        ctx.obj = cli.options
        if ctx.invoked_subcommand is not None:
            return
        for name, kind in groups.items():
            values[name] = kind(**{entry.name: values.pop(entry.name) for entry in fields(kind)})
        _run_command(cli, functools.partial(function, cli, **values))

    context = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    parameters = [context, *_expand_options(own), *global_parameters()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {entry.name: entry.annotation for entry in parameters}
    return run


def _group(entry: inspect.Parameter) -> type[Any] | None:
    kind: Any = entry.annotation
    return kind if isinstance(kind, type) and is_dataclass(kind) else None


def _expand_options(own: Iterable[inspect.Parameter]) -> Iterator[inspect.Parameter]:
    """Yield a command's own parameters, with dataclasses of options expanded.

    All are keyword-only, so that their order does not matter.
    """
    for entry in own:
        if kind := _group(entry):
            for field in fields(kind):
                yield inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=field.default,
                    annotation=field.type,
                )
        else:
            yield entry.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _causes(error: PaoError) -> tuple[str, ...]:
    """Return the cause of an outage, which the person here may see, unlike a caller."""
    cause = error.__cause__
    if cause is None or exit_code_of(error.status) is not ExitCode.UNAVAILABLE:
        return ()
    text = " ".join(str(cause).split())
    return (f"{type(cause).__name__}: {text}" if text else type(cause).__name__,)


def _run_command(cli: CommandContext, run: Callable[[], None]) -> None:
    try:
        cli.prepare()
        run()
    except CliError as error:
        cli.report(error)
        raise typer.Exit(error.exit_code) from error
    except PaoError as error:
        cli_error = CliError(
            error.message,
            exit_code=exit_code_of(error.status),
            details=(*(f"{one.field}: {one.message}" for one in error.details), *_causes(error)),
        )
        cli.report(cli_error)
        raise typer.Exit(cli_error.exit_code) from error
    except (KeyboardInterrupt, typer.Abort) as error:
        cli.err.print(Text("\nInterrupted.", style="yellow"))
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    except BrokenPipeError:
        # The reader of the output has closed it.
        raise
    except typer.Exit:
        raise
    except Exception as error:
        cli_error = _unexpected_error(error)
        if cli.options.debug:
            cli.trace("".join(traceback.format_exception(error)).rstrip())
        cli.report(cli_error)
        raise typer.Exit(cli_error.exit_code) from error


def _unexpected_error(error: Exception) -> CliError:
    """Return an unexpected error as a sentence; the system's own errors are clear enough."""
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
