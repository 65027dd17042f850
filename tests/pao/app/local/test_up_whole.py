"""One whole run of `pao up` as a person sees it: start, use, second start, Ctrl-C."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from pao.app.local.env_file import read_env_file
from pao.app.local.home import Home

UP = """
import sys
from pathlib import Path
from pao.app.local.ports import Ports
from pao.app.local.up import UpOptions, run_up
ports = Ports(api=0, temporal=0, temporal_ui=0, jira=0, github=0, postgres=0)
sys.exit(run_up(UpOptions(home=Path(sys.argv[1]), ports=ports)))
"""


class Up:
    """A `pao up` on free ports."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.lines: list[str] = []
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        environment.pop("TEMPORAL_ADDRESS", None)
        self.process = subprocess.Popen(  # noqa: S603 -- our own Python
            [sys.executable, "-c", UP, str(home.folder)],
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[4])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if "PAO is ready." in line:
                return
        pytest.fail("".join(self.lines))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdout is not None
        try:
            if self.process.poll() is None:
                self.end()
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def end(self) -> int:
        """Press Ctrl-C and wait for the end; the exit code."""
        self.process.send_signal(signal.SIGINT)
        self.lines += self.process.communicate(timeout=60)[0].splitlines(keepends=True)
        return self.process.returncode


@pytest.fixture
def home(tmp_path: Path, temporal_program: Path) -> Iterator[Home]:
    assert temporal_program.exists()
    home = Home(tmp_path / "pao")
    yield home
    home.delete_state()


@pytest.fixture
def up(home: Home) -> Iterator[Callable[[], Up]]:
    """Start `pao up`; what a failed test has left running ends with it."""
    with contextlib.ExitStack() as running:
        yield lambda: running.enter_context(Up(home))


def ready(env: dict[str, str]) -> int:
    url = f"{env['PAO_URL']}/api/v1/health/ready"
    with httpx.Client(trust_env=False) as client:
        return client.get(url).status_code


@pytest.mark.outage
def test_everything_starts_is_found_again_and_leaves_nothing_running(
    home: Home, up: Callable[[], Up]
) -> None:
    first = up()
    first.wait_until_ready()
    env = read_env_file(home.env_file())
    assert ready(env) == 200
    assert Path(home.env_file()).stat().st_mode & 0o777 == 0o600
    assert {read_env_file(home.env_file(role))["PAO_ACCESS_KEY_ID"] for role in _roles()} > {
        env["PAO_ACCESS_KEY_ID"]
    }

    second = up()
    assert "PAO is already running" in second.process.communicate(timeout=60)[0]
    assert second.process.returncode == 2

    assert first.end() == 130
    said = "".join(first.lines)
    assert "\x1b" not in said
    assert env["PAO_SECRET_ACCESS_KEY"] not in said
    _assert_nothing_listens(env)

    again = up()
    again.wait_until_ready()
    later = read_env_file(home.env_file())
    assert later["PAO_ACCESS_KEY_ID"] == env["PAO_ACCESS_KEY_ID"]
    assert again.end() == 130


def _roles() -> tuple[str, ...]:
    return ("developer", "platform", "admin")


def _assert_nothing_listens(env: dict[str, str]) -> None:
    for value in env.values():
        for port in re.findall(r"127\.0\.0\.1:(\d+)", value):
            with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as client:
                client.get(f"http://127.0.0.1:{port}")
