"""Authors who could not be told what was found: kept, shown, told later, and not for ever."""

import asyncpg
import pytest

from catalog.sources.source import SourceRefusedError, SourceUnavailableError
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from pao.app.catalog_sync.proposals import Proposals
from pao.core.payloads.catalog import CatalogProposal
from tests.pao.app.test_catalog_sources import KNOWN, status
from tests.support.catalog_source import Forge
from tests.support.postgres import Database as Given

REFUSED = SourceRefusedError("GitHub: the App has no right to create a check run")


@pytest.fixture
def forge() -> Forge:
    made = Forge()
    made.put("tool-a-a", "tool-b-b")
    return made


def sync_of(opened: Database, forge: Forge) -> CatalogSync:
    return CatalogSync(opened, forge, KNOWN, reporter=forge)


async def later(database: Given, days: int, *keys: str) -> None:
    """Let days pass for what is kept."""
    connection = await asyncpg.connect(database.owner_url)
    for key in keys:
        await connection.execute(
            "UPDATE catalog_state SET untold = (SELECT jsonb_object_agg(commit, about ||"
            " jsonb_build_object($1::text, now() - $2 * interval '1 day'))"
            " FROM jsonb_each(untold) AS one (commit, about))",
            key,
            days,
        )
    await connection.close()


async def test_a_revision_that_could_not_be_told_is_shown_and_told_by_the_next_sync(
    opened: Database, forge: Forge
) -> None:
    forge.fails = [REFUSED, OSError("broken")]
    sync = sync_of(opened, forge)
    await sync.run()
    [(commit, first)] = (await status(opened)).unreported.items()
    assert (commit, first["cause"], first["message"]) == (forge.revision, "refused", str(REFUSED))
    # Another worker goes on with it; nothing of an internal error is shown.
    await sync_of(opened, forge).run()
    [second] = (await status(opened)).unreported.values()
    assert (second["cause"], second["since"]) == ("internal", first["since"])
    assert "broken" not in second["message"]
    await sync.run()
    assert forge.told == [(forge.revision, False)]
    assert (await status(opened)).untold == {}
    await sync.run()
    assert len(forge.told) == 1


async def test_a_worker_that_is_killed_before_it_tells_leaves_that_to_the_next_one(
    opened: Database, forge: Forge
) -> None:
    forge.fails = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        await sync_of(opened, forge).run()
    now = await status(opened)
    assert (now.revision, now.unreported) == (forge.revision, {})
    await sync_of(opened, forge).run()
    assert forge.told == [(forge.revision, False)]


async def test_what_could_not_be_told_for_a_day_is_given_up_and_forgotten(
    opened: Database, database: Given, forge: Forge
) -> None:
    forge.fails = [REFUSED]
    sync = sync_of(opened, forge)
    await sync.run()
    await later(database, 2, "since")
    await sync.run()
    assert (forge.told, len((await status(opened)).unreported)) == ([], 1)
    await later(database, 2, "at")
    await sync.run()
    assert (forge.told, (await status(opened)).untold) == ([], {})


async def test_a_branch_that_moved_on_makes_up_for_its_tip_only(
    opened: Database, forge: Forge
) -> None:
    forge.fails = [REFUSED]
    sync = sync_of(opened, forge)
    await sync.run()
    forge.put("tool-c-c")
    await sync.run()
    assert forge.told == [(forge.revision, False)]
    assert (await status(opened)).untold == {}


async def test_a_catalog_that_is_on_no_forge_any_more_leaves_nobody_waiting(
    opened: Database, forge: Forge
) -> None:
    forge.fails = [REFUSED]
    await sync_of(opened, forge).run()
    await CatalogSync(opened, forge, KNOWN).run()
    assert (await status(opened)).untold == {}


async def test_a_proposal_that_could_not_be_told_is_shown_until_it_is(
    opened: Database, forge: Forge
) -> None:
    sync = sync_of(opened, forge)
    await sync.run()
    proposals = Proposals(sync, forge, forge)
    forge.put("tool-d-d")
    head = forge.revision
    for error in (SourceUnavailableError("GitHub does not answer"), REFUSED):
        forge.fails = [error]
        with pytest.raises(type(error)):
            await proposals.check(CatalogProposal(12, head))
        # A sync of the branch neither tells it nor forgets it.
        forge.remove("tool-d-d")
        await sync.run()
        forge.put("tool-d-d")
        [about] = (await status(opened)).unreported.values()
        assert (about["message"], about["proposal"]) == (str(error), 12)
    assert await proposals.check(CatalogProposal(12, head)) == "valid"
    assert (await status(opened)).untold == {}
    assert forge.told[1:] == [(head, False)]


async def test_a_check_of_the_branch_that_is_asked_for_again_is_judged(
    opened: Database, forge: Forge
) -> None:
    sync = sync_of(opened, forge)
    await sync.run()
    proposals = Proposals(sync, forge, forge)
    assert await proposals.check(CatalogProposal(None, forge.revision, again=True)) == "valid"
    assert await proposals.check(CatalogProposal(12, "c" * 40)) == "untouched"
    assert forge.told[1:] == [(forge.revision, True), (f"untouched {'c' * 40}", False)]
