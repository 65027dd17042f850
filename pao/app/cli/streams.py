"""The process's standard streams and arguments, before any command runs."""

import contextlib
import os
import sys
from collections.abc import Iterable

from pao.app.cli.exits import ExitCode


def prepare_streams() -> None:
    """Make the standard streams usable, even if the caller has closed them.

    A closed one is opened on the null device, so that no file or connection gets its number. A
    terminal that cannot show a character shows a question mark.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, _null_stream(number, mode))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def refuse_bad_arguments(arguments: Iterable[str]) -> None:
    """End the process if an argument is not valid text, which could not be sent."""
    for number, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            print_error(f"argument {number} is not valid UTF-8; write it in UTF-8")
            raise SystemExit(ExitCode.USAGE) from None


def flush_streams() -> bool:
    """Flush the streams; return False if that failed."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError) as error:
        _discard_buffers()
        if not isinstance(error, BrokenPipeError):
            print_error(f"the output could not be written: {getattr(error, 'strerror', error)}")
        return False
    return True


def print_error(message: str) -> None:
    """Write one sentence to standard error, if it is open."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"Error: {message}\n")
        sys.stderr.flush()


def _null_stream(number: int, mode: str) -> object:
    descriptor = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
    if descriptor != number:
        os.dup2(descriptor, number)
        os.close(descriptor)
    return os.fdopen(number, mode, encoding="utf-8", closefd=False)


def _discard_buffers() -> None:
    """Redirect what is still buffered to the null device, or Python reports it again at exit."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.close(descriptor)
