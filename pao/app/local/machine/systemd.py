"""What is asked of systemd, by its own program."""

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
        """Have units start with the machine."""
        self._do("enable", *units)

    def run(self, unit: str, *, again: bool) -> None:
        """Have a unit run; ``again`` ends one that runs in order before."""
        self._do("restart" if again else "start", unit)

    def remove(self, units: Iterable[str]) -> None:
        """End units, and have them not start any more."""
        for unit in units:
            self._do("disable", unit)
            self._do("stop", unit)

    def reload(self) -> None:
        """Have changed units read."""
        self._do("daemon-reload")

    def _do(self, *arguments: str) -> None:
        command = ["systemctl", *(["--user"] if self.of_user else []), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- names of our own units
        except FileNotFoundError as error:
            raise LocalError(
                "There is no systemctl here: `pao install --print` shows the units for another"
                " supervisor"
            ) from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise LocalError(f"{' '.join(command)} failed: {said}")


def write_units(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write the units that are not there as they should be; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in texts.items():
        file = folder / name
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            file.chmod(0o644)
            changed.append(name)
    return changed
