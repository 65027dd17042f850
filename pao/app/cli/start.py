"""Where the command `pao` begins: `pao --version` is answered before anything is loaded."""

import sys

from pao.app.cli.exits import ExitCode
from pao.app.cli.streams import flush_streams, prepare_streams
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
    sys.stdout.write(f"pao {VERSION}\n")
    if not flush_streams():
        raise SystemExit(ExitCode.FAILED)
