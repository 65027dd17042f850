"""`make demo` as a script sees it: no terminal, state of its own, free ports."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pao.app.local.env_file import read_env_file
from pao.app.local.home import Home
from sandbox.jira.faults import jira_faults
from sandbox.jira.main import database_file
from sandbox.jira.store import TicketStore

PORTS = ("api", "temporal", "temporal-ui", "jira", "github", "postgres")
STEPS = (
    "A request becomes a JIRA ticket in one call",
    "A ticket cannot be created, and a retry completes the request",
    "A request is escalated",
    "A request is aborted",
    "The connection breaks, and no second ticket is created",
    "Invalid and forbidden requests are refused",
    "A request is fulfilled automatically",
    "A component of a bundle fails, is fixed, and the bundle continues",
    "A push changes the catalog, and a bad file does not",
)
TIMEOUT = 240
pytestmark = pytest.mark.outage


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, temporal_program: Path) -> Iterator[Home]:
    """One state folder for all: the demo has to work on what earlier ones have left."""
    assert temporal_program.exists()
    home = Home(tmp_path_factory.mktemp("demo") / "pao")
    yield home
    home.delete_state()


def start(home: Home) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "TEMPORAL_ADDRESS"}
    ports = [word for part in PORTS for word in (f"--{part}-port", "0")]
    return subprocess.Popen(  # noqa: S603 -- our own Python
        [sys.executable, "-m", "pao", "up", "--demo", *ports],
        env={**environment, "PAO_HOME": str(home.folder)},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_nothing_listens(home: Home) -> None:
    for value in read_env_file(home.env_file()).values():
        for port in re.findall(r"127\.0\.0\.1:(\d+)", value):
            with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as client:
                client.get(f"http://127.0.0.1:{port}")


def test_every_step_shows_what_it_should_and_nothing_is_left_running(home: Home) -> None:
    demo = start(home)
    said, _ = demo.communicate(timeout=TIMEOUT)

    assert demo.returncode == 0, said
    for number, step in enumerate(STEPS, start=1):
        assert f"{number}. {step}" in said
    assert "All 9 steps passed" in said
    assert "✗" not in said
    assert said.count("/user-metadata") >= 5
    assert "\x1b" not in said
    assert read_env_file(home.env_file())["PAO_SECRET_ACCESS_KEY"] not in said
    assert "worker | " not in said
    assert (home.logs / "worker.log").stat().st_size > 0
    assert_nothing_listens(home)


def test_a_deviation_is_shown_with_what_was_expected_and_ends_non_zero(home: Home) -> None:
    home.folder.mkdir(mode=0o700, exist_ok=True)
    store = TicketStore(database_file(home.jira))
    faults = jira_faults(store)
    document = {"kind": "status", "status": 500, "match": {"method": "POST"}, "times": None}
    faults.add(faults.read(document))
    demo = start(home)
    said, _ = demo.communicate(timeout=TIMEOUT)
    faults.clear()
    store.close()

    assert demo.returncode == 1, said
    assert "✗ The request is completed, in the answer to its submission" in said
    assert "expected   (201, 'completed')" in said
    assert "actual     (201, 'failed')" in said
    assert "steps failed" in said
    assert "The last lines of" in said
    assert_nothing_listens(home)


def test_an_interrupted_demo_leaves_nothing_running(home: Home) -> None:
    demo = start(home)
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("1. "):
            break
    demo.send_signal(signal.SIGTERM)
    said, _ = demo.communicate(timeout=TIMEOUT)

    assert demo.returncode == 128 + signal.SIGTERM
    assert "Shutting down" in said
    assert "All 9 steps" not in said
    assert_nothing_listens(home)
