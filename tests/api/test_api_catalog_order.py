"""A worker whose folder is older than what another one serves; a change that nobody was told of."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.registry import action_schemas
from catalog.sources.local import LocalFolder
from pao.app import assembly
from pao.app.catalog_sync import CatalogSync
from pao.app.catalog_sync.order import OUTDATED
from tests.support.callers import ADA, PRIYA
from tests.support.postgres import Database
from tests.support.stack import SAMPLES, Stack, running_stack


@pytest.fixture
def older(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    """A PAO whose folder says that it was changed long ago."""
    folder = tmp_path / "older"
    shutil.copytree(SAMPLES, folder)
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    with running_stack(database, temporal_address, tmp_path, catalog=folder) as stack:
        yield stack


def serve_newer(stack: Stack, folder: Path) -> str:
    """Have another process serve a copy of the catalog without one item; gives its id."""
    shutil.copytree(stack.catalog, folder)
    gone = max(folder.glob("*/*.yaml"))
    gone.unlink()

    async def sync() -> tuple[str, ...]:
        database = assembly.database(stack.settings, application_name="another")
        try:
            return (
                await CatalogSync(database, LocalFolder(folder), action_schemas()).run()
            ).removed
        finally:
            await database.close()

    [item] = stack.run(sync())
    return item


def catalog_of(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.anybody().get("/health").json()["components"]["catalog"]
    return found


def test_an_older_folder_changes_nothing_and_is_told_of(older: Stack, tmp_path: Path) -> None:
    ada = older.caller(ADA)
    assert catalog_of(older)["outdated"] is None
    item = serve_newer(older, tmp_path / "newer")

    answer = ada.post("/catalog/refresh").json()
    assert answer.pop("revision")
    assert answer == {
        "added": [],
        "changed": [],
        "removed": [],
        "refused": [],
        "outdated": OUTDATED,
    }
    assert ada.get(f"/catalog/items/{item}").status_code == 404
    found = catalog_of(older)
    assert (found["status"], found["outdated"]) == ("degraded", OUTDATED)

    owner = older.caller(PRIYA)
    assert owner.post("/catalog/refresh", params={"force": "true"}).status_code == 403
    answer = ada.post("/catalog/refresh", params={"force": "true"}).json()
    assert answer["added"] == [item]
    assert "outdated" not in answer
    assert ada.get(f"/catalog/items/{item}").status_code == 200
    assert catalog_of(older)["outdated"] is None
    [forced] = older.rows(
        "select event_data->'forced' as it from audit_logs where event_type = 'catalog.refreshed'"
        " order by id desc limit 1"
    )
    assert forced["it"] is True
