"""Bringing the catalog in Postgres up to date with a folder."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from catalog.sources.local import LocalFolder
from catalog.sources.source import SourceUnavailableError
from catalog.validation import ActionSchema
from db.leases import lease
from db.repositories.catalog import LEASE, CatalogRepository
from db.repositories.catalog_state import CHANNEL, CatalogStateRepository, StoredCatalogStatus
from db.session import Database
from pao.app.catalog_sync import CatalogSync, SyncReport
from pao.core.errors import PaoError
from tests.support.catalog_source import ITEM
from tests.support.postgres import Database as Given

KNOWN = {"jira-ticket": ActionSchema(config={"type": "object"})}


def put(root: Path, name: str, *, version: str = "1.0.0", path: str | None = None) -> None:
    file = root / (path or f"tools/{name}.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ITEM.format(id=name, version=version), encoding="utf-8")


def spoil(root: Path, name: str) -> None:
    (root / f"tools/{name}.yaml").write_text("kind: [\n", encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("tool-a-a", "tool-b-b", "tool-c-c"):
        put(tmp_path, name)
    return tmp_path


def sync_of(opened: Database, root: Path) -> CatalogSync:
    return CatalogSync(opened, LocalFolder(root), KNOWN)


async def status(opened: Database) -> StoredCatalogStatus:
    async with opened.reading() as session:
        return await CatalogStateRepository(session).status()


async def served(opened: Database) -> dict[str, tuple[str, bool]]:
    async with opened.reading() as session:
        repository = CatalogRepository(session)
        items = [await repository.get(key) for key in await repository.served_files()]
        return {item.id: (item.version, item.stale) for item in items if item}


async def test_a_folder_is_stored_with_paths_and_git_shas(opened: Database, root: Path) -> None:
    report = await sync_of(opened, root).run()
    assert report.added == ("tool-a-a", "tool-b-b", "tool-c-c")
    async with opened.reading() as session:
        item = await CatalogRepository(session).get("tool-a-a")
    assert item is not None
    assert item.file_path == "tools/tool-a-a.yaml"
    assert len(item.sha or "") == 40
    assert item.definition["metadata"]["name"] == "Item"
    assert (await status(opened)).source == "local folder"


async def test_the_log_says_once_what_a_sync_has_changed(
    opened: Database, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(root, "tool-c-c")
    caplog.set_level("INFO", logger="pao.app.catalog_sync")
    sync = sync_of(opened, root)

    await sync.run()
    await sync.run()

    told = [
        one.getMessage() for one in caplog.records if one.name.startswith("pao.app.catalog_sync")
    ]
    assert told == [
        "catalog brought up to date: 2 added, 0 changed, 0 removed, 3 files checked, 1 refused"
    ]


async def test_one_changed_file_costs_one_file(opened: Database, root: Path) -> None:
    source = LocalFolder(root)
    sync = CatalogSync(opened, source, KNOWN)
    assert (await sync.run()).judged == 3
    put(root, "tool-b-b", version="1.0.1")
    before = source.reads
    report = await sync.run()
    assert (report.changed, report.judged) == (("tool-b-b",), 1)
    assert source.reads - before == 2  # once for its content's id, once to judge it
    assert (await sync.run()).judged == 0
    assert source.reads - before == 2


async def test_a_restart_and_another_process_judge_nothing_again(
    opened: Database, root: Path
) -> None:
    await sync_of(opened, root).run()
    report = await sync_of(opened, root).run()
    assert replace(report, revision=None) == SyncReport()


async def test_other_rules_judge_everything_again(opened: Database, root: Path) -> None:
    await sync_of(opened, root).run()
    other = {"jira-ticket": ActionSchema(config={"type": "object", "required": ["ticket"]})}
    report = await CatalogSync(opened, LocalFolder(root), other).run()
    assert (report.judged, len(report.refused)) == (3, 3)
    assert set((await served(opened)).values()) == {("1.0.0", True)}


async def test_the_last_good_version_of_a_bad_file_stays_stale_until_it_is_mended(
    opened: Database, root: Path
) -> None:
    sync = sync_of(opened, root)
    await sync.run()
    spoil(root, "tool-b-b")
    assert (await sync.run()).refused == ("tools/tool-b-b.yaml",)
    assert (await served(opened))["tool-b-b"] == ("1.0.0", True)
    [finding] = (await status(opened)).refused
    assert (finding["file"], finding["line"], finding["rule"]) == ("tools/tool-b-b.yaml", 2, "yaml")
    put(root, "tool-b-b")
    assert (await sync.run()).refused == ()
    assert (await served(opened))["tool-b-b"] == ("1.0.0", False)


async def test_a_file_that_is_gone_takes_its_item_with_it_and_a_moved_one_does_not(
    opened: Database, root: Path
) -> None:
    sync = sync_of(opened, root)
    await sync.run()
    (root / "tools/tool-a-a.yaml").unlink()
    (root / "other").mkdir()
    (root / "tools/tool-b-b.yaml").rename(root / "other/tool-b-b.yaml")
    report = await sync.run()
    assert (report.removed, report.changed, report.added) == (("tool-a-a",), (), ())
    assert set(await served(opened)) == {"tool-b-b", "tool-c-c"}


async def test_an_id_that_comes_twice_is_served_from_the_file_that_is_named_after_it(
    opened: Database, root: Path
) -> None:
    sync = sync_of(opened, root)
    await sync.run()
    put(root, "tool-a-a", version="2.0.0", path="copies/tool-a-a.yaml")
    assert (await sync.run()).refused == ("copies/tool-a-a.yaml",)
    (root / "tools/tool-a-a.yaml").unlink()
    report = await sync.run()
    assert (report.changed, report.refused) == (("tool-a-a",), ())
    assert (await served(opened))["tool-a-a"] == ("2.0.0", False)


async def test_a_source_that_is_away_changes_nothing_and_says_so(
    opened: Database, root: Path
) -> None:
    sync = sync_of(opened, root)
    await sync.run()
    before = await status(opened)
    shutil.move(root, root.with_name("away"))
    with pytest.raises(SourceUnavailableError):
        await sync.run()
    after = await status(opened)
    assert len(await served(opened)) == 3
    assert after.synced_at == before.synced_at
    assert after.error == "the folder of the catalog cannot be read"
    shutil.move(root.with_name("away"), root)
    await sync.run()
    assert (await status(opened)).error is None


async def test_concurrent_syncs_work_one_after_the_other(opened: Database, root: Path) -> None:
    reports = await asyncio.gather(*(sync_of(opened, root).run() for _ in range(5)))
    assert sorted(report.judged for report in reports) == [0, 0, 0, 0, 3]
    assert sorted(len(report.added) for report in reports) == [0, 0, 0, 0, 3]


async def test_whoever_cannot_have_the_lease_is_told_to_come_again(
    opened: Database, root: Path
) -> None:
    async with lease(opened, LEASE, seconds=1):
        with pytest.raises(PaoError, match="Another process"):
            async with lease(opened, LEASE, seconds=0):
                pass
    assert (await sync_of(opened, root).run()).judged == 3


async def test_a_change_is_told_to_whoever_listens(
    opened: Database, root: Path, database: Given
) -> None:
    listener = await asyncpg.connect(database.service_url)
    heard: asyncio.Queue[object] = asyncio.Queue()
    await listener.add_listener(CHANNEL, lambda *told: heard.put_nowait(told[-1]))
    await sync_of(opened, root).run()
    assert await asyncio.wait_for(heard.get(), 10) == "1"
    await listener.close()


BUNDLE = """\
schemaVersion: catalog/v1
kind: CatalogBundle
metadata:
  id: bundle-two-tools
  name: Two tools
  description: A description that is long enough to pass the rule about descriptions.
  version: 1.0.0
  category: bundles
  owner: {team: team-a}
components:
  - {id: first, catalogItem: tool-a-a}
  - {id: second, catalogItem: tool-z-z, dependsOn: [first]}
fulfillment: {manual: {actions: [{type: jira-ticket}]}}
"""


def put_bundle(root: Path) -> None:
    (root / "bundles").mkdir()
    (root / "bundles/bundle-two-tools.yaml").write_text(BUNDLE, encoding="utf-8")


async def test_a_bundle_is_refused_until_its_items_are_there(opened: Database, root: Path) -> None:
    put_bundle(root)
    sync = sync_of(opened, root)
    assert (await sync.run()).refused == ("bundles/bundle-two-tools.yaml",)
    [finding] = (await status(opened)).refused
    assert (finding["rule"], finding["line"]) == ("component-item", 12)
    assert (await sync.run()).refused == ("bundles/bundle-two-tools.yaml",)
    put(root, "tool-z-z")
    report = await sync.run()
    assert (report.added, report.refused) == (("bundle-two-tools", "tool-z-z"), ())


async def test_a_bundle_outlives_an_item_whose_file_went_bad_but_not_one_that_is_gone(
    opened: Database, root: Path
) -> None:
    put_bundle(root)
    put(root, "tool-z-z")
    sync = sync_of(opened, root)
    await sync.run()
    spoil(root, "tool-z-z")
    assert (await sync.run()).refused == ("tools/tool-z-z.yaml",)
    assert (await served(opened))["bundle-two-tools"] == ("1.0.0", False)
    put(root, "tool-b-b", version="1.0.1")
    assert (await sync.run()).refused == ("tools/tool-z-z.yaml",)
    (root / "tools/tool-z-z.yaml").unlink()
    assert (await sync.run()).refused == ("bundles/bundle-two-tools.yaml",)
    assert (await served(opened))["bundle-two-tools"] == ("1.0.0", True)


async def test_files_that_name_nothing_are_not_read_for_one_that_changed(
    opened: Database, root: Path
) -> None:
    put_bundle(root)
    put(root, "tool-z-z")
    source = LocalFolder(root)
    sync = CatalogSync(opened, source, KNOWN)
    await sync.run()
    put(root, "tool-b-b", version="1.0.1")
    before = source.reads
    assert (await sync.run()).judged == 1
    assert source.reads - before == 2


async def test_an_item_that_an_earlier_version_stored_and_this_one_refuses_stops_nothing(
    database: Given, opened: Database, root: Path
) -> None:
    put_bundle(root)
    put(root, "tool-z-z")
    await sync_of(opened, root).run()
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute(
        "UPDATE catalog_items SET definition = definition || '{\"outdated\": 1}'"
        " WHERE id = 'tool-a-a'"
    )
    await connection.close()
    put(root, "tool-b-b", version="1.0.1")

    report = await sync_of(opened, root).run()

    assert (report.changed, report.refused) == (("tool-b-b",), ())
