"""The catalog over HTTP: browsing, one item, its form, and reloading it from its files."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import ADA, DANA, PRIYA, STRANGER
from tests.support.postgres import Database, cloned_database
from tests.support.stack import SAMPLE_COUNT, SAMPLES, Stack, running_stack
from tests.support.submissions import dns_body, error_of


def ids(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["data"]]


def test_the_whole_catalog_is_listed_by_id_with_counts(dana: httpx.Client) -> None:
    page = dana.get("/catalog").json()
    assert len(page["data"]) == SAMPLE_COUNT
    assert ids(page) == sorted(ids(page))
    assert page["facets"]["category"]["network"] == len(list((SAMPLES / "network").glob("*.yaml")))
    assert page["facets"]["category"]["databases"] == 2
    assert sum(page["facets"]["category"].values()) == SAMPLE_COUNT
    assert page["pagination"] == {"hasMore": False, "nextCursor": None, "totalCount": SAMPLE_COUNT}


def test_an_item_is_listed_in_the_promised_shape(dana: httpx.Client) -> None:
    page = dana.get("/catalog", params={"q": "dns"}).json()
    [row] = [row for row in page["data"] if row["id"] == "network-dns-record"]
    assert row.pop("description")
    assert row == {
        "id": "network-dns-record",
        "kind": "CatalogItem",
        "name": "DNS Record",
        "version": "1.1.0",
        "category": "network",
        "owner": "team-network",
        "tags": ["dns", "network"],
        "requestable": True,
        "deprecated": False,
        "stale": False,
    }


def test_pages_of_the_catalog_show_every_item_once(dana: httpx.Client) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = dana.get("/catalog", params={"limit": "2", **cursor}).json()
        seen += ids(page)
        if not page["pagination"]["hasMore"]:
            break
        cursor = {"cursor": page["pagination"]["nextCursor"]}
    assert seen == ids(dana.get("/catalog").json())


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"category": "databases"}, lambda one: one["category"] == "databases"),
        (
            {"owner": "team-security", "category": "secrets"},
            lambda one: one["owner"]["team"] == "team-security" and one["category"] == "secrets",
        ),
        ({"tag": "vpn"}, lambda one: "vpn" in one["tags"]),
        (
            {"q": "POSTGRESQL relational"},
            lambda one: one["id"] == "database-postgresql-standard",
        ),
        (
            {"category": "network", "tag": "dns"},
            lambda one: one["category"] == "network" and "dns" in one["tags"],
        ),
        ({"kind": "CatalogBundle"}, lambda one: one["kind"] == "CatalogBundle"),
        ({"category": "nothing"}, lambda _: False),
    ],
)
def test_filters_narrow_the_catalog(
    dana: httpx.Client, wanted: dict[str, str], fits: Callable[[dict[str, Any]], bool]
) -> None:
    documents = [yaml.safe_load(file.read_text()) for file in SAMPLES.glob("*/*.yaml")]
    entries = [{**one["metadata"], "kind": one["kind"]} for one in documents if "rows" not in one]
    expected = {one["id"] for one in entries if fits(one)}
    assert set(ids(dana.get("/catalog", params={"limit": "100", **wanted}).json())) == expected


def test_only_what_the_caller_may_request_is_marked_so(dana: httpx.Client) -> None:
    marked = {row["id"]: row["requestable"] for row in dana.get("/catalog").json()["data"]}
    assert marked.pop("access-github-repository") is False
    assert set(marked.values()) == {True}


def test_an_item_is_given_whole(dana: httpx.Client) -> None:
    item = dana.get("/catalog/items/database-redis-cache").json()
    assert item["deprecated"] is True
    assert item["deprecation"]["replacement"] == "database-postgresql-standard"
    assert item["filePath"] == "databases/database-redis-cache.yaml"
    assert len(item["gitSha"]) == 40
    assert item["definition"]["metadata"]["id"] == "database-redis-cache"


@pytest.mark.parametrize("path", ["", "/schema"])
@pytest.mark.parametrize("name", ["no-such-item", "..%2F..%2Fetc", "%00", "a%20b", "%F0%9F%8D%95"])
def test_an_item_that_is_not_there_is_not_found(dana: httpx.Client, name: str, path: str) -> None:
    answer = dana.get(f"/catalog/items/{name}{path}")
    assert answer.status_code == 404, answer.text
    assert error_of(answer)["code"] in {"CATALOG_ITEM_NOT_FOUND", "NOT_FOUND"}


def test_every_item_has_a_form_and_a_schema_that_agree(dana: httpx.Client) -> None:
    for name in ids(dana.get("/catalog").json()):
        document = dana.get(f"/catalog/items/{name}/schema").json()
        Draft202012Validator.check_schema(document["jsonSchema"])
        drawn = {field["id"] for group in document["form"]["groups"] for field in group["fields"]}
        assert set(document["jsonSchema"]["properties"]) == drawn


def test_a_dry_run_shows_the_ticket_and_stores_nothing(stack: Stack, dana: httpx.Client) -> None:
    before = stack.rows("select count(*) from requests"), len(stack.jira.tickets())
    answer = dana.post("/validate/request", json=dns_body("orders.example.com"))
    assert answer.status_code == 200, answer.text
    [action] = answer.json()["actions"]
    assert answer.json()["valid"] is True
    assert action["type"] == "jira-ticket"
    assert action["complete"] is True
    assert action["config"]["ticket"]["summaryTemplate"] == "DNS A orders.example.com"
    assert (stack.rows("select count(*) from requests"), len(stack.jira.tickets())) == before


def test_a_dry_run_refuses_what_submission_refuses(dana: httpx.Client) -> None:
    bodies = [
        {"catalogItemId": "no-such-item"},
        {"catalogItemId": "network-dns-record", "fields": {"ttl": "x", "colour": 1}},
    ]
    for body in bodies:
        tried, submitted = (
            dana.post(path, json=body) for path in ("/validate/request", "/requests")
        )
        assert tried.status_code == submitted.status_code
        assert error_of(tried)["details"] == error_of(submitted)["details"]


@pytest.fixture(scope="module")
def own(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Stack, Path]]:
    """A PAO whose catalog may be changed."""
    folder = tmp_path_factory.mktemp("catalog-stack")
    catalog = folder / "files"
    shutil.copytree(SAMPLES, catalog)
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, catalog=catalog) as stack,
    ):
        yield stack, catalog


@pytest.fixture
def changeable(own: tuple[Stack, Path]) -> Iterator[tuple[Stack, Path]]:
    yield own
    stack, catalog = own
    shutil.rmtree(catalog)
    shutil.copytree(SAMPLES, catalog)
    stack.caller(ADA).post("/catalog/refresh").raise_for_status()


def refresh(stack: Stack) -> dict[str, Any]:
    answer = stack.caller(ADA).post("/catalog/refresh")
    assert answer.status_code == 200, answer.text
    changes: dict[str, Any] = answer.json()
    assert changes.pop("revision")
    return changes


def test_owners_and_admins_reload_the_catalog_and_others_do_not(
    changeable: tuple[Stack, Path],
) -> None:
    stack, _ = changeable
    codes = {
        person.name: stack.caller(person).post("/catalog/refresh").status_code
        for person in (DANA, STRANGER, PRIYA, ADA)
    }
    assert codes == {"dana": 403, "steve": 403, "priya": 200, "ada": 200}


def test_a_reload_says_what_was_added_changed_and_removed(changeable: tuple[Stack, Path]) -> None:
    stack, catalog = changeable
    text = (catalog / "network" / "network-dns-record.yaml").read_text()
    new = text.replace("id: network-dns-record", "id: network-dns-zone", 1)
    (catalog / "network" / "network-dns-zone.yaml").write_text(new)
    (catalog / "network" / "network-dns-record.yaml").write_text(
        text.replace("version: 1.1.0", "version: 1.1.1")
    )
    (catalog / "storage" / "storage-s3-bucket.yaml").unlink()
    assert refresh(stack) == {
        "added": ["network-dns-zone"],
        "changed": ["network-dns-record"],
        "removed": ["storage-s3-bucket"],
        "refused": [],
    }
    assert stack.caller().get("/catalog/items/storage-s3-bucket").status_code == 404
    assert stack.caller().get("/catalog/items/network-dns-record").json()["version"] == "1.1.1"
    assert refresh(stack) == {"added": [], "changed": [], "removed": [], "refused": []}


def test_a_file_that_went_bad_leaves_its_last_good_item_in_service(
    changeable: tuple[Stack, Path],
) -> None:
    stack, catalog = changeable
    dana = stack.caller()
    bad = catalog / "network" / "network-dns-record.yaml"
    bad.write_text(bad.read_text().replace("type: jira-ticket", "type: carrier-pigeon"))
    (catalog / "network" / "broken.yaml").write_text("kind: [\n")

    assert refresh(stack)["refused"] == ["network/broken.yaml", "network/network-dns-record.yaml"]
    assert dana.get("/catalog/items/network-dns-record").json()["stale"] is True
    found = dana.get("/catalog/validation-errors").json()["data"]
    assert {finding["file"] for finding in found} == {
        "network/broken.yaml",
        "network/network-dns-record.yaml",
    }
    assert all(finding["line"] > 0 and finding["column"] > 0 for finding in found)
    assert any("carrier-pigeon" in finding["message"] for finding in found)
    assert dana.post("/validate/request", json=dns_body()).status_code == 200
    health = stack.anybody().get("/health").json()["components"]["catalog"]
    assert (health["status"], health["stale"], health["refused"]) == ("degraded", 1, 2)

    shutil.copy(SAMPLES / "network" / "network-dns-record.yaml", bad)
    (catalog / "network" / "broken.yaml").unlink()
    assert refresh(stack)["refused"] == []
    assert dana.get("/catalog/items/network-dns-record").json()["stale"] is False
    assert dana.get("/catalog/validation-errors").json()["data"] == []


def test_a_source_that_is_gone_leaves_the_last_good_catalog_in_service(
    changeable: tuple[Stack, Path],
) -> None:
    stack, catalog = changeable
    away = catalog.rename(catalog.with_name("away"))
    try:
        answer = stack.caller(ADA).post("/catalog/refresh")
        assert answer.status_code == 502
        assert error_of(answer)["code"] == "EXTERNAL_SERVICE_ERROR"
        assert str(catalog) not in answer.text
        assert len(stack.caller().get("/catalog").json()["data"]) == SAMPLE_COUNT
        health = stack.anybody().get("/health").json()
        assert health["components"]["catalog"]["status"] == "degraded"
    finally:
        away.rename(catalog)


def test_a_reload_is_kept_in_the_audit_trail(changeable: tuple[Stack, Path]) -> None:
    stack, _ = changeable
    answer = stack.caller(PRIYA).post("/catalog/refresh")
    [line] = stack.rows(
        "select actor, event_type from audit_logs where correlation_id = $1",
        answer.headers["X-Correlation-ID"],
    )
    assert line == {"actor": "priya", "event_type": "catalog.refreshed"}


def test_without_a_worker_a_submission_is_accepted_and_waits(
    database: Database, temporal_address: str, tmp_path: Path
) -> None:
    with running_stack(database, temporal_address, tmp_path, with_worker=False) as stack:
        answer = stack.caller().post("/requests", json=dns_body())
        assert answer.status_code == 202
        assert answer.json()["status"] == "submitted"
        assert answer.headers["Location"].endswith(answer.json()["id"])
        ready = stack.anybody().get("/health/ready")
        assert ready.status_code == 503
        problems = ["no worker is polling the task queue"]
        assert ready.json() == {"ready": False, "problems": problems}
        health = stack.anybody().get("/health").json()
        assert health["status"] == "degraded"
        assert health["components"]["worker"]["pollers"] == 0
