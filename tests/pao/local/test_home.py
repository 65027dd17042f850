import os
import subprocess
from pathlib import Path

import pytest

from pao.crypto import SecretBox
from pao.local.home import Home, HomeInUseError, KeptKey, read_env_file, write_env_file
from pao.local.processes import LocalError

VALUES = {"PAO_URL": "http://127.0.0.1:8080", "ODD": 'a\'b "c" $HOME `x`; #'}


def test_an_env_file_is_only_ours_to_read(tmp_path: Path) -> None:
    write_env_file(tmp_path / "env", VALUES)

    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_an_env_file_stays_private_when_it_replaces_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("")
    (tmp_path / "env").chmod(0o644)

    write_env_file(tmp_path / "env", VALUES)

    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_a_shell_that_sources_an_env_file_gets_exactly_its_values(tmp_path: Path) -> None:
    write_env_file(tmp_path / "env", VALUES)

    shell = subprocess.run(  # noqa: S603 -- a fixed command on our own file
        ["/bin/sh", "-c", '. "$0/env"; printf "%s|%s" "$PAO_URL" "$ODD"', str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert shell.stdout == "|".join(VALUES.values())
    assert read_env_file(tmp_path / "env") == VALUES


def test_secrets_are_made_once_and_kept_privately(tmp_path: Path) -> None:
    home = Home(tmp_path)
    made = home.read_secrets()

    assert home.read_secrets() == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert made.encryption_keys not in repr(made)


def test_the_generated_encryption_key_is_one_that_secrets_can_be_sealed_with(
    tmp_path: Path,
) -> None:
    box = SecretBox(Home(tmp_path).read_secrets().encryption_keys)

    assert box.open(box.seal("word", context="here"), context="here") == "word"


def test_a_kept_access_key_is_found_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.keep_key("dana", KeptKey("PAOKEY", "secret"))

    assert home.read_secrets().keys == {"dana": KeptKey("PAOKEY", "secret")}


def test_lost_secrets_beside_data_that_need_them_are_reported(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()

    with pytest.raises(LocalError, match="--fresh"):
        home.read_secrets()


def test_a_second_holder_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "pao")
    with (
        home.held(),
        pytest.raises(HomeInUseError, match=f"process {os.getpid()}"),
        Home(tmp_path / "pao").held(),
    ):
        pass


def test_a_folder_that_was_held_can_be_held_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "pao")
    for _ in range(2):
        with home.held():
            assert (tmp_path / "pao" / "lock").read_text().strip() == str(os.getpid())


def test_throwing_away_leaves_what_others_put_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.read_secrets()
    home.temporal_database.touch()
    write_env_file(home.env_file("admin"), VALUES)
    home.postgres.mkdir()
    home.jira.mkdir()
    (home.jira / "jira.sqlite").touch()
    (tmp_path / "notes.txt").write_text("mine")

    home.throw_away()

    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"notes.txt"}
