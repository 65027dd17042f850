"""What a person gets who sources an env file, in shells and folders of every kind."""

import subprocess
from pathlib import Path

import pytest

from pao.app.local.env_file import display_path, quote, read_env_file, write_env_file

ODD = ["", "plain", "a b", "it's", 'say "x"', "back\\slash", "\\'", "$HOME `x` #;", "\\\\", "é ☃"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my pao's folder"
    made.mkdir()
    return made


def in_bash(script: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(  # noqa: S603 -- a fixed shell and our own script
        ["/bin/bash", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    return done.stdout


def test_the_command_is_found_once_the_file_is_sourced(folder: Path) -> None:
    write_env_file(folder / "env", {"PAO_URL": "http://127.0.0.1:1"})

    said = in_bash("source ./env && pao --version && ls /dev/null", folder)

    assert said.startswith("pao ")
    assert said.endswith("/dev/null\n")


def test_the_command_the_banner_prints_works_in_a_folder_with_blanks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_env_file(folder / "env", {"PAO_URL": "http://127.0.0.1:1"})

    monkeypatch.chdir(folder.parent)
    assert in_bash(f"source {display_path(folder / 'env')} && echo $PAO_URL", folder.parent)
    monkeypatch.chdir("/")
    assert in_bash(f"source {display_path(folder / 'env')} && echo $PAO_URL", Path("/"))


@pytest.mark.parametrize("text", ODD)
def test_every_value_arrives_as_it_is(text: str, folder: Path) -> None:
    write_env_file(folder / "env", {"ODD": text})

    assert in_bash('. ./env; printf %s "$ODD"', folder) == text
    assert read_env_file(folder / "env")["ODD"] == text


@pytest.mark.parametrize("text", ODD)
def test_no_backslash_is_within_single_quotes_where_fish_takes_it_for_an_escape(text: str) -> None:
    single = quote(text).split('"')[::2]
    assert not any("\\" in part for part in single)


def test_what_stood_on_path_before_is_still_there(folder: Path) -> None:
    write_env_file(folder / "env", {})

    path = in_bash('. ./env; printf %s "$PATH"', folder, PATH="/usr/bin:/bin:/a b")

    assert path.endswith(":/usr/bin:/bin:/a b")
    assert "PATH" not in read_env_file(folder / "env")
