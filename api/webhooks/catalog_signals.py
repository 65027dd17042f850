"""Signals to the workflows that read the catalog, for deliveries of a forge."""

from dataclasses import dataclass

from api.webhooks.events import Proposal, Push
from pao.clients.catalog_sync import CatalogSyncs
from pao.core.payloads import catalog as payloads


@dataclass(frozen=True, slots=True)
class CatalogSignals:
    """Starts or signals the workflows of one installation."""

    syncs: CatalogSyncs

    async def push(self, push: Push, *, delivery: str | None) -> None:
        """Check the source for a new revision; the same delivery counts once."""
        signal = payloads.SyncSignal(
            payloads.PUSH, commit=push.commit, before=push.before, delivery=delivery
        )
        await self.syncs.signal(signal)

    async def propose(self, proposal: Proposal) -> None:
        """Check a pull or merge request."""
        await self.syncs.propose(
            payloads.CatalogProposal(proposal.number, proposal.commit, proposal.again)
        )
