"""One log file per process, so that the demo stays readable."""

from pathlib import Path
from typing import Self, TextIO


class LogFiles:
    """Writes each process's lines into ``<name>.log``; every run overwrites them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, TextIO] = {}
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._closed = True
        for file in self._files.values():
            file.close()

    def write(self, name: str, line: str) -> None:
        """Append one line of the process ``name``; each process has one thread that calls this."""
        if self._closed:
            return
        if name not in self._files:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self.folder / f"{name}.log"
            # Line by line, so that a person can follow it with tail -f.
            self._files[name] = file.open("w", buffering=1, encoding="utf-8")
        self._files[name].write(f"{line}\n")

    def last_lines(self, name: str, count: int) -> list[str]:
        """Return the newest lines of the process ``name``, oldest first."""
        file = self.folder / f"{name}.log"
        if not file.exists():
            return []
        return file.read_text(encoding="utf-8").splitlines()[-count:]
