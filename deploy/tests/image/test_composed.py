"""docker-compose.yml ends in a working PAO: its services, in its order, from the built images."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.tests.compose.project import load
from deploy.tests.image.build import ROOT
from deploy.tests.image.composed import Composed
from deploy.tests.image.containers import Image
from pao.app.local.postgres import FOR_TESTS, EmbeddedPostgres, run_sql
from pao.app.local.progress import ProgressReporter
from pao.app.local.temporal import TemporalDevServer
from pao.app.local.temporal_binary import find_or_build

KEY = re.compile(r"^export (PAO_ACCESS_KEY_ID|PAO_SECRET_ACCESS_KEY)=(\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def composed(
    runtime: Image, dev: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Composed]:
    """Everything up to the first key, in the order that the file demands."""
    folder = tmp_path_factory.mktemp("composed")
    started = Composed(load("demo"), {"runtime": runtime, "dev": dev}, folder)
    started.complete("secrets")
    # Below /var/tmp: it runs as a user who cannot read root's folders.
    postgres = EmbeddedPostgres(folder / "postgres", port=5432, settings=FOR_TESTS)
    temporal = TemporalDevServer(
        find_or_build(ProgressReporter(), os.environ), port=7233, ui_port=None
    )
    try:
        address = postgres.start()
        run_sql(address, roles(), **passwords(started))
        temporal.start()
        add_namespace(folder)
        started.complete("migrate")
        started.start("jira")
        for name in ("api", "worker"):
            started.start(name)
        for name in ("jira", "api", "worker"):
            started.wait_until_healthy(name)
        yield started
    finally:
        started.stop()
        temporal.stop()
        postgres.stop()


def roles() -> str:
    """The roles' script, without what the wheel's server has no extension for."""
    script = (ROOT / "deploy/postgres/roles.sql").read_text(encoding="utf-8")
    return script.partition("-- Temporal's visibility schema")[0]


def passwords(composed: Composed) -> dict[str, str]:
    return {
        f"{name}_password": (composed.volume(f"secret-{name}") / "password").read_text()
        for name in ("owner", "service", "temporal")
    }


def add_namespace(folder: Path) -> None:
    """Run the namespace's script with the command that its image has on its path."""
    program = folder / "bin" / "temporal"
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    program.symlink_to(find_or_build(ProgressReporter(), os.environ))
    environment = {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "TEMPORAL_ADDRESS": "127.0.0.1:7233",
    }
    script = str(ROOT / "deploy/compose/namespace.sh")
    subprocess.run(["/bin/sh", script, "pao"], check=True, env=environment, timeout=120)  # noqa: S603 -- our own script


@pytest.fixture(scope="module")
def key(composed: Composed) -> dict[str, str]:
    """The key that the first start prints."""
    return dict(KEY.findall(composed.complete("first-key")))


def pao(key: dict[str, str], *arguments: str) -> str:
    """Return what a command prints that is called from outside."""
    environment = {**os.environ, **key, "PAO_URL": "http://127.0.0.1:8080"}
    command = [str(ROOT / ".venv/bin/pao"), *arguments]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 -- our own command
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_key_is_printed_once_and_is_an_admin_s(
    composed: Composed, key: dict[str, str]
) -> None:
    assert key.keys() == {"PAO_ACCESS_KEY_ID", "PAO_SECRET_ACCESS_KEY"}
    assert not KEY.findall(composed.complete("first-key"))


def test_a_request_becomes_a_ticket(key: dict[str, str]) -> None:
    fields = ("--field", "hostName=orders.example.com", "--field", "address=10.0.0.7")
    shown = pao(key, "request", "submit", "network-dns-record", *fields)

    assert "completed" in shown
    assert "http://jira:8090/browse/NET-1" in shown


def test_every_part_is_well_and_no_sample_is_refused(key: dict[str, str]) -> None:
    shown = pao(key, "health")

    assert "degraded" not in shown, shown
    assert "refused 0" in shown, shown


@pytest.mark.parametrize("name", ["api", "worker"])
def test_no_secret_is_in_a_process_s_environment(composed: Composed, name: str) -> None:
    environment = Path(f"/proc/{composed.running[name].pid}/environ").read_bytes()

    assert environment
    for volume in ("secret-service", "secret-keys"):
        for file in composed.volume(volume).iterdir():
            assert file.read_bytes() not in environment


def test_secrets_are_made_once(composed: Composed) -> None:
    before = passwords(composed)

    assert composed.complete("secrets") == ""
    assert passwords(composed) == before


@pytest.mark.usefixtures("composed")
def test_the_namespace_s_script_may_run_again(tmp_path: Path) -> None:
    add_namespace(tmp_path)


def test_api_and_worker_end_in_order_when_they_are_asked_to(composed: Composed) -> None:
    for name in ("api", "worker"):
        assert composed.running[name].stop() == 0, composed.running[name].said()
    for name in ("api", "worker"):
        composed.start(name)
    for name in ("api", "worker"):
        composed.wait_until_healthy(name)
