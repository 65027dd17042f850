"""Calls of systemctl."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pao.app.local.processes import LocalError


@dataclass(frozen=True, slots=True)
class Systemd:
    """The manager of the system, or of one user."""

    of_user: bool

    def enable(self, units: Iterable[str]) -> None:
        """Enable units, so that they start with the machine."""
        self._call("enable", *units)

    def run(self, unit: str, *, again: bool) -> None:
        """Start a unit; with ``again`` a running one is restarted."""
        self._call("restart" if again else "start", unit)

    def remove(self, units: Iterable[str]) -> None:
        """Stop and disable units."""
        for unit in units:
            self._call("disable", unit)
            self._call("stop", unit)

    def reload(self) -> None:
        """Reload changed units."""
        self._call("daemon-reload")

    def _call(self, *arguments: str) -> None:
        command = ["systemctl", *(["--user"] if self.of_user else []), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- names of our own units
        except FileNotFoundError as error:
            raise LocalError(
                "There is no systemctl here: `pao install --print` shows the units for another"
                " supervisor"
            ) from error
        if done.returncode:
            output = (done.stderr or done.stdout).strip()
            raise LocalError(f"{' '.join(command)} failed: {output}")


def write_units(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write missing and changed units; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in texts.items():
        file = folder / name
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            file.chmod(0o644)
            changed.append(name)
    return changed
