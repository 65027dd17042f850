"""A revision without most items is held back until somebody confirms it."""

from db.session import Database
from pao.app.catalog_sync import SyncInput, SyncReport
from tests.pao.app.test_catalog_sources import MANY, POLLED, status, sync_of
from tests.support.catalog_source import Repository


async def test_a_listing_without_most_items_is_held_back_until_somebody_confirms_it(
    opened: Database, source: Repository
) -> None:
    source.put(*MANY)
    sync = sync_of(opened, source)
    await sync.run()
    before = await status(opened)
    source.remove(*MANY[:14])
    source.put("tool-new-a")

    for asked in (POLLED, SyncInput(confirm=before.revision), SyncInput(confirm="c0ffee1")):
        report = await sync.run(asked)
        assert report.held is not None
        assert (report.held.removes, report.held.served) == (14, 27)
        assert report.added == ()
    now = await status(opened)
    assert (now.revision, now.generation) == (before.revision, before.generation)
    assert (now.held or {})["revision"] == source.revision
    assert len((now.held or {})["items"]) == 14
    assert now.synced_at == before.synced_at

    report = await sync.run(SyncInput(confirm=source.revision[:7].upper()))
    assert (len(report.removed), report.added, report.held) == (14, ("tool-new-a",), None)
    assert (await status(opened)).held is None


async def test_a_held_revision_is_forgotten_when_the_source_shows_another_one(
    opened: Database, source: Repository
) -> None:
    source.put(*MANY)
    sync = sync_of(opened, source)
    await sync.run()
    source.remove(*MANY)
    assert (await sync.run()).held
    source.put(*MANY)
    assert await sync.run() == SyncReport(revision=source.revision)
    assert (await status(opened)).held is None


async def test_half_of_the_items_and_most_of_a_few_are_removed_without_asking(
    opened: Database, source: Repository
) -> None:
    source.put(*MANY[:17])
    sync = sync_of(opened, source)
    await sync.run()
    source.remove("tool-a-a", "tool-b-b", *MANY[:17])
    assert len((await sync.run()).removed) == 19
    source.put(*MANY[:23])
    await sync.run()
    source.remove(*MANY[:12])
    assert len((await sync.run()).removed) == 12
