"""Activities of the catalog's sync: one check of the source, and the poll that asks for it."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeats import heartbeats
from catalog.sources.source import SourceLimitedError, SourceUnavailableError
from db.repositories.catalog_state import CatalogStateRepository
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from pao.app.catalog_sync.proposals import Proposals
from pao.clients.catalog_sync import CatalogSyncs
from pao.core import names
from pao.core.errors import PaoError
from pao.core.payloads.catalog import POLL, CatalogProposal, SyncInput, SyncReport, SyncSignal

_log = logging.getLogger(__name__)

_SHORTEST_DELAY, _LONGEST_DELAY = timedelta(seconds=1), timedelta(hours=1)
INTERNAL = "the catalog could not be read because of an internal error; see the worker's log"


@dataclass(frozen=True, slots=True)
class CatalogSyncer:
    """Syncs the catalog when its workflow says so."""

    database: Database
    sync: CatalogSync
    syncs: CatalogSyncs
    proposals: Proposals | None = None
    """None where the source has no pull or merge requests."""

    @activity.defn(name=names.SYNC_CATALOG_ACTIVITY)
    async def run(self, asked: SyncInput) -> SyncReport:
        """Bring the catalog up to date; a source that cannot be read is a result.

        Anything else raises, and is retried: Postgres is unavailable, or another process syncs.
        """
        async with heartbeats(repeatable=True):
            try:
                return await self.sync.run(asked)
            except SourceUnavailableError as error:
                return SyncReport(problem=str(error), cause=error.cause)
            except PaoError:
                raise
            except Exception:
                _log.exception("the catalog could not be read because of an internal error")
                async with self.database.unit_of_work() as session:
                    await CatalogStateRepository(session).record_failure(INTERNAL, cause="internal")
                raise

    async def close(self) -> None:
        """Close the connections of the source."""
        await self.sync.close()

    @activity.defn(name=names.CHECK_PROPOSAL_ACTIVITY)
    async def check_proposal(self, proposal: CatalogProposal) -> str:
        """Check a pull or merge request, report to its authors, and return the outcome.

        Raises if the forge is unavailable; the retry waits as long as the forge asks for.
        """
        if self.proposals is None:
            return "ignored"
        async with heartbeats(repeatable=True):
            try:
                return await self.proposals.check(proposal, attempt=activity.info().attempt)
            except SourceUnavailableError as error:
                raise ApplicationError(
                    str(error), type=error.cause, next_retry_delay=_retry_delay(error)
                ) from error

    @activity.defn(name=names.POLL_CATALOG_ACTIVITY)
    async def poll(self) -> dict[str, Any]:
        """Ask the sync workflow to check the source."""
        await self.syncs.signal(SyncSignal(POLL))
        return {}


def _retry_delay(error: SourceUnavailableError) -> timedelta | None:
    """Return the delay that a source has asked for; None if it has not."""
    if not isinstance(error, SourceLimitedError) or error.until is None:
        return None
    return min(max(error.until - datetime.now(UTC), _SHORTEST_DELAY), _LONGEST_DELAY)
