import os
import subprocess
from pathlib import Path

import pytest

from pao.app.local.env_file import read_env_file, write_env_file
from pao.app.local.home import Home, HomeInUseError, LocalKey
from pao.app.local.postgres_files import prepare_files
from pao.app.local.processes import LocalError
from pao.runtime.crypto import SecretBox

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
    assert read_env_file(tmp_path / "env").items() >= VALUES.items()


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
    home.store_key("dana", LocalKey("PAOKEY", "secret"))

    assert home.read_secrets().keys == {"dana": LocalKey("PAOKEY", "secret")}


def test_lost_secrets_beside_data_that_need_them_are_reported(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()

    with pytest.raises(LocalError, match="--fresh"):
        home.read_secrets()


def test_a_second_holder_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "pao")
    with (
        home.lock(),
        pytest.raises(HomeInUseError, match=f"process {os.getpid()}"),
        Home(tmp_path / "pao").lock(),
    ):
        pass


def test_a_folder_that_was_held_can_be_held_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "pao")
    for _ in range(2):
        with home.lock():
            assert (tmp_path / "pao" / "lock").read_text().strip() == str(os.getpid())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_closed_to_others_and_an_existing_one_is_closed(tmp_path: Path) -> None:
    with Home(tmp_path / "new").lock():
        assert mode(tmp_path / "new") == 0o700
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty").chmod(0o777)
    with Home(tmp_path / "empty").lock():
        assert mode(tmp_path / "empty") == 0o700
    (tmp_path / "new").chmod(0o755)
    (tmp_path / "new" / "secrets.json").touch()
    with Home(tmp_path / "new").lock():
        assert mode(tmp_path / "new") == 0o700


def test_a_folder_that_others_share_is_left_as_it_is_and_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "theirs.txt").touch()
    shared.chmod(0o1777)
    with pytest.raises(HomeInUseError, match="others may enter it"), Home(shared).lock():
        pass
    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_secrets_that_others_may_read_are_closed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    made = home.read_secrets()
    (tmp_path / "secrets.json").chmod(0o644)
    assert home.read_secrets() == made
    assert mode(tmp_path / "secrets.json") == 0o600


def test_secrets_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    Home(tmp_path).read_secrets()
    (tmp_path / "secrets.json").rename(tmp_path / "elsewhere.json")
    (tmp_path / "secrets.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(LocalError, match="not written by this user"):
        Home(tmp_path).read_secrets()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    theirs = Path("/")
    if os.geteuid() == 0:
        theirs = tmp_path
        os.chown(theirs, 65534, 65534)
    with pytest.raises(HomeInUseError, match="belongs to user"), Home(theirs).lock():
        pass


def test_throwing_away_leaves_what_others_put_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.read_secrets()
    home.temporal_database.touch()
    write_env_file(home.env_file("admin"), VALUES)
    home.postgres.mkdir()
    home.jira.mkdir()
    (home.jira / "jira.sqlite").touch()
    (tmp_path / "notes.txt").write_text("mine")

    home.delete_state()

    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"notes.txt"}


def test_a_state_is_back_after_a_replacement_that_was_cut_off(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.lock():
        secrets = home.read_secrets()
        (home.folder / "temporal.db").write_text("old")
        (home.terraform / "module").mkdir(parents=True)
        (home.folder / "pao.env").write_text("mine")

    with home.lock():
        cut_off = home.replace_contents()
        cut_off.__enter__()
        assert not home.secrets_file.exists()
        (home.folder / "temporal.db").write_text("new")
        home.postgres.mkdir()
    with home.lock():
        assert home.read_secrets() == secrets
        assert (home.folder / "temporal.db").read_text() == "old"
        names = {one.name for one in home.folder.iterdir()}
        assert names == {"lock", "secrets.json", "temporal.db", "terraform", "pao.env"}


def test_a_state_that_was_replaced_is_gone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.lock():
        secrets = home.read_secrets()
        with home.replace_contents():
            assert home.read_secrets() != secrets
        assert {one.name for one in home.folder.iterdir()} == {"lock", "secrets.json"}


def test_nothing_is_left_of_a_state_that_could_not_be_put_into_an_empty_folder(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    with home.lock():
        failing = home.replace_contents()
        failing.__enter__()
        # As root they are elsewhere.
        data = prepare_files(home.postgres).data
        data.mkdir(exist_ok=True)
    with home.lock():
        assert not data.exists()
        assert {one.name for one in home.folder.iterdir()} == {"lock"}
