"""Judges a pull or merge request at its newest commit, and tells its authors; nothing is stored."""

from dataclasses import dataclass

from catalog.sources.proposals import ProposalReporter, ProposalSource
from catalog.sources.source import Unchanged
from pao.app.catalog_sync.syncing import CatalogSync


@dataclass(frozen=True, slots=True)
class Proposals:
    """Judges proposals with the rules of the sync, which reads the same source."""

    sync: CatalogSync
    source: ProposalSource
    reporter: ProposalReporter

    async def judge(self, commit: str) -> str:
        """Judge a commit; returns in a word what came of it.

        Raises ``SourceUnavailableError`` or one of its kinds.
        """
        found = await self.source.at(commit, await self.sync.known())
        if isinstance(found, Unchanged):
            await self.reporter.untouched(commit)
            return "untouched"
        verdict = await self.sync.judged(found)
        await self.reporter.report(verdict)
        return "refused" if verdict.is_refused else "valid"

    async def close(self) -> None:
        """Close the connections of the source."""
        await self.source.close()
