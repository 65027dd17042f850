"""A Terraform state belongs to one request: registered before init, whoever comes first."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from activities.state_registry import StateRegistry
from activities.terraform.state_key import state_key
from db.models import TerraformState
from db.repositories.terraform_states import TerraformStatesRepository
from db.session import Database
from tests.support.postgres import Database as Given
from tests.support.requests import item, new_request
from tests.support.terraform import (
    HALF_WAY,
    PAIR,
    StateServer,
    TerraformBench,
    TerraformFailure,
    wrapped,
)

SHARED = {"workspace": "production", "shared": True}


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path, db: Database) -> TerraformBench:
    program = wrapped(tmp_path / "terraform", terraform_program)
    return replace(TerraformBench.made(tmp_path, program), states=StateRegistry(db))


def other(ground: TerraformBench, title: str = "orders") -> TerraformBench:
    """Return another request of the same item."""
    made = new_request(definition=item(), title=title)
    made.plan[0].type = "terraform"
    return replace(ground, request=made)


def at(states: StateServer, name: str = "{{fields.title}}") -> dict[str, Any]:
    """Return a backend whose address is made of a field."""
    found = states.backend["backend"]["config"]
    config = {key: f"{value}/{name}" for key, value in found.items() if key != "retry_max"}
    return {"backend": {"type": "http", "config": config}}


def calls(ground: TerraformBench) -> str:
    return (ground.folder / "terraform.log").read_text()


async def registered(db: Database, ground: TerraformBench) -> list[TerraformState]:
    async with db.reading() as session:
        return await TerraformStatesRepository(session).of_request(ground.request.id)


def assert_refused(failure: TerraformFailure, first: TerraformBench, *told: str) -> None:
    assert (failure.kind, failure.facts["cause"]) == ("ActionFailed", "input")
    assert f"is registered for request {first.request.id}" in failure.message
    for text in (*told, "nothing was changed"):
        assert text in failure.message


async def test_a_state_made_of_a_field_is_the_first_requests_and_no_others(
    ground: TerraformBench,
) -> None:
    with StateServer() as states:
        config = ground.module(PAIR) | {"variables": {"name": "x"}} | at(states)
        await ground.execute(config)
        before = calls(ground)
        failure = await other(ground).failure(config)
        assert calls(ground) == before, "refused before init"
        await other(ground, "payments").execute(config)
        again = await ground.execute(config, again=True)
    assert_refused(failure, ground, "It is made of fields.title: retry with other values")
    assert again.adopted, "a retry keeps the state of its request"


async def test_of_two_at_once_exactly_one_gets_the_state(ground: TerraformBench) -> None:
    both = [ground, other(ground), other(ground)]
    with StateServer() as states:
        config = ground.module(PAIR) | {"variables": {"name": "x"}} | at(states)
        ended = await asyncio.gather(*(one.execute(config) for one in both), return_exceptions=True)
        assert len(states.states) == 1
    refused = [str(one) for one in ended if isinstance(one, BaseException)]
    assert len(refused) == 2
    assert all("is registered for request" in text for text in refused)


async def test_a_named_workspace_is_one_requests_unless_all_say_that_they_share_it(
    ground: TerraformBench,
) -> None:
    config = ground.module(PAIR) | {"variables": {"name": "x"}, "workspace": "production"}
    await ground.execute(config)
    failure = await other(ground).failure(config)
    half = await other(ground).failure(config | SHARED)
    assert_refused(failure, ground, "its author says so by shared: true")
    assert_refused(half, ground)


async def test_a_shared_workspace_is_used_by_several_and_refused_to_who_does_not_share_it(
    ground: TerraformBench, db: Database
) -> None:
    config = ground.module(PAIR) | {"variables": {"name": "x"}} | SHARED
    await ground.execute(config)
    second = other(ground)
    await second.execute(config)
    failure = await other(ground).failure(config | {"shared": False})
    assert_refused(failure, ground)
    assert len(await registered(db, ground)) == 1
    assert await registered(db, second) == []


async def test_a_shared_state_is_written_out(ground: TerraformBench) -> None:
    with StateServer() as states:
        failure = await ground.failure(ground.module(PAIR) | at(states) | {"shared": True})
    own = await ground.failure(ground.module(PAIR) | {"shared": True})
    assert "share this state, but it is made of fields.title" in failure.message
    assert "name its workspace" in own.message


async def test_a_look_at_the_state_of_another_request_is_refused(ground: TerraformBench) -> None:
    with StateServer() as states:
        config = ground.module(PAIR) | {"variables": {"name": "x"}} | at(states)
        await ground.execute(config)
        found = await other(ground).look(config)
    assert found.answer == "unknown"
    assert "is registered for request" in (found.reason or "")


async def test_a_look_registers_nothing(ground: TerraformBench, db: Database) -> None:
    await ground.look(ground.module(PAIR) | {"variables": {"name": "x"}})
    assert await registered(db, ground) == []


async def test_it_is_known_how_many_resources_a_state_has(
    ground: TerraformBench, db: Database
) -> None:
    config = {"variables": {"name": "x"}, "workspace": "w"}
    counts = []
    failure = await ground.failure(ground.module(HALF_WAY) | {"workspace": "w"})
    counts += await registered(db, ground)
    await ground.execute(ground.module(PAIR) | config)
    counts += await registered(db, ground)
    await ground.execute(ground.module(PAIR) | config | {"execution": {"destroy": True}})
    counts += await registered(db, ground)
    assert failure.left
    assert [one.resources for one in counts] == [2, 2, 0]
    assert counts[0].place.startswith("workspace w of the backend local (path ")


async def test_a_state_that_was_released_is_free_for_others(
    ground: TerraformBench, db: Database
) -> None:
    with StateServer() as states:
        config = ground.module(PAIR) | {"variables": {"name": "x"}} | at(states)
        await ground.execute(config)
        [held] = await registered(db, ground)
        async with db.unit_of_work() as session:
            repository = TerraformStatesRepository(session)
            assert await repository.release(held.id or 0, by="ada", note="destroyed by hand")
            assert not await repository.release(held.id or 0, by="eve", note="again")
        await other(ground).execute(config)
        refused = await ground.failure(config)
    assert "is registered for request" in refused.message


async def test_without_a_registry_nothing_is_begun(ground: TerraformBench, database: Given) -> None:
    gone = Database(database.service_url.replace(database.name, "no_such_database"))
    failure = await replace(ground, states=StateRegistry(gone)).failure(ground.module(PAIR))
    await gone.close()
    assert (failure.facts["cause"], failure.facts["retryable"]) == ("ours", True)
    assert "is unavailable; nothing was changed" in failure.message
    assert not (ground.folder / "terraform.log").exists()


@pytest.mark.parametrize(
    ("kind", "one", "same"),
    [
        ("http", {"address": "https://s.example/a/b"}, {"address": "HTTPS://S.Example:443/a//b/"}),
        ("http", {"address": "http://localhost:8000/a"}, {"address": "http://127.0.0.1:8000/a/"}),
        ("http", {"address": "HTTP://LOCALHOST./a"}, {"address": "http://127.0.0.1:80/a"}),
        ("http", {"address": "http://[::1]/a"}, {"address": "http://127.1/a"}),
        ("http", {"address": "http://[::ffff:127.0.0.1]/a"}, {"address": "http://0.0.0.0/a"}),
        ("http", {"address": "http://[2001:DB8::0:1]/a"}, {"address": "http://[2001:db8::1]/a"}),
        ("http", {"address": "http://10.0.0.1/a"}, {"address": "http://0xa.1/a"}),
        (
            "consul",
            {"address": "localhost:8500", "path": "a"},
            {"address": "127.0.0.1:8500", "path": "a"},
        ),
        ("pg", {"conn_str": "postgres://LOCALHOST/d"}, {"conn_str": "postgres://127.0.0.1/d/"}),
        ("http", {"address": "https://s.example/a%62"}, {"address": "https://u:p@s.example./ab#x"}),
        (
            "http",
            {"address": "https://s.example/a?x=1&y="},
            {"address": "https://s.example/a?y=&x=1"},
        ),
        ("s3", {"bucket": "b", "key": "k"}, {"bucket": "b", "key": "/k", "region": "eu-west-1"}),
        (
            "s3",
            {"bucket": "b", "key": "k", "endpoint": "http://minio"},
            {"bucket": "b", "key": "k", "endpoints": {"s3": "http://minio:80/"}},
        ),
        ("gcs", {"bucket": "b", "prefix": "p/"}, {"bucket": "b", "prefix": "/p"}),
        ("local", {"workspace_dir": "/s/a/../w"}, {"workspace_dir": "/s/w/"}),
        (
            "pg",
            {"conn_str": "postgres://a:secret@db:5432/states", "schema_name": "s"},
            {"conn_str": "postgres://b@db:5432/states", "schema_name": "s"},
        ),
        (
            "pg",
            {"conn_str": "host=db password='a b' dbname=s"},
            {"conn_str": "host=db dbname=s user=x"},
        ),
    ],
)
def test_one_state_has_one_key_however_it_is_written(
    kind: str, one: dict[str, Any], same: dict[str, Any]
) -> None:
    assert state_key(kind, one, "w") == state_key(kind, same, "w")


@pytest.mark.parametrize(
    ("kind", "one", "another"),
    [
        ("http", {"address": "https://s/a"}, {"address": "https://s/A"}),
        ("http", {"address": "http://localhost/a"}, {"address": "http://localhost:8000/a"}),
        ("http", {"address": "http://10.0.0.1/a"}, {"address": "http://10.0.0.2/a"}),
        ("http", {"address": "https://s/?id=1"}, {"address": "https://s/?id=2"}),
        ("s3", {"bucket": "b", "key": "k"}, {"bucket": "c", "key": "k"}),
        ("s3", {"bucket": "b", "key": "k"}, {"bucket": "b", "key": "k", "endpoint": "http://m"}),
        (
            "azurerm",
            {"storage_account_name": "a", "key": "k"},
            {"storage_account_name": "b", "key": "k"},
        ),
        ("consul", {"path": "a"}, {"path": "b"}),
    ],
)
def test_different_states_have_different_keys(
    kind: str, one: dict[str, Any], another: dict[str, Any]
) -> None:
    assert state_key(kind, one, "w") != state_key(kind, another, "w")


@pytest.mark.parametrize(
    "address",
    ["https://s:99999/a", "https://s:x/a", "https://[::1/a", "postgres://a:5432,b:5432/states"],
)
def test_an_address_that_only_terraform_can_judge_has_a_key_as_well(address: str) -> None:
    assert state_key("http", {"address": address}, "w") != state_key("http", {}, "w")
    assert state_key("pg", {"conn_str": address}, "w") != state_key("pg", {}, "w")


def test_a_workspace_of_s3_is_the_object_that_it_is_kept_in() -> None:
    named = state_key("s3", {"bucket": "b", "key": "k"}, "production")
    assert state_key("s3", {"bucket": "b", "key": "env:/production/k"}, "default") == named
    assert state_key("s3", {"bucket": "b", "key": "k"}, "default") != named
