"""docker-compose.yml as Docker reads it: loaded by compose-go, the library of `docker compose`."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.tests.go_builds import built

ROOT = Path(__file__).parents[3]
LOADER = Path(__file__).parent / "loader"


class LoadError(Exception):
    """compose-go refuses the file; the message is its own."""


def load(
    *profiles: str, file: Path = ROOT / "docker-compose.yml", given: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the resolved project with these profiles and variables."""
    program = built(LOADER, ["."]) / "compose"
    return _run([str(program), str(file), *profiles], given or {})


def _run(command: Sequence[str], given: Mapping[str, str]) -> dict[str, Any]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **given}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 -- our own program
    if done.returncode != 0:
        raise LoadError(done.stderr.strip())
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(load(), indent=2))
