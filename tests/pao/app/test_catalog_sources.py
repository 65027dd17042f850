"""A catalog from a source that is shared, on bad days: the last good one stays in service."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg
import pytest

from catalog.sources.files import blob_id
from catalog.sources.source import (
    LINK,
    SUBMODULE,
    FilesTooLongError,
    PollSkippedError,
    SourceGoneError,
    SourceLimitedError,
    SourceMovedError,
    SourceUnavailableError,
)
from catalog.validation import ActionSchema
from db.repositories.catalog import CatalogRepository
from db.repositories.catalog_state import CatalogStateRepository, StoredCatalogStatus
from db.session import Database
from pao.app.catalog_sync import CatalogSync, SyncInput
from pao.app.catalog_sync.sync import EMPTY
from pao.app.local.postgres import PostgresAddress
from pao.core.errors import PaoError
from pao.core.payloads.catalog import POLL
from tests.support.catalog_source import Repository
from tests.support.postgres import Database as Given
from tests.support.postgres import cloned_database

KNOWN = {"jira-ticket": ActionSchema(config={"type": "object"})}
OTHER_RULES = {"jira-ticket": ActionSchema(config={"type": "object"}), "new": ActionSchema({})}
POLLED = SyncInput([POLL])
MANY = [f"tool-{at:02}-x" for at in range(24)]


def sync_of(opened: Database, source: Repository) -> CatalogSync:
    return CatalogSync(opened, source, KNOWN)


async def status(opened: Database) -> StoredCatalogStatus:
    async with opened.reading() as session:
        return await CatalogStateRepository(session).status()


async def served(opened: Database) -> dict[str, tuple[str, bool]]:
    async with opened.reading() as session:
        repository = CatalogRepository(session)
        items = [await repository.get(key) for key in await repository.served_files()]
        return {item.id: (item.version, item.stale) for item in items if item}


async def blobs(database: Given) -> int:
    connection = await asyncpg.connect(database.owner_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM catalog_blobs"))
    finally:
        await connection.close()


async def test_nothing_new_costs_one_call_and_one_changed_file_one_content(
    opened: Database, database: Given, source: Repository
) -> None:
    report = await sync_of(opened, source).run()
    assert (report.added, report.revision) == (
        ("tool-a-a", "tool-b-b", "tool-c-c"),
        source.revision,
    )
    assert source.calls == ["listing", "contents"]
    now = await status(opened)
    assert (now.source, now.revision) == (source.name, source.revision)
    assert (now.commit or {})["author"] == "Dana"

    # Another worker goes on with what this one has remembered; a commit that is still the one is
    # not described again, and stays described.
    source.describes = False
    assert (await sync_of(opened, source).run(POLLED)).judged == 0
    assert (await status(opened)).commit == now.commit
    source.describes = True
    assert source.calls[2:] == ["listing"]
    assert (source.asked[1].revision, source.asked[1].is_poll) == (source.revision, True)

    source.put("tool-b-b", version="1.0.1")
    assert (await sync_of(opened, source).run()).changed == ("tool-b-b",)
    assert (source.calls[3:], source.fetched[3:]) == (
        ["listing", "contents"],
        ["tools/tool-b-b.yaml"],
    )
    # The content that no file has any more is not kept.
    assert await blobs(database) == 3


async def test_other_rules_judge_everything_again_without_a_content_from_the_source(
    opened: Database, source: Repository
) -> None:
    source.put(*(f"tool-{at:04}-x" for at in range(1997)))
    await sync_of(opened, source).run()
    report = await CatalogSync(opened, source, OTHER_RULES).run()
    assert (report.judged, source.calls[2:]) == (2000, ["listing"])


async def test_other_rules_judge_everything_again_while_the_source_is_away(
    opened: Database, source: Repository
) -> None:
    source.put("tool-c-c")
    await sync_of(opened, source).run()
    source.away = SourceUnavailableError("the forge does not answer")
    strict = {"jira-ticket": ActionSchema(config={"type": "object", "required": ["ticket"]})}
    with pytest.raises(SourceUnavailableError, match="the forge"):
        await CatalogSync(opened, source, strict).run()

    assert set((await served(opened)).values()) == {("1.0.0", True)}
    now = await status(opened)
    assert (len(now.refused), now.error) == (3, "the forge does not answer")
    assert source.calls == ["listing", "contents", "listing"]


async def test_a_source_that_is_away_is_told_with_cause_and_since_when_until_it_is_back(
    opened: Database, source: Repository
) -> None:
    sync = sync_of(opened, source)
    await sync.run()
    before = await status(opened)
    source.away = SourceUnavailableError("the forge does not answer")
    with pytest.raises(SourceUnavailableError):
        await sync.run()
    first = await status(opened)
    source.away = SourceGoneError("there is no branch main")
    with pytest.raises(SourceGoneError):
        await sync.run()

    now = await status(opened)
    assert (now.error_cause, now.error) == ("gone", "there is no branch main")
    assert now.error_since == first.error_since
    assert now.synced_at == before.synced_at
    assert now.asked_at
    assert first.asked_at
    assert now.asked_at > first.asked_at
    assert len(await served(opened)) == 3
    source.away = None
    await sync.run()
    now = await status(opened)
    assert (now.error, now.error_cause, now.error_since) == (None, None, None)


async def test_polls_leave_a_source_alone_that_has_said_when_it_answers_again(
    opened: Database, source: Repository
) -> None:
    sync = sync_of(opened, source)
    source.away = SourceLimitedError(
        "60 calls an hour are allowed", until=datetime.now(UTC) + timedelta(hours=1)
    )
    with pytest.raises(SourceLimitedError):
        await sync.run(POLLED)
    told = await status(opened)
    assert (await sync.run(POLLED)).skipped
    assert (source.calls, await status(opened)) == (["listing"], told)
    source.away = None
    assert (await sync.run()).judged == 3


async def test_a_poll_that_leaves_the_last_calls_to_others_is_no_problem(
    opened: Database, source: Repository
) -> None:
    sync = sync_of(opened, source)
    await sync.run()
    before = await status(opened)
    source.away = PollSkippedError("499 of 5000 calls are left")
    assert (await sync.run(POLLED)).skipped == "499 of 5000 calls are left"
    assert await status(opened) == before


async def test_an_emptied_source_changes_nothing(opened: Database, source: Repository) -> None:
    sync = sync_of(opened, source)
    await sync.run()
    source.files = {"README.md": b"moved elsewhere"}
    with pytest.raises(SourceUnavailableError, match=EMPTY):
        await sync.run(SyncInput(confirm=source.revision))
    assert len(await served(opened)) == 3


@pytest.mark.parametrize(
    "given",
    [
        ("tools/link.yaml", LINK, b"tool-a-a.yaml", "a symbolic link"),
        ("others", LINK, b"tools", "a symbolic link"),
        ("vendor", SUBMODULE, b"", "a submodule"),
        (
            "tools/big.yaml",
            "100644",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 7\n",
            "Git LFS",
        ),
        ("tools/latin.yaml", "100644", "kind: Größe\n".encode("latin-1"), "not UTF-8"),
        ("tools/huge.yaml", "100755", b"#" * 1_000_001, "1,000,001 bytes"),
    ],
)
async def test_what_is_no_document_is_a_finding_and_blocks_nobody(
    opened: Database, source: Repository, given: tuple[str, str, bytes, str]
) -> None:
    path, mode, content, told = given
    source.files[path] = content
    source.modes[path] = mode
    report = await sync_of(opened, source).run()
    assert (report.refused, len(report.added)) == ((path,), 3)
    [finding] = (await status(opened)).refused
    assert told in finding["message"]
    # Only what the listing does not tell is worth a call.
    assert (path in source.fetched) == (told in {"Git LFS", "not UTF-8"})
    assert (await sync_of(opened, source).run()).judged == 0


async def test_a_path_that_is_too_long_to_be_a_key_is_a_finding_and_blocks_nobody(
    opened: Database, source: Repository
) -> None:
    """Nothing may be repeated in it: Postgres compresses its keys."""
    for seed in range(2):
        source.files[f"tools/{Random(seed).randbytes(1900).hex()}.yaml"] = b"a: 1"
    report = await sync_of(opened, source).run()
    assert (len(report.refused), len(report.added)) == (2, 3)
    assert not any(len(path) > 200 for path in report.refused)
    told = {finding["message"] for finding in (await status(opened)).refused}
    assert told == {"the path has 3,811 bytes; shorten it"}
    assert (await sync_of(opened, source).run()).judged == 0


async def test_a_report_of_many_long_paths_is_no_longer_than_temporal_takes(
    opened: Database, source: Repository
) -> None:
    for number in range(400):
        source.files[f"tools/{number:03}{'x' * 900}.yaml"] = b"a: 1"
    report = await sync_of(opened, source).run()
    assert len(json.dumps(report.document())) < 310_000
    assert report.refused[0].startswith("tools/000")
    assert report.unnamed == {"refused": 400 - len(report.refused)}
    assert report.count("refused") == 400
    assert len({finding["file"] for finding in (await status(opened)).refused}) == 400


async def test_a_file_that_is_too_long_to_be_fetched_is_a_finding_and_blocks_nobody(
    opened: Database, source: Repository
) -> None:
    """Where listings tell no lengths, as on GitLab, only asking for it shows that."""
    source.put("tool-d-d")
    huge = blob_id(source.files["tools/tool-d-d.yaml"])
    source.contents_away = [FilesTooLongError({huge}, "the file is longer than 10 MB")]
    report = await sync_of(opened, source).run()
    assert (report.refused, len(report.added)) == (("tools/tool-d-d.yaml",), 3)
    [finding] = (await status(opened)).refused
    assert finding["message"] == "the file is longer than 10 MB"


async def test_an_item_whose_file_became_a_link_stays_in_its_last_good_version(
    opened: Database, source: Repository
) -> None:
    sync = sync_of(opened, source)
    await sync.run()
    source.modes["tools/tool-a-a.yaml"] = LINK
    await sync.run()
    assert (await served(opened))["tool-a-a"] == ("1.0.0", True)
    del source.modes["tools/tool-a-a.yaml"]
    await sync.run()
    assert (await served(opened))["tool-a-a"] == ("1.0.0", False)


@pytest.mark.parametrize("content", [b"another content", None])
async def test_a_content_that_is_not_what_was_listed_is_never_served(
    opened: Database, database: Given, source: Repository, content: bytes | None
) -> None:
    source.swapped["tools/tool-b-b.yaml"] = content
    with pytest.raises(SourceUnavailableError, match=r"tool-b-b\.yaml"):
        await sync_of(opened, source).run()
    assert (await served(opened), await blobs(database)) == ({}, 0)


async def test_a_source_that_moves_while_it_is_read_is_listed_anew_a_few_times(
    opened: Database, source: Repository
) -> None:
    moved: list[SourceUnavailableError] = [SourceMovedError("it moves") for _ in range(4)]
    source.contents_away = moved[:2]
    assert (await sync_of(opened, source).run()).judged == 3
    assert source.calls == ["listing", "contents"] * 3
    source.put("tool-d-d")
    source.contents_away = [*moved, moved[0]]
    with pytest.raises(SourceMovedError):
        await sync_of(opened, source).run()
    assert (await status(opened)).error_cause == "moved"


async def test_what_was_fetched_stays_when_a_sync_does_not_come_to_its_end(
    opened: Database, database: Given, source: Repository
) -> None:
    """Postgres is away at the end: here, because another process has taken the lease."""

    class Robbing(Repository):
        async def contents(self, *given: object) -> Mapping[str, bytes]:
            found = await super().contents(*given)  # type: ignore[arg-type]  # passed on
            connection = await asyncpg.connect(database.owner_url)
            await connection.execute("UPDATE leases SET holder = 'another'")
            await connection.close()
            return found

    robbed = Robbing()
    robbed.files = source.files
    with pytest.raises(PaoError, match="Another process"):
        await sync_of(opened, robbed).run()
    assert (await served(opened), await blobs(database)) == ({}, 3)
    await _free_lease(database)

    assert (await sync_of(opened, source).run()).judged == 3
    assert source.calls == ["listing"]


async def test_a_source_that_stops_in_the_middle_goes_on_where_it_was(
    opened: Database, database: Given, source: Repository
) -> None:
    """A limit of calls may be lower than the number of files."""
    one, *rest = source.files
    limited = SourceLimitedError("no calls are left", until=datetime.now(UTC) + timedelta(hours=1))
    # A content that is not what was listed does not hide why the source has failed.
    bad = {blob_id(source.files[rest[0]]): b""}
    limited.found = {blob_id(source.files[one]): source.files[one]} | bad
    source.contents_away = [limited]
    with pytest.raises(SourceLimitedError):
        await sync_of(opened, source).run()
    assert (await served(opened), await blobs(database)) == ({}, 1)
    assert (await status(opened)).error_until == limited.until
    await sync_of(opened, source).run()
    assert sorted(source.fetched) == sorted(rest)


async def _free_lease(database: Given) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("UPDATE leases SET expires_at = now()")
    await connection.close()


async def test_two_installations_read_one_repository_each_for_itself(
    opened: Database, postgres_address: PostgresAddress, source: Repository
) -> None:
    with cloned_database(postgres_address) as second:
        async with AsyncExitStack() as stack:
            other = Database(second.service_url)
            stack.push_async_callback(other.close)
            await sync_of(opened, source).run()
            await sync_of(other, source).run()
            source.put("tool-d-d")
            await sync_of(opened, source).run()
            assert (len(await served(opened)), len(await served(other))) == (4, 3)


async def test_another_repository_is_told_nothing_that_the_first_has_remembered(
    opened: Database, source: Repository
) -> None:
    await sync_of(opened, source).run()
    other = Repository("Git acme/new-catalog")
    other.files = source.files
    assert (await sync_of(opened, other).run()).judged == 0
    assert (other.asked[0].revision, dict(other.asked[0].memory)) == (None, {})
    assert (await status(opened)).source == "Git acme/new-catalog"


async def test_a_rewritten_history_that_goes_back_is_taken_over(
    opened: Database, source: Repository
) -> None:
    await sync_of(opened, source).run()
    for version in ("2.0.0", "1.0.0"):
        source.put("tool-a-a", version=version)
        # By another worker each time: none of them takes what was served before for outdated.
        report = await sync_of(opened, source).run()
        assert (report.changed, report.outdated) == (("tool-a-a",), None)


async def test_a_revision_that_a_push_has_named_and_that_does_not_show_yet_is_late(
    opened: Database, source: Repository
) -> None:
    sync = sync_of(opened, source)
    await sync.run()
    assert (await sync.run(SyncInput(expects="c0ffee"))).late
    assert not (await sync.run(SyncInput(expects=source.revision))).late
    source.put("tool-d-d")
    # Something newer shows: whatever was named is in it, or was replaced.
    assert not (await sync.run(SyncInput(expects="c0ffee"))).late
