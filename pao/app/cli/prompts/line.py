"""Reads one line, or several, from the terminal.

Prompts are written to standard error, so that standard output holds only the result. Ctrl-C
raises ``KeyboardInterrupt``, the end of the input ``EOFError``.
"""

import contextlib
import getpass
import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

try:
    import termios
except ImportError:  # Windows has no such terminals.
    termios = None  # type: ignore[assignment]

END_OF_TEXT = "."
EDITOR = "!"
_LOCAL_MODES = 3
_MAX_UNFINISHED = 4096


class TextError(ValueError):
    """What was typed is not text."""


def can_edit() -> bool:
    """Return whether a line can be edited and an earlier one recalled."""
    return _readline() is not None


def read_line(
    prompt: str,
    *,
    recall: str | None = None,
    words: Iterable[str] = (),
    lines: list[str] | None = None,
) -> str:
    """Ask for one line; the up arrow recalls ``recall``, the tab key completes ``words``.

    ``lines`` receives an unfinished line when the person quits in the middle of it.
    """
    readline = _readline()
    unfinished = _unfinished_in_terminal if readline is None else readline.get_line_buffer
    try:
        if readline is None:
            # Python writes a prompt to standard output, which may be a file.
            with contextlib.redirect_stdout(sys.stderr), _keep_typed_text():
                return _strip_line_end(_input(prompt, unfinished, lines))
        with _configure_readline(readline, recall, tuple(words)):
            return _strip_line_end(_input(prompt, unfinished, lines))
    except UnicodeDecodeError:
        raise TextError("that is not UTF-8 text") from None


def _input(prompt: str, unfinished: Callable[[], str], lines: list[str] | None) -> str:
    try:
        return input(prompt)
    except KeyboardInterrupt:
        if lines is not None and (text := unfinished()):
            lines.append(text)
        raise


def read_secret(prompt: str) -> str:
    """Ask for one line without showing it."""
    return getpass.getpass(prompt, stream=sys.stderr)


def read_text(prompt: str, *, recall: str | None, lines: list[str]) -> str:
    """Ask for several lines, ended by a single dot; ``lines`` receives those typed so far.

    An empty first line, ``!`` and ``@FILE`` are returned at once and not added to ``lines``.
    """
    first = read_line(prompt, recall=recall, lines=lines)
    if _is_command(first):
        return first
    lines.append(first.removeprefix("@") if first.startswith("@@") else first)
    while (line := read_line(" " * len(prompt), lines=lines)) != END_OF_TEXT:
        lines.append(line)
    return "\n".join(lines)


def read_until(prompt: str, is_whole: Callable[[str], bool], *, lines: list[str]) -> str:
    """Ask for lines until they are complete, or one is empty; otherwise like ``read_text``."""
    first = read_line(prompt, lines=lines)
    if _is_command(first):
        return first
    lines.append(first)
    while not is_whole("\n".join(lines)):
        line = read_line(" " * len(prompt), lines=lines)
        if not line:
            break
        lines.append(line)
    return "\n".join(lines)


def _is_command(first: str) -> bool:
    return first in {"", EDITOR} or (first.startswith("@") and not first.startswith("@@"))


def _strip_line_end(line: str) -> str:
    # A pasted line may include its line end.
    return line.rstrip("\r\n")


def _readline() -> ModuleType | None:
    if os.environ.get("TERM", "dumb") == "dumb" or not sys.stdout.isatty():
        return None
    try:
        import readline  # noqa: PLC0415 -- it changes how every input is read
    except ImportError:
        return None
    return readline


@contextlib.contextmanager
def _keep_typed_text() -> Iterator[None]:
    """Keep what was typed of a line in the terminal on Ctrl-C, which normally discards it."""
    if termios is None or not sys.stdin.isatty():
        yield
        return
    former = termios.tcgetattr(sys.stdin)
    kept = [*former]
    kept[_LOCAL_MODES] |= termios.NOFLSH
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, kept)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, former)


def _unfinished_in_terminal() -> str:
    """Return the unfinished line that is still in the terminal."""
    if termios is None or not sys.stdin.isatty():
        return ""
    with contextlib.suppress(OSError, termios.error):
        kept = termios.tcgetattr(sys.stdin)
        # An unfinished line can be read only if the terminal does not wait for its end.
        kept[_LOCAL_MODES] &= ~termios.ICANON
        termios.tcsetattr(sys.stdin, termios.TCSANOW, kept)
        if select.select([sys.stdin], [], [], 0)[0]:
            return os.read(sys.stdin.fileno(), _MAX_UNFINISHED).decode(errors="replace")
    return ""


@contextlib.contextmanager
def _configure_readline(
    readline: ModuleType, recall: str | None, words: tuple[str, ...]
) -> Iterator[None]:
    readline.set_auto_history(False)
    readline.clear_history()
    if recall and "\n" not in recall:
        readline.add_history(recall)

    def complete(start: str, state: int) -> str | None:
        matching = [word for word in words if word.casefold().startswith(start.casefold())]
        return matching[state] if state < len(matching) else None

    readline.set_completer(complete if words else None)
    readline.set_completer_delims(",")
    readline.parse_and_bind("tab: complete")
    try:
        yield
    finally:
        readline.set_completer(None)
        readline.clear_history()
