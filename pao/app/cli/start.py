"""Where the command `pao` begins: `pao --version` is answered before anything is loaded."""

import sys

from pao.app.cli.exits import ExitCode
from pao.app.cli.streams import flush_streams, prepare_streams, say_error
from pao.runtime.version import VERSION


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        _show_version()
    else:
        from pao.app.cli.main import main as run  # noqa: PLC0415 -- Typer and Rich: 0.1 s

        run()


def _show_version() -> None:
    prepare_streams()
    try:
        sys.stdout.write(f"pao {VERSION}\n")
    except OSError as error:
        flush_streams()
        if not isinstance(error, BrokenPipeError):
            say_error(f"the output could not be written: {error.strerror}")
        raise SystemExit(ExitCode.FAILED) from None
    if not flush_streams():
        raise SystemExit(ExitCode.FAILED)
