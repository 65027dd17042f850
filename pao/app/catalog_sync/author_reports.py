"""Reports to the authors of the catalog on the forge; unsent ones are stored and sent later."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.sources.source import SourceUnavailableError
from catalog.sources.verdict import Verdict, VerdictReporter
from db.repositories.catalog_state import CatalogStateRepository, StoredCatalogStatus
from db.repositories.catalog_unreported import CatalogUnreportedRepository
from db.session import Database

_log = logging.getLogger(__name__)

# An obstacle to reporting is usually noticed and fixed within a day; after that it is given up.
RETRY_PERIOD = timedelta(days=1)
_INTERNAL = "PAO could not report because of an internal error; see the worker's log"
_NOT_SENT_YET: dict[str, Any] = {"cause": None, "message": None}


@dataclass(frozen=True, slots=True)
class AuthorReports:
    """Sends each verdict once per revision, if there is a reporter; a failed one is retried later.

    Commits whose authors have no report yet are in ``StoredCatalogStatus.untold``, which operators
    see: those of the branch are reported by the next sync, a proposal by its workflow.
    """

    database: Database
    reporter: VerdictReporter | None = None

    async def enqueue(self, session: AsyncSession, revision: str) -> None:
        """Store that a revision is to be reported, in case this process does not get to it."""
        if self.reporter is not None:
            await CatalogUnreportedRepository(session).add(revision, _NOT_SENT_YET)

    async def is_due(self, before: StoredCatalogStatus, revision: str, *, is_held: bool) -> bool:
        """Return whether a revision is to be reported now, given the state before it was read."""
        # Without a reporter, these are of a forge that the catalog came from before.
        obsolete = (
            _obsolete_commits(before.untold, revision) if self.reporter else list(before.untold)
        )
        if obsolete:
            await self._forget(obsolete)
        if self.reporter is None:
            return False
        known = before.held_revision if is_held else before.revision
        untold = before.untold.get(revision)
        return revision != known or (untold is not None and _age(untold["since"]) < RETRY_PERIOD)

    async def send(self, verdict: Verdict) -> None:
        """Report the verdict on a revision; an error is stored for later, and never raised."""
        if self.reporter is None:
            return
        try:
            await self.reporter.report(verdict)
        except Exception as error:  # noqa: BLE001 -- the catalog is in service in any case
            await self.record_failure(verdict.revision, error)
        else:
            await self._forget([verdict.revision])

    async def record_failure(
        self, commit: str, error: Exception, *, proposal: int | None = None
    ) -> None:
        """Store that a commit could not be reported to its authors; logged once per reason."""
        cause, message = "internal", _INTERNAL
        if isinstance(error, SourceUnavailableError):
            cause, message = error.cause, str(error)
        about = {"cause": cause, "message": message, "proposal": proposal}
        async with self.database.unit_of_work() as session:
            is_new = await CatalogUnreportedRepository(session).add(commit, about)
        if message is _INTERNAL:
            _log.error("%s could not be reported to its authors", commit, exc_info=error)
        elif is_new:
            _log.warning("%s could not be reported to its authors: %s", commit, message)

    async def record_success(self, commit: str) -> None:
        """Forget a commit whose report had failed."""
        async with self.database.reading() as session:
            status = await CatalogStateRepository(session).status()
        if commit in status.untold:
            await self._forget([commit])

    async def _forget(self, commits: Iterable[str]) -> None:
        async with self.database.unit_of_work() as session:
            await CatalogUnreportedRepository(session).remove(commits)


def _obsolete_commits(untold: Mapping[str, Mapping[str, Any]], revision: str) -> list[str]:
    """Return the commits that nobody waits for: superseded on their branch, or given up."""
    return [
        commit
        for commit, about in untold.items()
        if _age(about["at"]) > RETRY_PERIOD
        or (about.get("proposal") is None and commit != revision)
    ]


def _age(moment: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(moment)
