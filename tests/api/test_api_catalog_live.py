"""The catalog in service: watched files, two processes that agree, a source that is away."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pao.app.local.ports import free_ports
from pao.app.local.postgres import PostgresAddress
from tests.support.callers import ADA, DANA, Signature
from tests.support.postgres import cloned_database
from tests.support.stack import SAMPLE_COUNT, SAMPLES, Stack, running_stack, wait_until

ITEM = "network-dns-record"
FILE = f"network/{ITEM}.yaml"


@pytest.fixture(scope="module")
def watched(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Stack, Path]]:
    """A PAO that watches its catalog."""
    folder = tmp_path_factory.mktemp("watched-stack")
    catalog = folder / "files"
    shutil.copytree(SAMPLES, catalog)
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database,
            temporal_address,
            folder,
            catalog=catalog,
            environ={"CATALOG_WATCH": "true", "CATALOG_POLL_INTERVAL": "1h"},
        ) as stack,
    ):
        yield stack, catalog


@pytest.fixture(scope="module")
def other(watched: tuple[Stack, Path]) -> Iterator[httpx.Client]:
    """A second API process on the same database."""
    stack, _ = watched
    [port] = free_ports(1)
    own = {"PAO_PORT": str(port), "CATALOG_WATCH": "false", "CATALOG_POLL_INTERVAL": "1h"}
    environ = {"PATH": os.environ["PATH"], **stack.environ, **own}
    command = [sys.executable, "-m", "pao", "api"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:  # noqa: S603 -- our own program
        base = f"http://127.0.0.1:{port}/api/v1"
        with httpx.Client(
            base_url=base, auth=Signature(*stack.key(DANA)), trust_env=False, timeout=60
        ) as client:
            wait_until(lambda: _answers(client) or process.poll() is not None)
            yield client
        process.terminate()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/version", auth=None).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def changeable(watched: tuple[Stack, Path]) -> Iterator[tuple[Stack, Path]]:
    yield watched
    stack, catalog = watched
    shutil.rmtree(catalog, ignore_errors=True)
    shutil.copytree(SAMPLES, catalog)
    stack.caller(ADA).post("/catalog/refresh").raise_for_status()


def item(client: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"/catalog/items/{ITEM}").json()
    return document


def until(client: httpx.Client, holds: Callable[[httpx.Client], bool]) -> None:
    wait_until(lambda: holds(client))


def catalog_health(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/health", auth=None).json()["components"]["catalog"]
    return found


def raise_version(catalog: Path, version: str) -> None:
    file = catalog / FILE
    file.write_text(file.read_text().replace("version: 1.1.0", f"version: {version}"))


def test_a_changed_file_is_served_by_every_process_without_being_asked(
    changeable: tuple[Stack, Path], other: httpx.Client
) -> None:
    stack, catalog = changeable
    assert [item(client)["version"] for client in (stack.caller(), other)] == ["1.1.0", "1.1.0"]
    raise_version(catalog, "1.1.7")
    for client in (stack.caller(), other):
        until(client, lambda one: item(one)["version"] == "1.1.7")
        assert client.get("/catalog", params={"q": ITEM}).json()["data"][0]["version"] == "1.1.7"
        assert client.get(f"/catalog/items/{ITEM}/schema").json()["version"] == "1.1.7"


def test_a_file_that_went_bad_is_stale_in_every_process(
    changeable: tuple[Stack, Path], other: httpx.Client
) -> None:
    stack, catalog = changeable
    (catalog / FILE).write_text("kind: [\n")
    for client in (stack.caller(), other):
        until(client, lambda one: item(one)["stale"] is True)
        refused = client.get("/catalog/validation-errors").json()["data"]
        assert [(one["file"], one["line"]) for one in refused] == [(FILE, 2)]
        health = client.get("/health", auth=None).json()["components"]["catalog"]
        assert (health["status"], health["stale"], health["refused"]) == ("degraded", 1, 1)


def test_new_and_removed_files_are_noticed(
    changeable: tuple[Stack, Path], other: httpx.Client
) -> None:
    stack, catalog = changeable
    text = (catalog / FILE).read_text().replace(f"id: {ITEM}", "id: network-dns-zone", 1)
    (catalog / "network/network-dns-zone.yaml").write_text(text)
    (catalog / FILE).unlink()
    for client in (stack.caller(), other):
        until(client, lambda one: one.get("/catalog/items/network-dns-zone").is_success)
        until(client, lambda one: one.get(f"/catalog/items/{ITEM}").status_code == 404)


def test_a_folder_that_is_gone_is_said_and_noticed_when_it_is_back(
    changeable: tuple[Stack, Path], other: httpx.Client
) -> None:
    stack, catalog = changeable
    away = catalog.rename(catalog.with_name("away"))
    for client in (stack.caller(), other):
        until(client, lambda one: catalog_health(one)["error"] is not None)
        assert len(client.get("/catalog").json()["data"]) == SAMPLE_COUNT
        assert catalog_health(client)["ageSeconds"] >= 0
    away.rename(catalog)
    raise_version(catalog, "1.1.8")
    for client in (stack.caller(), other):
        until(client, lambda one: catalog_health(one)["error"] is None)
        until(client, lambda one: item(one)["version"] == "1.1.8")


def test_a_process_that_starts_over_an_empty_folder_serves_the_last_good_catalog(
    watched: tuple[Stack, Path], tmp_path: Path
) -> None:
    stack, _ = watched
    empty = tmp_path / "files"
    empty.mkdir()
    late = Stack(
        stack.database,
        stack.settings.temporal.address,
        folder=tmp_path / "late",
        catalog=empty,
        environ={"PAO_ENCRYPTION_KEYS": stack.environ["PAO_ENCRYPTION_KEYS"]},
    )
    with late:
        page = late.caller().get("/catalog").json()
        assert len(page["data"]) == SAMPLE_COUNT
        assert late.caller().get(f"/catalog/items/{ITEM}").status_code == 200
        why = ("degraded", "the source holds no document at all any more")

        def is_told() -> bool:
            # The other worker may be the one that reads, its own folder: then there is no reason.
            late.caller(ADA).post("/catalog/refresh")
            found = catalog_health(late.anybody())
            return (found["status"], found["error"]) == why

        wait_until(is_told)
