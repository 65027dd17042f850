"""Edits a text in the person's own editor."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DEFAULT_EDITORS = ("sensible-editor", "nano", "vi")


class EditorError(ValueError):
    """There is no editor, or it failed."""


def edit(text: str, *, suffix: str) -> str:
    """Return the edited text without its last line end; raises ``EditorError``."""
    command = _editor_command()
    with _private_file(text, suffix) as path:
        try:
            result = subprocess.run([*command, str(path)], check=False)  # noqa: S603 -- the person's own editor
        except OSError as error:
            raise EditorError(
                f"the editor {command[0]} cannot be started: {error.strerror}"
            ) from None
        if result.returncode:
            raise EditorError(f"the editor {command[0]} ended with {result.returncode}")
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError):
            raise EditorError("what the editor left is not UTF-8 text") from None


def _editor_command() -> list[str]:
    configured = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if configured:
        return shlex.split(configured)
    found = next(filter(shutil.which, _DEFAULT_EDITORS), None)
    if found is None:
        raise EditorError("there is no editor; set EDITOR, or name a file with @FILE")
    return [found]


@contextmanager
def _private_file(text: str, suffix: str) -> Iterator[Path]:
    # Only its owner can read it: mkstemp makes it so.
    handle, name = tempfile.mkstemp(prefix="pao-", suffix=suffix, text=True)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
