"""Judges a pull or merge request at its newest commit, and tells its authors; nothing is stored."""

from dataclasses import dataclass

from catalog.sources.proposals import ProposalReporter, ProposalSource
from catalog.sources.source import Unchanged
from pao.app.catalog_sync.syncing import CatalogSync
from pao.core.payloads.catalog import Proposal


@dataclass(frozen=True, slots=True)
class Proposals:
    """Judges proposals with the rules of the sync, which reads the same source."""

    sync: CatalogSync
    source: ProposalSource
    reporter: ProposalReporter

    async def judge(self, proposal: Proposal) -> str:
        """Judge a commit and tell its authors; returns in a word what came of it.

        Raises ``SourceUnavailableError`` or one of its kinds, and whatever else it fails by: the
        status of the catalog shows that the authors wait until a later try succeeds.
        """
        try:
            outcome = await self._judge(proposal)
        except Exception as error:
            await self.sync.telling.failed(proposal.commit, error, proposal=proposal.number)
            raise
        await self.sync.telling.succeeded(proposal.commit)
        return outcome

    async def _judge(self, proposal: Proposal) -> str:
        known = await self.sync.known()
        found = await self.source.at(proposal.commit, known)
        # A commit in service is no proposal: its check was asked for again.
        if isinstance(found, Unchanged) and proposal.commit != known.revision:
            await self.reporter.untouched(proposal.commit, again=proposal.again)
            return "untouched"
        verdict = await self.sync.judged(found)
        await self.reporter.report(verdict, again=proposal.again)
        return "refused" if verdict.is_refused else "valid"
