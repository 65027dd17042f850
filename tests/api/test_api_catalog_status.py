"""Which revision is served over HTTP, what is held back, and a refresh that takes its time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.callers import ADA, DANA, PRIYA
from tests.support.postgres import Database
from tests.support.stack import SAMPLES, Stack, running_stack
from tests.support.submissions import error_of

ITEM = SAMPLES / "network" / "network-dns-record.yaml"
COUNT = 24


@pytest.fixture
def own(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    """A PAO with a catalog of 24 items."""
    catalog = tmp_path / "files"
    (catalog / "network").mkdir(parents=True)
    text = ITEM.read_text(encoding="utf-8")
    for at in range(COUNT):
        name = f"network-dns-r{at:02}"
        changed = text.replace("id: network-dns-record", f"id: {name}", 1)
        (catalog / "network" / f"{name}.yaml").write_text(changed, encoding="utf-8")
    with running_stack(database, temporal_address, tmp_path, catalog=catalog) as stack:
        yield stack


def status(client: httpx.Client) -> dict[str, Any]:
    answer = client.get("/catalog/status")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_what_is_held_back_is_told_everywhere_and_served_once_confirmed(own: Stack) -> None:
    ada, priya = own.caller(ADA), own.caller(PRIYA)
    before = status(ada)
    assert (before["source"], before["items"], before["refused"]) == ("local folder", COUNT, 0)
    assert (before["problem"], before["held"], before["commit"]) == (None, None, None)
    files = sorted((own.catalog / "network").glob("*.yaml"))
    for file in files[:20]:
        file.unlink()

    told = priya.post("/catalog/refresh").json()
    assert (told["removed"], told["held"]["removes"], told["held"]["served"]) == ([], 20, COUNT)
    now = status(own.caller(DANA))
    assert now["held"]["revision"] == told["held"]["revision"] == told["revision"]
    assert (now["revision"], now["items"]) == (before["revision"], COUNT)
    health = own.anybody().get("/health").json()["components"]["catalog"]
    assert (health["status"], "remove 20 of 24" in health["held"]) == ("degraded", True)
    metrics = own.anybody().get("/metrics").text
    assert "pao_catalog_held_removals 20.0" in metrics

    confirm = {"confirm": told["revision"]}
    assert own.caller(DANA).post("/catalog/refresh", json=confirm).status_code == 403
    assert error_of(ada.post("/catalog/refresh", json={"confirm": "abc"}))["code"]
    assert ada.post("/catalog/refresh", json={"confirm": "c0ffee1"}).json()["held"]
    answer = priya.post("/catalog/refresh", json=confirm).json()
    assert (len(answer["removed"]), "held" in answer) == (20, False)
    assert (status(ada)["held"], status(ada)["items"]) == (None, 4)
    [line] = own.rows(
        "select event_data->>'confirmed' as it from audit_logs"
        " where event_type = 'catalog.refreshed' order by id desc limit 1"
    )
    assert line["it"] == told["revision"]


def test_a_source_that_is_away_is_told_with_its_cause(own: Stack) -> None:
    ada = own.caller(ADA)
    own.catalog.rename(own.catalog.with_name("away"))
    answer = ada.post("/catalog/refresh")
    assert answer.status_code == 502
    [line] = own.rows(
        "select actor, event_type, event_data->'error' as why from audit_logs"
        " where correlation_id = $1",
        answer.headers["X-Correlation-ID"],
    )
    assert (line["actor"], line["event_type"]) == ("ada", "catalog.refresh-failed")
    assert "the folder of the catalog cannot be read" in str(line["why"])
    problem = status(ada)["problem"]
    assert problem.pop("since")
    assert problem == {
        "cause": "unavailable",
        "message": "the folder of the catalog cannot be read",
    }
    # Whole lines: 0.09 seconds begin like none.
    lines = own.anybody().get("/metrics").text.splitlines()
    assert "pao_catalog_unread_seconds 0.0" not in lines


def test_authors_who_cannot_be_told_are_shown_with_the_reason(own: Stack) -> None:
    told = {"cause": None, "message": None, "since": "2026-01-01T00:00:00+00:00"}
    about = told | {"cause": "refused", "message": "the App has no right", "proposal": 12}
    untold = {
        "a" * 40: told | {"at": "2026-01-03T00:00:00+00:00"},
        "b" * 40: about | {"at": "2026-01-02T00:00:00+00:00"},
        "c" * 40: about | {"proposal": None, "at": "2026-01-01T00:00:00+00:00"},
    }
    own.rows("UPDATE catalog_state SET untold = $1", untold)
    own.run(own.services.catalog.catch_up())
    now = status(own.caller(DANA))
    assert now["unreported"] == {
        "commits": 2,
        "cause": "refused",
        "message": "the App has no right",
        "commit": "b" * 40,
        "proposal": 12,
        "since": "2026-01-01T00:00:00.000Z",
    }
    assert now["limits"] == []
    health = own.anybody().get("/health").json()["components"]["catalog"]
    assert (health["status"], health["unreported"]) == ("degraded", 2)
    metrics = own.anybody().get("/metrics").text.splitlines()
    assert "pao_catalog_unreported_commits 2.0" in metrics
    own.rows("UPDATE catalog_state SET untold = '{}'")
    own.run(own.services.catalog.catch_up())
    assert status(own.caller(DANA))["unreported"] is None


def test_a_refresh_that_takes_longer_is_answered_and_goes_on(own: Stack) -> None:
    own.stop_worker()
    own.services.catalog.refresh_timeout = 0.5
    (own.catalog / "network" / "network-dns-r00.yaml").unlink()
    answer = own.caller(ADA).post("/catalog/refresh")
    assert answer.status_code == 202
    assert answer.json() == {
        "added": [],
        "changed": [],
        "removed": [],
        "refused": [],
        "pending": True,
    }
    own.start_worker()
    own.services.catalog.refresh_timeout = 60.0
    assert own.caller(ADA).post("/catalog/refresh").status_code == 200
    assert status(own.caller(ADA))["items"] == COUNT - 1
