"""One machine: installed, used, upgraded with open requests, and removed with its data kept.

The units are run as processes by a stand-in for systemctl, and judged by systemd-analyze.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.tests.machine.environments import AWAITED, PATCHED, InstalledVersion, make_version
from deploy.tests.running import running_pao
from pao.app.cli.http import BASE_PATH, RequestSigner
from pao.app.cli.profiles import ApiTarget
from pao.app.local.ports import free_ports
from pao.app.local.postgres_files import delete_files
from pao.app.local.stack import sample_catalog
from pao.app.local.temporal_binary import cached_program
from sandbox.jira.settings import JiraSandboxSettings
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.pages import ROOT
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host

WORKER = "pao-worker.service"
SERVICES = ("pao-postgres.service", "pao-temporal.service", WORKER, "pao-api.service")
SYSTEMCTL = Path(__file__).with_name("systemctl.py")


@dataclass
class Machine:
    """What one machine has: its folders, and the calls to systemctl so far."""

    home: Path
    units: Path
    state: Path
    environ: dict[str, str]
    ports: list[int]

    @property
    def where(self) -> tuple[str, ...]:
        return ("--home", str(self.home), "--units", str(self.units), "--account", "root")

    @property
    def port_options(self) -> tuple[str, ...]:
        names = ("--port", "--temporal-port", "--temporal-ui-port", "--postgres-port")
        return tuple(text for one in zip(names, map(str, self.ports), strict=True) for text in one)

    def calls(self) -> list[str]:
        file = self.state / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def systemctl(self, *arguments: str) -> None:
        subprocess.run(  # noqa: S603 -- our own script
            [shutil.which("systemctl", path=self.environ["PATH"]) or "", *arguments],
            env={**os.environ, **self.environ},
            check=False,
        )

    def log(self, unit: str) -> str:
        return (self.state / f"{unit}.log").read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    state, units, programs = (tmp_path / name for name in ("state", "units", "bin"))
    for folder in (state, programs):
        folder.mkdir()
    program = programs / "systemctl"
    program.write_text(f"#!{sys.executable}\n{SYSTEMCTL.read_text()}")
    program.chmod(0o755)
    home = tmp_path / "pao"
    made = Machine(
        home,
        units,
        state,
        {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "UNITS": str(units),
            "STATE": str(state),
        },
        free_ports(4),
    )
    program = cached_program(os.environ)
    if program.exists():
        (home / "cache").mkdir(mode=0o700, parents=True)
        home.chmod(0o700)
        shutil.copy(program, home / "cache" / program.name)
    yield made
    every = sorted(one.name.removesuffix(".pid") for one in state.glob("*.pid"))
    made.systemctl("stop", *every)
    delete_files(home / "postgres")


def fill_in(machine: Machine, jira: str) -> None:
    """Write what a person writes into the settings."""
    file = machine.home / "pao.env"
    given = {
        "JIRA_FLAVOUR": "datacenter",
        "JIRA_BASE_URL": jira,
        "JIRA_USERNAME": JiraSandboxSettings().username,
        "JIRA_API_TOKEN": JiraSandboxSettings().token,
        "JIRA_DEFAULT_PROJECT": "PLATFORM",
        "JIRA_SEARCH_LAG": "1s",
        "CATALOG_PATH": str(sample_catalog().resolve()),
        "PAO_EGRESS_ALLOW": "127.0.0.1",
    }
    kept = [line for line in file.read_text().splitlines() if line.partition("=")[0] not in given]
    file.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in given.items())]))


def client(machine: Machine, key: dict[str, Any]) -> httpx.Client:
    url = f"http://127.0.0.1:{machine.ports[0]}"
    target = ApiTarget(url, "us-east-1", "execute-api", key["accessKeyId"], key["secretAccessKey"])
    return httpx.Client(
        base_url=f"{url}{BASE_PATH}", auth=RequestSigner(target), timeout=60, trust_env=False
    )


def key_of(version: InstalledVersion, machine: Machine) -> dict[str, Any]:
    settings = dict(
        line.split("=", 1)
        for name in ("machine.env", "pao.env")
        for line in (machine.home / name).read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )
    made = version.pao("keys", "create", "--user", "dana", "-o", "json", **settings)
    assert made.returncode == 0, made.stderr
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def reached(caller: httpx.Client, document: dict[str, Any], status: str) -> None:
    def there() -> bool | None:
        found = caller.get(f"/requests/{document['id']}").json()
        return (found["status"] == status and not found["retrying"]) or None

    wait_until(there, seconds=120)


def tickets(jira: JiraSandbox, text: str) -> int:
    return len([one for one in jira.tickets() if text in one["summary"]])


def set_back(version: InstalledVersion, machine: Machine) -> None:
    """Restore the only backup, which the upgrade has made."""
    [backup] = (machine.home / "backups").iterdir()
    machine.systemctl("stop", *reversed(SERVICES))
    restored = version.pao("restore", str(backup), "--home", str(machine.home), "--replace")
    assert restored.returncode == 0, restored.stderr
    done = version.pao("install", *machine.where)
    assert done.returncode == 0, done.stderr


def is_looked_at(version: InstalledVersion, machine: Machine, folder: Path) -> None:
    """Have `pao up` start a restored copy: its requests were given to a build of the machine's."""
    [backup] = (machine.home / "backups").iterdir()
    restored = version.pao("restore", str(backup), "--home", str(folder))
    assert restored.returncode == 0, restored.stderr
    fields = ("--field", f"hostName={new_host()}", "--field", "address=10.0.0.7")
    try:
        with running_pao(folder, command=version.command) as copy:
            listed = copy.pao("request", "list", "--status", "failed", "-o", "id")
            assert len(listed.stdout.split()) == 1
            done = copy.pao("request", "submit", "network-dns-record", *fields)
            assert done.returncode == 0, done.stderr
    finally:
        delete_files(folder / "postgres")


def is_removed(version: InstalledVersion, machine: Machine) -> None:
    gone = version.pao("uninstall", *machine.where, "-o", "json")
    assert gone.returncode == 0, gone.stderr
    assert list(machine.units.iterdir()) == []


def test_a_machine_is_installed_used_upgraded_and_removed(machine: Machine, tmp_path: Path) -> None:
    one = make_version(tmp_path / "one", machine.environ)
    two = make_version(tmp_path / "two", machine.environ, PATCHED)
    broken = make_version(tmp_path / "broken", machine.environ, AWAITED)
    with jira_sandbox(tmp_path / "jira") as jira:
        refused = one.pao("install", *machine.where, *machine.port_options)
        assert refused.returncode == 2, refused.stderr
        assert "JIRA_BASE_URL: missing" in refused.stderr
        assert "start pao-api.service" not in machine.calls()
        fill_in(machine, jira.url)
        for time in range(2):
            done = one.pao("install", *machine.where, "-o", "json")
            assert done.returncode == 0, (time, done.stderr)
        # The second time nothing differed, and nothing was restarted.
        assert machine.calls().count("restart pao-worker.service") == 1
        build = json.loads(done.stdout)["build"]
        secret = (machine.home / "secrets.json").read_text()
        assert oct((machine.home / "machine.env").stat().st_mode)[-3:] == "600"

        key = key_of(one, machine)
        with client(machine, key) as dana:
            waiting, under_way = new_host(), new_host()
            jira.fault("status", status=400, match={"summaryContains": waiting})
            failed = dana.post("/requests", json=dns_body(waiting)).json()
            reached(dana, failed, "failed")

            before = machine.calls()
            stopped = broken.pao("upgrade", *machine.where)
            assert stopped.returncode == 5
            assert "Nothing was changed. pao replay-gate failed" in stopped.stderr, stopped.stderr
            assert machine.calls() == before

            # One has a call in hand when its worker is told to end.
            jira.fault("slow", seconds=5, when="before", match={"summaryContains": under_way})
            headers = {"Prefer": "wait=0"}
            slow = dana.post("/requests", json=dns_body(under_way), headers=headers).json()
            upgraded = two.pao("upgrade", *machine.where, "-o", "json")
            assert upgraded.returncode == 0, upgraded.stderr
            assert json.loads(upgraded.stdout)["build"] != build
            reached(dana, slow, "completed")
            dana.post(f"/requests/{failed['id']}/retry", json={"reason": "fixed"})
            reached(dana, failed, "completed")
            assert [tickets(jira, host) for host in (waiting, under_way)] == [1, 1]

        said = [line for line in machine.log(WORKER).splitlines() if "gets the requests" in line]
        assert len(said) == 2, machine.log(WORKER)
        assert json.loads(upgraded.stdout)["build"] in said[1]
        set_back(two, machine)
        with client(machine, key) as dana:
            # As it was before the upgrade; the ticket of its retry is adopted.
            assert dana.get(f"/requests/{failed['id']}").json()["status"] == "failed"
            dana.post(f"/requests/{failed['id']}/retry", json={"reason": "again"})
            reached(dana, failed, "completed")
            assert tickets(jira, waiting) == 1
        logs = "".join(file.read_text() for file in machine.state.glob("*.log"))
        assert key["secretAccessKey"] not in logs

        is_looked_at(two, machine, tmp_path / "copy")
        is_removed(two, machine)
        assert (machine.home / "secrets.json").read_text() == secret


@pytest.mark.parametrize("account", [("--account", "root"), ()])
def test_systemd_takes_the_units(tmp_path: Path, account: tuple[str, ...]) -> None:
    """The units of `pao install`, for the system and for a user."""
    version = make_version(tmp_path / "one", {})
    shown = version.pao("install", "--print", "--home", str(tmp_path), *account, "-o", "json")
    units = tmp_path / "units"
    units.mkdir()
    for name, text in json.loads(shown.stdout)["units"].items():
        (units / name).write_text(text)
    verify(units)


def test_systemd_takes_the_units_of_a_server(tmp_path: Path) -> None:
    """Those of deploy/systemd; another program stands for theirs, which are not installed."""
    for unit in (ROOT / "deploy" / "systemd").iterdir():
        text = re.sub(r"^(ExecStart=)/\S+", r"\1/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    verify(tmp_path)


def verify(units: Path) -> None:
    """Fail for what systemd says of units: unknown keys, wrong values, units that are missing."""
    assert shutil.which("systemd-analyze"), "it is needed here: apt-get install systemd"
    written = sorted(map(str, units.iterdir()))
    done = subprocess.run(  # noqa: S603 -- a program of the system
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *written],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if str(units) in line]
    assert (done.returncode, said) == (0, []), done.stderr
