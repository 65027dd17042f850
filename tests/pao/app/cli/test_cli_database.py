import json
from urllib.parse import urlsplit

import pytest

from pao.runtime.crypto import generate_key
from tests.pao.app.cli.scripted import Pao
from tests.support.postgres import Database


@pytest.fixture
def variables(database: Database) -> dict[str, str]:
    return {
        "DATABASE_URL": database.service_url,
        "PAO_MIGRATION_DATABASE_URL": database.owner_url,
        "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
    }


def test_the_state_of_the_schema_is_shown_and_verified(pao: Pao, variables: dict[str, str]) -> None:
    status = pao("db", "status", "-o", "json", **variables)

    assert status.exit_code == 0
    assert {entry["state"] for entry in json.loads(status.stdout)["migrations"]} == {"applied"}
    assert pao("db", "verify", **variables).exit_code == 0
    assert "Nothing to do" in pao("db", "migrate", **variables).stdout


def test_a_database_that_is_away_exits_with_5(pao: Pao) -> None:
    result = pao("db", "status", DATABASE_URL="postgresql://pao:x@127.0.0.1:1/pao")

    assert result.exit_code == 5
    assert "does not answer" in result.stderr


def test_a_refused_login_exits_with_5_and_says_so(pao: Pao, variables: dict[str, str]) -> None:
    password = str(urlsplit(variables["DATABASE_URL"]).password)
    wrong = variables["DATABASE_URL"].replace(password, "rotated")
    given = {**variables, "DATABASE_URL": wrong, "PAO_MIGRATION_DATABASE_URL": wrong}

    for command in (("db", "status"), ("keys", "list"), ("audit", "verify")):
        result = pao(*command, **given)
        assert result.exit_code == 5, command
        assert "rejects this service's login" in result.stderr
        assert "password authentication failed" in result.stderr
        assert "rotated" not in result.stderr


def test_a_key_is_made_listed_and_revoked(pao: Pao, variables: dict[str, str]) -> None:
    arguments = ("--user", "eva", "--team", "orders", "--team", "billing")
    made = json.loads(pao("keys", "create", *arguments, "-o", "json", **variables).stdout)
    key = made["accessKeyId"]

    listed = pao("keys", "list", "--user", "eva", "-o", "json", **variables).stdout
    [row] = json.loads(listed)["data"]
    assert (row["accessKeyId"], row["teams"]) == (key, ["orders", "billing"])
    assert made["secretAccessKey"] not in listed

    assert pao("keys", "revoke", key, **variables).exit_code == 0
    assert "revoked" in pao("keys", "list", **variables).stdout
    assert "already" in pao("keys", "revoke", key, **variables).stdout


def test_a_key_that_is_not_there_exits_with_4(pao: Pao, variables: dict[str, str]) -> None:
    assert pao("keys", "revoke", "PAONONE", **variables).exit_code == 4


def test_a_new_key_is_written_as_lines_to_source(pao: Pao, variables: dict[str, str]) -> None:
    result = pao("keys", "create", "--user", "eva", **variables)

    first, second = result.stdout.splitlines()
    assert first.startswith("export PAO_ACCESS_KEY_ID=PAO")
    assert second.startswith("export PAO_SECRET_ACCESS_KEY=")


def test_a_first_key_is_made_once_however_often_it_is_asked_for(
    pao: Pao, variables: dict[str, str]
) -> None:
    first = pao("keys", "create", "--user", "ada", "--if-none", **variables)
    second = pao("keys", "create", "--user", "ada", "--if-none", **variables)

    assert first.stdout.startswith("export PAO_ACCESS_KEY_ID=PAO")
    assert (second.exit_code, second.stdout) == (0, "")
    assert "There is already an access key" in second.stderr
    assert pao("keys", "list", **variables).stdout.count(" ada ") == 1
