"""Checks pull and merge requests at their newest commit, and reports to their authors."""

import logging
from dataclasses import dataclass

from catalog.sources.proposals import ProposalReporter, ProposalSource
from catalog.sources.source import (
    FolderGoneError,
    Listing,
    ListingContext,
    SourceUnavailableError,
    Unchanged,
)
from pao.app.catalog_sync.sync import CatalogSync
from pao.core.payloads.catalog import CatalogProposal

_log = logging.getLogger(__name__)

# Forges are slow to compare what differs much, or fail; temporary trouble is over by then.
MAX_COMPARISONS = 3


@dataclass(frozen=True, slots=True)
class Proposals:
    """Checks proposals with the rules of the sync, which reads the same source; stores nothing."""

    sync: CatalogSync
    source: ProposalSource
    reporter: ProposalReporter

    async def check(self, proposal: CatalogProposal, *, attempt: int = 1) -> str:
        """Check a commit and report to its authors; returns the outcome as one word.

        If the forge cannot say where the commit left the branch, even at the third ``attempt``,
        the commit itself is checked. Raises ``SourceUnavailableError``, and any other error: the
        status of the catalog shows that the authors wait until a later attempt succeeds.
        """
        try:
            outcome = await self._check(proposal, attempt)
        except Exception as error:
            await self.sync.reports.record_failure(proposal.commit, error, proposal=proposal.number)
            raise
        await self.sync.reports.record_success(proposal.commit)
        return outcome

    async def _check(self, proposal: CatalogProposal, attempt: int) -> str:
        known = await self.sync.known()
        fork = await self._fork(proposal.commit, known, attempt)
        base = ListingContext(fork.revision, fork.memory) if fork else known
        found = await self._listing_at(proposal.commit, base)
        # A commit that is served is no proposal: its check was requested again.
        if proposal.commit != known.revision and _is_untouched(found, fork):
            await self.reporter.untouched(proposal.commit, again=proposal.again)
            return "untouched"
        verdict = await self.sync.check_listing(found, fork=fork)
        await self.reporter.report(verdict, again=proposal.again)
        return "refused" if verdict.is_refused else "valid"

    async def _fork(self, commit: str, known: ListingContext, attempt: int) -> Listing | None:
        """Return the listing at the proposal's fork point, if the branch has moved on since.

        None if it has not, or if that cannot be determined: the head itself is checked then.
        """
        if commit == known.revision:
            return None
        try:
            fork = await self.source.fork_point(commit, known)
        except SourceUnavailableError as error:
            if attempt < MAX_COMPARISONS or error.cause != SourceUnavailableError.cause:
                raise
            _log.warning("%s is checked as it is, not as it would be merged: %s", commit, error)
            return None
        if fork is None or fork in {known.revision, commit}:
            return None
        found = await self._listing_at(fork, ListingContext())
        return found if isinstance(found, Listing) else None

    async def _listing_at(self, commit: str, known: ListingContext) -> Listing | Unchanged:
        """Return the folder at a commit; empty if it does not exist there."""
        try:
            return await self.source.at(commit, known)
        except FolderGoneError:
            return Listing(commit, ())


def _is_untouched(found: Listing | Unchanged, fork: Listing | None) -> bool:
    """Return whether a proposal changes nothing, even if the folder was created after it."""
    if isinstance(found, Unchanged):
        return True
    return fork is not None and not (found.entries or fork.entries)
