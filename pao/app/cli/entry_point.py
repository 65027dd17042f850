"""The entry point of the command `pao`; `pao --version` is answered without loading anything."""

import atexit
import os
import sys
import threading
from typing import NoReturn

from pao.app.cli.exits import ExitCode
from pao.app.cli.streams import flush_streams, prepare_streams, print_error
from pao.runtime.version import VERSION

_TEMPORAL = "temporalio.bridge.temporal_sdk_bridge"


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        _show_version()
    else:
        from pao.app.cli.main import main as run  # noqa: PLC0415 -- Typer and Rich: 0.1 s

        try:
            run()
        except SystemExit as end:
            if _TEMPORAL in sys.modules:
                _exit_without_teardown(end.code)
            raise


def _exit_without_teardown(code: str | int | None) -> NoReturn:
    """End the process without tearing Python down, after running its exit functions.

    Threads of Temporal's client keep running, and one that needs Python while it is torn down
    aborts the process: a command that had succeeded ended with SIGABRT, rarely. See
    https://github.com/temporalio/sdk-python/issues/300.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 -- as Python itself does
    atexit._run_exitfuncs()  # noqa: SLF001 -- as Python itself does
    if isinstance(code, str):
        print_error(code)
    flush_streams()
    os._exit(int(code) if isinstance(code, int) else int(code is not None))


def _show_version() -> None:
    prepare_streams()
    try:
        sys.stdout.write(f"pao {VERSION}\n")
    except OSError as error:
        flush_streams()
        if not isinstance(error, BrokenPipeError):
            print_error(f"the output could not be written: {error.strerror}")
        raise SystemExit(ExitCode.FAILED) from None
    if not flush_streams():
        raise SystemExit(ExitCode.FAILED)
