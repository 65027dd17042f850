"""Which variables of a shell count for `pao up`, and what is said about the others."""

from pathlib import Path

import pytest

from pao.app.local.env_file import read_env_file, write_env_file
from pao.app.local.home import Home
from pao.app.local.shell_environment import read_shell

OWN = "127.0.0.1:7233"
OUTSIDE = "temporal.example.com:7233"


def stack(folder: Path, address: str, *, own: bool) -> Home:
    """Make the folder of a stack that has used a Temporal server, its own or an outside one."""
    folder.mkdir()
    home = Home(folder)
    if own:
        home.temporal_address_file.write_text(f"{address}\n")
    values = {
        "PAO_URL": "http://127.0.0.1:8080",
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_UI_URL": "http://127.0.0.1:8233",
        "DATABASE_URL": "postgresql://pao@127.0.0.1/pao",
    }
    for role in (None, "admin"):
        write_env_file(home.env_file(role), values)
    return home


@pytest.mark.parametrize("role", [None, "admin"])
@pytest.mark.parametrize("own", [True, False])
def test_addresses_that_another_stack_exported_are_not_taken_and_named(
    tmp_path: Path, role: str | None, *, own: bool
) -> None:
    other = stack(tmp_path / "other", OWN, own=own)
    sourced = read_env_file(other.env_file(role))

    found = read_shell(Home(tmp_path / "mine"), sourced)

    assert found.outside is None
    (said,) = found.ignored
    assert str(other.env_file(role)) in said
    assert said.endswith("of another `pao up`: DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_UI_URL")


def test_a_shell_keeps_no_address_of_another_stack_that_has_moved_on_or_is_gone(
    tmp_path: Path,
) -> None:
    other = stack(tmp_path / "other", OWN, own=True)
    sourced = read_env_file(other.env_file())
    other.delete_state()

    assert read_shell(Home(tmp_path / "mine"), sourced).outside is None


def test_the_own_server_is_no_outside_one_even_at_a_former_address(tmp_path: Path) -> None:
    home = stack(tmp_path / "mine", OWN, own=True)
    sourced = read_env_file(home.env_file())
    home.temporal_address_file.write_text("127.0.0.1:9999\n")

    found = read_shell(home, sourced)

    assert found.outside is None
    assert found.ignored == ()


def test_a_stack_on_an_outside_server_stays_there(tmp_path: Path) -> None:
    home = stack(tmp_path / "mine", OUTSIDE, own=False)

    found = read_shell(home, read_env_file(home.env_file()))

    assert found.outside is not None
    assert found.outside.address == OUTSIDE


@pytest.mark.parametrize("sourced", [True, False])
def test_an_address_that_a_person_sets_counts(tmp_path: Path, *, sourced: bool) -> None:
    other = stack(tmp_path / "other", OWN, own=True)
    given = read_env_file(other.env_file()) if sourced else {}

    found = read_shell(Home(tmp_path / "mine"), {**given, "TEMPORAL_ADDRESS": OUTSIDE})

    assert found.outside is not None
    assert found.outside.address == OUTSIDE
    assert found.cleared == {}


def test_what_is_never_taken_is_named_with_the_option_that_does_it(tmp_path: Path) -> None:
    given = {
        "CATALOG_PATH": "/srv/catalog",
        "TEMPORAL_API_KEY": "k",
        "DATABASE_URL": "",
        "HOME": "/",
    }

    found = read_shell(Home(tmp_path), given)

    assert found.ignored == (
        "Ignored, as `pao up` brings its own: CATALOG_PATH (use --catalog), TEMPORAL_API_KEY",
    )
    assert found.cleared == {"TEMPORAL_API_KEY": ""}
