"""Protects a process's secrets from other programs on the machine, above all from its children.

Any process of the same account may read ``/proc/<pid>/environ``. What was read from there is
removed from the process's environment, overwritten where the kernel shows it, and the process is
made undumpable: ``/proc/<pid>`` then belongs to root. Linux only; elsewhere there is no ``/proc``.
"""

import ctypes
import os
import sys
from collections.abc import Iterable, MutableMapping
from pathlib import Path

from pao.clients.secret_store import VARIABLE as SECRET_VARIABLE

_PR_SET_DUMPABLE = 4
_ENV_START, _ENV_END = 47, 48
"""Where ``/proc/self/stat`` has the bounds of the environment, counted behind the name."""

_MIN_LENGTH = 8
"""A shorter value may occur by chance."""


def protect_secrets(environ: MutableMapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """Remove the secrets from the environment; returns the original one.

    These are the variables that hold one of the values in ``secrets``, and those that hold an
    operator's secret for templates.
    """
    original = dict(environ)
    values = {value.strip() for value in secrets if len(value) >= _MIN_LENGTH}
    names = [
        name
        for name, value in original.items()
        if name.startswith(SECRET_VARIABLE) or value.strip() in values
    ]
    for name in names:
        del environ[name]
    if sys.platform.startswith("linux"):
        _overwrite(names)
        make_undumpable()
    return original


def make_undumpable() -> None:
    """Make ``/proc/<pid>`` belong to root, and prevent others from attaching to this process."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _overwrite(names: Iterable[str]) -> None:
    """Overwrite the values in the memory that ``/proc/<pid>/environ`` shows.

    Removing a variable only forgets where it is. Nothing points into that memory any more.
    """
    start, end = _bounds()
    if not 0 < start < end:
        return
    content = ctypes.string_at(start, end - start)
    for name in names:
        for found in _values_of(os.fsencode(name), content):
            ctypes.memset(start + found.start, 0, found.stop - found.start)


def _bounds() -> tuple[int, int]:
    try:
        fields_of_stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        return int(fields_of_stat[_ENV_START]), int(fields_of_stat[_ENV_END])
    except (OSError, IndexError, ValueError):
        return 0, 0


def _values_of(name: bytes, content: bytes) -> Iterable[slice]:
    position = 0
    for entry in content.split(b"\0"):
        if entry.startswith(name + b"="):
            yield slice(position + len(name) + 1, position + len(entry))
        position += len(entry) + 1
