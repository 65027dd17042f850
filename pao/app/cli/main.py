"""`pao`: the root of the commands, which are listed in commands.py, and how a run ends."""

import inspect
import os
import sys
from typing import Annotated, Any

import typer

from pao.app.cli import completion
from pao.app.cli.exits import ExitCode
from pao.app.cli.global_options import global_parameters, take_global_options
from pao.app.cli.groups import Groups
from pao.app.cli.streams import flush_streams, prepare_streams, print_error, refuse_bad_arguments
from pao.runtime.version import VERSION

app = typer.Typer(
    name="pao",
    cls=Groups,
    help="Platform Automation Orchestrator: request what the platform offers, decide what fails.",
    no_args_is_help=True,
    # A traceback with local variables would print secrets.
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 -- Typer calls it so
    if wanted:
        sys.stdout.write(f"pao {VERSION}\n")
        raise typer.Exit


def _root(ctx: typer.Context, **values: Any) -> None:
    """Store the global options that precede the command's name."""
    values.pop("version")
    ctx.obj = take_global_options(values)


_VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
]
_parameters = [
    inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
    inspect.Parameter(
        "version", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_VersionOption
    ),
    *global_parameters(),
]
_root.__signature__ = inspect.Signature(_parameters)  # type: ignore[attr-defined]
_root.__annotations__ = {entry.name: entry.annotation for entry in _parameters}
app.callback(help=app.info.help)(_root)


def main() -> None:
    """Run the command line; ends the process with the exit code of cli.md."""
    prepare_streams()
    refuse_bad_arguments(sys.argv[1:])
    try:
        match os.environ.get(completion.VARIABLE):
            case completion.BASH:
                completion.complete_in_bash(app)
            case completion.ZSH:
                completion.complete_in_zsh(app)
        app()
    except KeyboardInterrupt:
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except SystemExit:
        completion.finish_in_zsh(sys.argv)
        if not flush_streams():
            raise SystemExit(ExitCode.FAILED) from None
        raise
    except OSError as error:
        flush_streams()
        print_error(f"the output could not be written: {error.strerror}")
        raise SystemExit(ExitCode.FAILED) from None
