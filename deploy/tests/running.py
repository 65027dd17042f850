"""A `pao up` for the tests: everything on this machine, on ports of its own."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pao.app.local.env_file import read_env_file

PAO = str(Path(__file__).parents[2] / ".venv/bin/pao")
PORTS = ("api", "temporal", "temporal-ui", "jira", "github", "postgres")


@dataclass(frozen=True, slots=True)
class Running:
    """A `pao up`: an admin's environment."""

    admin: dict[str, str]

    @property
    def api(self) -> str:
        """The API as host and port."""
        return self.admin["PAO_URL"].removeprefix("http://")

    def pao(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as the admin."""
        environment = {**os.environ, **self.admin}
        return subprocess.run(  # noqa: S603 -- our own command
            [PAO, *arguments], env=environment, check=False, capture_output=True, text=True
        )


@contextmanager
def running_pao(
    home: Path, *, command: Sequence[str] = (PAO,), **settings: str
) -> Iterator[Running]:
    """Yield a PAO once it is ready; ``settings`` are those of its worker and API."""
    environment = {**os.environ, **settings}
    environment.pop("TEMPORAL_ADDRESS", None)
    ports = [f"--{part}-port=0" for part in PORTS]
    with subprocess.Popen(  # noqa: S603 -- our own command
        [*command, "up", "--home", str(home), *ports],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "PAO is ready." in line:
                    break
            else:
                pytest.fail("".join(said))
            yield Running(read_env_file(home / "env.admin"))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)
