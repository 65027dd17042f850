"""Access keys from `pao keys` to the calls that they sign, over two API processes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from pao.app.cli.main import app as pao_app
from pao.app.local.postgres import PostgresAddress
from pao.runtime.crypto import generate_key
from tests.support.callers import ADA, Signature
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import error_of, submit_failed

Keys = Callable[..., Result]


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    return {"PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}"}


@pytest.fixture(scope="module")
def two(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    environ: dict[str, str],
) -> Iterator[tuple[Stack, Stack]]:
    """Two APIs on one database; only the first has a worker."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folders[0], environ=environ) as first,
        running_stack(
            database, temporal_address, folders[1], environ=environ, with_worker=False
        ) as second,
    ):
        yield first, second


@pytest.fixture
def keys(two: tuple[Stack, Stack], environ: dict[str, str], tmp_path: Path) -> Keys:
    """`pao keys ...` on the database of the two APIs."""
    variables = environ | {
        "DATABASE_URL": two[0].database.service_url,
        "XDG_CONFIG_HOME": str(tmp_path),
        "COLUMNS": "160",
    }

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(pao_app, ("keys", *arguments), env=variables)

    return run


def create_key(keys: Keys, *options: str) -> dict[str, Any]:
    result = keys("create", "--user", "eva", "--team", "team-orders", *options, "-o", "json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def find_listed(keys: Keys, key: dict[str, Any]) -> dict[str, Any]:
    rows = json.loads(keys("list", "-o", "json").stdout)["data"]
    [row] = [row for row in rows if row["accessKeyId"] == key["accessKeyId"]]
    return dict(row)


def client(stack: Stack, key: dict[str, Any]) -> httpx.Client:
    signature = Signature(key["accessKeyId"], key["secretAccessKey"])
    return httpx.Client(base_url=f"{stack.url}/api/v1", auth=signature, trust_env=False)


def read(stack: Stack, key: dict[str, Any]) -> httpx.Response:
    with client(stack, key) as caller:
        return caller.get("/catalog")


def statuses(two: tuple[Stack, Stack], key: dict[str, Any]) -> list[int]:
    return [read(stack, key).status_code for stack in two]


def test_a_revocation_holds_in_every_process_from_the_next_call_on(
    two: tuple[Stack, Stack], keys: Keys
) -> None:
    key, other = create_key(keys), create_key(keys)
    assert statuses(two, key) == [200, 200]

    assert keys("revoke", key["accessKeyId"]).exit_code == 0

    assert statuses(two, key) == [401, 401]
    assert "was revoked" in error_of(read(two[1], key))["message"]
    assert statuses(two, other) == [200, 200]


def test_a_revocation_ends_streams_that_were_open(two: tuple[Stack, Stack], keys: Keys) -> None:
    first, second = two
    document = submit_failed(first, first.caller(ADA))
    key = create_key(keys, "--team", "pao-admins")
    path = f"/requests/{document['id']}"
    with client(second, key) as caller, caller.stream("GET", f"{path}/events") as stream:
        lines = stream.iter_lines()
        assert any("failed" in line for line in lines)

        keys("revoke", key["accessKeyId"])
        first.caller(ADA).post(f"{path}/abort", json={"reason": "after the revocation"})

        assert not [line for line in lines if "after the revocation" in line or "aborted" in line]


def test_all_keys_of_a_user_who_leaves_are_revoked_together(
    two: tuple[Stack, Stack], keys: Keys
) -> None:
    options = ("--user", "leaver", "-o", "json")
    mine = [json.loads(keys("create", *options).stdout) for _ in range(2)]

    revoked = json.loads(keys("revoke", *options).stdout)["data"]

    assert {row["accessKeyId"] for row in revoked} == {key["accessKeyId"] for key in mine}
    assert [statuses(two, key) for key in mine] == [[401, 401], [401, 401]]
    assert keys("revoke", "--user", "nobody").exit_code == 4


def test_one_unknown_key_among_several_leaves_the_others_valid(
    two: tuple[Stack, Stack], keys: Keys
) -> None:
    key = create_key(keys)

    result = keys("revoke", key["accessKeyId"], "PAONONE")

    assert result.exit_code == 4
    assert "nothing was revoked" in result.stderr
    assert statuses(two, key) == [200, 200]


def test_a_key_ends_by_itself_and_says_so(two: tuple[Stack, Stack], keys: Keys) -> None:
    key = create_key(keys, "--expires-in", "1s", "--note", "the nightly job")
    assert find_listed(keys, key)["expiresAt"] == key["expiresAt"]
    assert find_listed(keys, key)["note"] == "the nightly job"

    wait_until(lambda: statuses(two, key) == [401, 401])

    assert f"expired at {key['expiresAt']}" in error_of(read(two[0], key))["message"]
    assert find_listed(keys, key)["state"] == "expired"


def test_the_last_use_of_a_key_is_shown(two: tuple[Stack, Stack], keys: Keys) -> None:
    key = create_key(keys)
    assert find_listed(keys, key)["lastUsedAt"] is None

    read(two[1], key)

    assert find_listed(keys, key)["lastUsedAt"] > find_listed(keys, key)["createdAt"]
    wrong = key | {"secretAccessKey": "wrong"}
    idle = create_key(keys)
    read(two[0], wrong | {"accessKeyId": idle["accessKeyId"]})
    assert find_listed(keys, idle)["lastUsedAt"] is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "--user", "eva", "--expires-in", "soon"), "90d"),
        (("create", "--user", "eva", "--expires-in", "0d"), "90d"),
        (("create", "--user", "eva", "--note", "x" * 201), "200 characters"),
        (("create", "--user", "e v a"), "letters"),
        (("revoke",), "--user"),
        (("revoke", "PAO1", "--user", "eva"), "--user"),
    ],
)
def test_bad_arguments_are_told_what_to_write(
    keys: Keys, arguments: tuple[str, ...], told: str
) -> None:
    result = keys(*arguments)

    assert result.exit_code == 2
    assert told in result.stderr


def test_a_list_for_people_has_a_line_for_each_key(keys: Keys) -> None:
    key = create_key(keys, "--expires-in", "90d", "--note", "the nightly job")

    text = keys("list", "--user", "eva").stdout

    [line] = [line for line in text.splitlines() if key["accessKeyId"] in line]
    assert "valid" in line
    assert key["expiresAt"][:4] in line
    assert "never" in line
    assert "the nightly job" in line
