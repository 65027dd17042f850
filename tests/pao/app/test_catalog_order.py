"""Two processes that see two folders: the newer one is served, and nobody goes round in circles."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.sources.local import LocalFolder
from catalog.validation import ActionSchema
from db.repositories.catalog import CatalogRepository
from db.repositories.catalog_state import CatalogStateRepository, Lineage
from db.session import Database
from pao.app.catalog_sync import CatalogSync, SyncInput
from pao.app.catalog_sync.order import (
    OUTDATED,
    FolderRevision,
    may_replace,
    next_lineage,
    revision_of,
)

KNOWN = {"jira-ticket": ActionSchema(config={"type": "object"})}
ITEM = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: tool-a-a
  name: Item
  description: A description that is long enough to pass the rule about descriptions.
  version: {version}
  category: tools
  owner: {{team: team-a}}
fulfillment: {{manual: {{actions: [{{type: jira-ticket}}]}}}}
"""
OLD, NEW = 1_700_000_000, 1_700_100_000


def put(root: Path, version: str, *, changed: int | None = None) -> Path:
    """Write the item, and let every file of the folder say when it was changed."""
    file = root / "tools" / "tool-a-a.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ITEM.format(version=version), encoding="utf-8")
    if changed is not None:
        for path in (file, file.parent, root):
            os.utime(path, (changed, changed))
    return root


def process(opened: Database, root: Path) -> CatalogSync:
    return CatalogSync(opened, LocalFolder(root), KNOWN)


async def served(opened: Database) -> tuple[str, int]:
    async with opened.reading() as session:
        repository = CatalogRepository(session)
        item = await repository.get("tool-a-a")
        assert item is not None
        return item.version, (await CatalogStateRepository(session).status()).generation


async def outdated(opened: Database) -> str | None:
    async with opened.reading() as session:
        return (await CatalogStateRepository(session).status()).outdated


async def test_a_folder_that_is_not_newer_never_overwrites_and_says_so(
    opened: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = process(opened, put(tmp_path / "old", "1.0.0", changed=OLD))
    new = process(opened, put(tmp_path / "new", "2.0.0", changed=NEW))
    await old.run()
    await new.run()
    for _ in range(3):
        report = await old.run()
        assert (report.outdated, report.changed, report.judged) == (OUTDATED, (), 0)
        assert await outdated(opened) == OUTDATED
    assert (await new.run()).outdated is None
    assert await outdated(opened) is None
    assert await served(opened) == ("2.0.0", 2)
    assert [one.message for one in caplog.records].count(
        f"the catalog is not read: {OUTDATED}"
    ) == 1


async def test_an_older_folder_that_comes_second_changes_nothing(
    opened: Database, tmp_path: Path
) -> None:
    await process(opened, put(tmp_path / "new", "2.0.0", changed=NEW)).run()
    old = process(opened, put(tmp_path / "old", "1.0.0", changed=OLD))
    assert (await old.run()).outdated == OUTDATED
    assert await served(opened) == ("2.0.0", 1)
    # A process that is started again is no newer for it.
    again = process(opened, tmp_path / "old")
    assert (await again.run()).outdated == OUTDATED


async def test_folders_of_one_time_do_not_go_round_in_circles(
    opened: Database, tmp_path: Path
) -> None:
    """As images have them that are built reproducibly: the one that was never served is newer."""
    first = process(opened, put(tmp_path / "first", "1.0.0", changed=OLD))
    second = process(opened, put(tmp_path / "second", "2.0.0", changed=OLD))
    await first.run()
    for _ in range(3):
        await second.run()
        assert (await first.run()).outdated
    assert await served(opened) == ("2.0.0", 2)


async def test_a_change_that_is_taken_back_in_the_folder_is_taken(
    opened: Database, tmp_path: Path
) -> None:
    sync = process(opened, put(tmp_path, "1.0.0", changed=NEW))
    for version in ("1.0.0", "1.0.1", "1.0.0"):
        # The time of the files tells nothing here: the process has seen them change.
        put(tmp_path, version, changed=OLD)
        assert (await sync.run()).outdated is None
    assert (await served(opened))[0] == "1.0.0"


async def test_a_change_that_was_taken_back_while_nobody_looked_is_taken(
    opened: Database, tmp_path: Path
) -> None:
    for version in ("1.0.0", "1.0.1", "1.0.0"):
        put(tmp_path, version)
        assert (await process(opened, tmp_path).run()).outdated is None
    assert (await served(opened))[0] == "1.0.0"


async def test_an_older_folder_is_served_on_somebodys_word(
    opened: Database, tmp_path: Path
) -> None:
    new = process(opened, put(tmp_path / "new", "2.0.0", changed=NEW))
    old = process(opened, put(tmp_path / "old", "1.0.0", changed=OLD))
    await new.run()
    await old.run()
    assert (await old.run(SyncInput(force=True))).changed == ("tool-a-a",)
    assert (await new.run()).outdated == OUTDATED
    assert (await served(opened))[0] == "1.0.0"


START = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_time_of_a_lineage_never_goes_back() -> None:
    lineage = next_lineage(Lineage(), FolderRevision("a", START))
    lineage = next_lineage(lineage, FolderRevision("b", START - timedelta(days=1)))
    assert lineage == Lineage("b", START, ("a",))
    assert not may_replace(lineage, FolderRevision("a", START), changed_here=False)
    back = next_lineage(lineage, FolderRevision("a", START + timedelta(days=1)))
    assert back == Lineage("a", START + timedelta(days=1), ("b",))


def test_a_time_that_lies_ahead_says_nothing() -> None:
    ahead = revision_of("a", datetime.now(UTC) + timedelta(days=1))
    assert ahead.changed_at is None
    lineage = Lineage("other", START, ())
    assert may_replace(lineage, ahead, changed_here=False)
    assert not may_replace(replace(lineage, superseded=(ahead.digest,)), ahead, changed_here=False)
