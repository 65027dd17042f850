"""Verifies who sent a signal, for workflows, which have no keys; decides nothing."""

from dataclasses import dataclass
from typing import Any

from temporalio import activity

from pao.clients.proofs import is_proven, with_proof
from pao.core import names
from pao.core.payloads.decisions import SenderAnswer, SenderQuery
from pao.runtime.crypto import SecretBox


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderChecker:
    """Checks the proofs of signals, and makes those that a bundle sends to its components.

    ``temporal_approvals``: the operator accepts approvals without a proof.
    """

    box: SecretBox
    temporal_approvals: bool

    @activity.defn(name=names.PROVE_ACTIVITY)
    async def prove(self, query: SenderQuery) -> dict[str, Any]:
        """Return the payload of a signal that a bundle sends to a component, with its proof."""
        return with_proof(self.box, query.request_id, query.signal, query.payload)

    @activity.defn(name=names.CHECK_SENDER_ACTIVITY)
    async def check(self, query: SenderQuery) -> SenderAnswer:
        """Return whether PAO has sent the signal, and what counts if it has not."""
        return SenderAnswer(
            proven=is_proven(self.box, query.request_id, query.signal, query.payload),
            temporal_approvals=self.temporal_approvals,
        )
