"""What `pao install` writes: units that fit their commands, settings that are kept.

That they run is proven by `make machine-test`.
"""

import shlex
from pathlib import Path

import pytest

from pao.app.local.home import Home
from pao.app.local.machine import units
from pao.app.local.machine.existing_units import with_installed_ports
from pao.app.local.machine.layout import MachineLayout
from pao.app.local.machine.settings_files import environment, write_settings
from pao.app.local.machine.systemd import write_units
from pao.settings import load_settings
from tests.pao.app.cli.scripted import Pao


@pytest.fixture
def place(tmp_path: Path) -> MachineLayout:
    home = Home(tmp_path / "pao")
    home.folder.mkdir(mode=0o700)
    return MachineLayout(home, tmp_path / "units", "pao", api_port=18080, postgres_port=15433)


def values(text: str, name: str) -> list[str]:
    return [one.partition("=")[2] for one in text.splitlines() if one.startswith(f"{name}=")]


def test_every_unit_runs_a_command_that_exists_and_is_confined(
    pao: Pao, place: MachineLayout
) -> None:
    texts = units.unit_files(place)
    assert set(texts) == {*units.ENABLED, units.BACKUP}
    for name in texts.keys() - {units.TIMER}:
        [started] = values(texts[name], "ExecStart")
        command = shlex.split(started.removeprefix(place.command))
        shown = pao(*command, "--help")
        assert shown.exit_code == 0, shown.stderr
        assert values(texts[name], "User") == ["pao"]
        assert values(texts[name], "NoNewPrivileges") == ["yes"]
        assert values(texts[name], "ReadWritePaths") == [str(place.home.folder)]
    owns = [name for name, text in texts.items() if str(place.owner_file) in text]
    assert owns == [units.MIGRATE]
    [build] = values(texts[units.WORKER], "Environment")
    assert build == f"PAO_BUILD_ID={place.build_id}"


def test_a_restart_of_a_unit_ends_no_other(place: MachineLayout) -> None:
    # As systemd does with what requires the unit, is bound to it or part of it.
    for text in units.unit_files(place).values():
        assert not any(
            values(text, name) for name in ("Requires", "Requisite", "BindsTo", "PartOf")
        )
    for name in (units.WORKER, units.API):
        assert values(units.unit_files(place)[name], "Wants") == [units.MIGRATE]


def test_services_of_a_user_ask_for_nothing_that_only_root_may(place: MachineLayout) -> None:
    of_user = MachineLayout(place.home, place.units, None)
    text = units.unit_files(of_user)[units.API]
    assert values(text, "WantedBy") == ["default.target"]
    for name in ("User", "ProtectSystem", "CapabilityBoundingSet", "PrivateDevices"):
        assert values(text, name) == []


def test_settings_are_private_and_what_a_person_wrote_stays(place: MachineLayout) -> None:
    write_settings(place)
    first = environment(place)
    for file in (place.machine_file, place.owner_file, place.settings_file):
        assert file.stat().st_mode & 0o077 == 0
    assert "pao_owner" not in place.machine_file.read_text()
    place.settings_file.write_text(
        "JIRA_BASE_URL=https://x.atlassian.net\nJIRA_USERNAME=a@example.com\n"
        f"JIRA_API_TOKEN=token\nCATALOG_PATH={place.catalog}\n"
    )
    write_settings(place)
    second = environment(place)
    for name in ("PAO_ENCRYPTION_KEYS", "DATABASE_URL"):
        assert second[name] == first[name]
    assert second["JIRA_API_TOKEN"] == "token"
    for process in ("api", "worker"):
        load_settings(second, process=process)


def test_a_repeat_keeps_the_ports_and_writes_only_what_differs(place: MachineLayout) -> None:
    write_settings(place)
    texts = units.unit_files(place)
    assert set(write_units(place.units, texts)) == set(texts)
    assert write_units(place.units, texts) == []
    again = with_installed_ports(MachineLayout(place.home, place.units, "pao"))
    assert (again.api_port, again.postgres_port) == (18080, 15433)
    assert all(units.is_ours(place.units / name) for name in texts)


def test_what_units_cannot_hold_is_refused_before_anything_is_written(
    pao: Pao, tmp_path: Path
) -> None:
    odd = tmp_path / "with blank"
    refused = pao("install", "--home", str(odd), "--units", str(tmp_path / "units"))
    assert (refused.exit_code, "without blanks" in refused.stderr) == (5, True), refused.stderr
    assert not odd.exists()
    absent = pao("upgrade", "--home", str(tmp_path / "a"), "--units", str(tmp_path / "units"))
    assert (absent.exit_code, "use `pao install`" in absent.stderr) == (5, True), absent.stderr
