"""What `pao up` refuses before it starts anything; a whole run is in test_up_whole."""

import socket
from pathlib import Path

import pytest

from pao.app.local.home import Home
from pao.app.local.ports import Ports
from pao.app.local.postgres_files import delete_files
from pao.app.local.up import UpOptions, run_up

ANY = Ports(api=0, temporal=0, temporal_ui=0, jira=0, github=0, postgres=0)


def test_ports_in_use_are_all_told_and_nothing_is_started(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as one, socket.socket() as other:
        for taken in (one, other):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
        ports = Ports(
            api=one.getsockname()[1],
            temporal=0,
            temporal_ui=0,
            jira=other.getsockname()[1],
            github=0,
            postgres=0,
        )
        code = run_up(UpOptions(home=tmp_path / "pao", ports=ports))

    said = capfd.readouterr().err
    assert code == 2
    assert "--api-port" in said
    assert "--jira-port" in said
    assert not (tmp_path / "pao" / "postgres").exists()


def test_a_second_one_on_the_same_folder_says_that_the_first_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Home(tmp_path / "pao").lock():
        code = run_up(UpOptions(home=tmp_path / "pao", ports=ANY, fresh=True))

    assert code == 2
    assert "PAO is already running" in capfd.readouterr().err


def test_fresh_does_not_touch_the_state_of_one_that_runs(tmp_path: Path) -> None:
    home = Home(tmp_path / "pao")
    with home.lock():
        kept = home.read_secrets()
        run_up(UpOptions(home=tmp_path / "pao", ports=ANY, fresh=True))

        assert home.read_secrets() == kept


def test_a_catalog_folder_that_is_not_there_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = run_up(UpOptions(home=tmp_path / "pao", ports=ANY, catalog=tmp_path / "nowhere"))

    assert code == 5
    assert "nowhere" in capfd.readouterr().err


def test_an_outside_temporal_that_does_not_answer_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")

    code = run_up(UpOptions(home=tmp_path / "pao", ports=ANY, catalog=tmp_path))
    delete_files(tmp_path / "pao" / "postgres")

    assert code == 5
    assert "No Temporal server answers at 127.0.0.1:9" in capfd.readouterr().err
