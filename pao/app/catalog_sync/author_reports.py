"""Reports to the authors of the catalog on the forge; what was not sent is kept until it is."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.sources.source import SourceUnavailableError
from catalog.sources.verdict import Reporter, Verdict
from db.repositories.catalog_state import CatalogStateRepository, StoredCatalogStatus
from db.repositories.catalog_unreported import CatalogUnreportedRepository
from db.session import Database

_log = logging.getLogger(__name__)

# Whatever keeps a forge from being told is noticed and corrected within a day; then it is given up.
LONGEST = timedelta(days=1)
_INTERNAL = "PAO could not report because of an internal error; see the worker's log"
_TO_BE_TOLD: dict[str, Any] = {"cause": None, "message": None}


@dataclass(frozen=True, slots=True)
class AuthorReports:
    """Sends each verdict once per revision, if there is a reporter; one that failed is sent later.

    Commits whose authors have no report yet are in ``StoredCatalogStatus.untold``, which operators
    see: those of the branch are reported by the next sync, a proposal by its workflow.
    """

    database: Database
    reporter: Reporter | None = None

    async def enqueue(self, session: AsyncSession, revision: str) -> None:
        """Remember that a revision is to be reported, in case this process does not get to it."""
        if self.reporter is not None:
            await CatalogUnreportedRepository(session).add(revision, _TO_BE_TOLD)

    async def is_due(self, before: StoredCatalogStatus, revision: str, *, is_held: bool) -> bool:
        """Return whether a revision is to be reported now, by what was known before it was read."""
        # Where nobody can be told any more, the catalog has come from a forge before.
        over = _over(before.untold, revision) if self.reporter else list(before.untold)
        if over:
            await self._forget(over)
        if self.reporter is None:
            return False
        known = before.held_revision if is_held else before.revision
        untold = before.untold.get(revision)
        return revision != known or (untold is not None and _age(untold["since"]) < LONGEST)

    async def send(self, verdict: Verdict) -> None:
        """Report what was found at a revision; an error is kept for later, and never raised."""
        if self.reporter is None:
            return
        try:
            await self.reporter.report(verdict)
        except Exception as error:  # noqa: BLE001 -- the catalog is in service in any case
            await self.failed(verdict.revision, error)
        else:
            await self._forget([verdict.revision])

    async def failed(self, commit: str, error: Exception, *, proposal: int | None = None) -> None:
        """Keep that the authors of a commit could not be told; the log says it once per reason."""
        cause, message = "internal", _INTERNAL
        if isinstance(error, SourceUnavailableError):
            cause, message = error.cause, str(error)
        about = {"cause": cause, "message": message, "proposal": proposal}
        async with self.database.unit_of_work() as session:
            is_news = await CatalogUnreportedRepository(session).add(commit, about)
        if message is _INTERNAL:
            _log.error("the authors of %s could not be told", commit, exc_info=error)
        elif is_news:
            _log.warning("the authors of %s could not be told: %s", commit, message)

    async def succeeded(self, commit: str) -> None:
        """Forget a commit that was kept before."""
        async with self.database.reading() as session:
            standing = await CatalogStateRepository(session).status()
        if commit in standing.untold:
            await self._forget([commit])

    async def _forget(self, commits: Iterable[str]) -> None:
        async with self.database.unit_of_work() as session:
            await CatalogUnreportedRepository(session).remove(commits)


def _over(untold: Mapping[str, Mapping[str, Any]], revision: str) -> list[str]:
    """Return the commits that nobody waits for: of a branch that moved on, or long given up."""
    return [
        commit
        for commit, about in untold.items()
        if _age(about["at"]) > LONGEST or (about.get("proposal") is None and commit != revision)
    ]


def _age(moment: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(moment)
