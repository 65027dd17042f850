"""Judges a pull or merge request at its newest commit, and tells its authors; nothing is stored."""

import logging
from dataclasses import dataclass

from catalog.sources.proposals import ProposalReporter, ProposalSource
from catalog.sources.source import (
    FolderGoneError,
    Known,
    Listing,
    SourceUnavailableError,
    Unchanged,
)
from pao.app.catalog_sync.sync import CatalogSync
from pao.core.payloads.catalog import CatalogProposal

_log = logging.getLogger(__name__)

# Forges compare slowly what differs much, and some of it never; passing trouble is over by then.
MOST_COMPARED = 3


@dataclass(frozen=True, slots=True)
class Proposals:
    """Judges proposals with the rules of the sync, which reads the same source."""

    sync: CatalogSync
    source: ProposalSource
    reporter: ProposalReporter

    async def judge(self, proposal: CatalogProposal, *, attempt: int = 1) -> str:
        """Judge a commit and tell its authors; returns in a word what came of it.

        Where the forge cannot say, even at the third ``attempt``, where the commit has left the
        branch, the commit itself is judged. Raises ``SourceUnavailableError`` or one of its kinds,
        and whatever else it fails by: the status of the catalog shows that the authors wait until
        a later try succeeds.
        """
        try:
            outcome = await self._judge(proposal, attempt)
        except Exception as error:
            await self.sync.reports.failed(proposal.commit, error, proposal=proposal.number)
            raise
        await self.sync.reports.succeeded(proposal.commit)
        return outcome

    async def _judge(self, proposal: CatalogProposal, attempt: int) -> str:
        known = await self.sync.known()
        fork = await self._fork(proposal.commit, known, attempt)
        there = Known(fork.revision, fork.memory) if fork else known
        found = await self._at(proposal.commit, there)
        # A commit in service is no proposal: its check was asked for again.
        if proposal.commit != known.revision and _is_untouched(found, fork):
            await self.reporter.untouched(proposal.commit, again=proposal.again)
            return "untouched"
        verdict = await self.sync.judged(found, fork=fork)
        await self.reporter.report(verdict, again=proposal.again)
        return "refused" if verdict.is_refused else "valid"

    async def _fork(self, commit: str, known: Known, attempt: int) -> Listing | None:
        """Return what was there where the proposal has left the branch, if the branch has moved on.

        None where it has not, and where that cannot be told: the head itself is judged then.
        """
        if commit == known.revision:
            return None
        try:
            fork = await self.source.fork_point(commit, known)
        except SourceUnavailableError as error:
            if attempt < MOST_COMPARED or error.cause != SourceUnavailableError.cause:
                raise
            _log.warning("%s is judged as it is, not as it would be merged: %s", commit, error)
            return None
        if fork is None or fork in {known.revision, commit}:
            return None
        found = await self._at(fork, Known())
        return found if isinstance(found, Listing) else None

    async def _at(self, commit: str, known: Known) -> Listing | Unchanged:
        """Return the folder at a commit, which is empty where there is none yet or any more."""
        try:
            return await self.source.at(commit, known)
        except FolderGoneError:
            return Listing(commit, ())


def _is_untouched(found: Listing | Unchanged, fork: Listing | None) -> bool:
    """Return whether a proposal changes nothing, also where the folder is younger than it."""
    if isinstance(found, Unchanged):
        return True
    return fork is not None and not (found.entries or fork.entries)
