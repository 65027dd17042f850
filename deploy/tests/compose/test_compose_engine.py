"""The whole compose file under a real engine; `make compose-test` runs this where there is one."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from deploy.tests.compose.project import ROOT

PROJECT = "pao-compose-test"


def docker(*arguments: str) -> str:
    command = ["docker", "compose", "--project-name", PROJECT, "--profile", "demo", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603 -- our own arguments
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def started() -> Iterator[None]:
    docker("up", "--detach", "--build", "--wait", "--wait-timeout", "600")
    yield
    docker("down", "--volumes", "--timeout", "60")


@pytest.mark.usefixtures("started")
def test_it_ends_in_a_working_pao_with_a_first_key() -> None:
    key = dict(re.findall(r"export (\w+)=(\S+)", docker("logs", "--no-log-prefix", "first-key")))
    fields = ("--field", "hostName=orders.example.com", "--field", "address=10.0.0.7")
    command = [str(ROOT / ".venv/bin/pao"), "request", "submit", "network-dns-record", *fields]
    environment = {**os.environ, **key, "PAO_URL": "http://127.0.0.1:8080"}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 -- our own command

    assert done.returncode == 0, done.stdout + done.stderr
    assert "completed" in done.stdout
