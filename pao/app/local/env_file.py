"""Env files for a person to source, in a syntax that bash, zsh and fish share.

How `pao up` treats such variables in its own environment is in shell_environment.py.
"""

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from pao.app.local.processes import write_private

FILE = "PAO_ENV_FILE"
"""Exported by every file: its own path, which tells whose addresses a shell has."""
TEMPORAL = "PAO_ENV_TEMPORAL_ADDRESS"
"""Exported by every file: the same address as TEMPORAL_ADDRESS."""


def write_env_file(file: Path, values: Mapping[str, str]) -> None:
    """Write a file to ``source``; it holds secrets, so only its owner can read it.

    It also puts the command `pao` of this installation on PATH.
    """
    exports = {**values, FILE: str(file)}
    if address := values.get("TEMPORAL_ADDRESS"):
        exports[TEMPORAL] = address
    lines = [f"export {name}={quote(value)}\n" for name, value in exports.items()]
    # fish joins a list of paths with colons inside double quotes, as the others have it anyway.
    lines += [f'export PATH={quote(str(folder))}:"$PATH"\n' for folder in _programs()]
    write_private(file, "".join(lines))


def read_env_file(file: Path) -> dict[str, str]:
    """Read what ``write_env_file`` wrote, apart from PATH."""
    words = [shlex.split(line) for line in file.read_text().splitlines() if line]
    found = dict(assignment.split("=", 1) for _export, assignment in words)
    found.pop("PATH", None)
    return found


def quote(text: str) -> str:
    """Quote a text for bash, zsh and fish.

    fish takes a backslash within single quotes as an escape; the other shells do not.
    """
    parts = re.split(r"(['\\])", text)
    special = {"'": '"\'"', "\\": '"\\\\"'}
    return "".join(special.get(part, f"'{part}'") for part in parts if part) or "''"


def display_path(path: Path) -> str:
    """Return the shortest form of a path that can be typed in this folder."""
    here = Path.cwd()
    text = str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
    return text if shlex.quote(text) == text else quote(text)


def _programs() -> list[Path]:
    """Return the folder of the command `pao` beside this Python, if there is one."""
    folder = Path(sys.executable).parent
    return [folder] if (folder / "pao").is_file() else []
