"""Who has sent a signal: workflows hold no keys, so they ask here. Nothing is decided."""

from collections.abc import Callable
from typing import Any

from temporalio import activity

from pao.clients.proofs import is_proven, proven
from pao.core import names
from pao.core.payloads.decisions import SenderAnswer, SenderQuery
from pao.runtime.crypto import SecretBox


class SenderChecker:
    """Checks the proofs of signals, and makes those that a bundle sends to its components.

    ``temporal_approvals``: the operator lets approvals count that come without a proof.
    """

    def __init__(self, box: SecretBox, *, temporal_approvals: bool) -> None:
        self._box = box
        self._temporal_approvals = temporal_approvals

    def activities(self) -> list[Callable[..., Any]]:
        """Return the check, and the making of a proof."""

        @activity.defn(name=names.CHECK_SENDER_ACTIVITY)
        async def check_sender(query: SenderQuery) -> SenderAnswer:
            return self.check(query)

        @activity.defn(name=names.PROVE_ACTIVITY)
        async def prove(query: SenderQuery) -> dict[str, Any]:
            return proven(self._box, query.request_id, query.signal, query.payload)

        return [check_sender, prove]

    def check(self, query: SenderQuery) -> SenderAnswer:
        """Return whether PAO has sent the signal, and what counts if it has not."""
        return SenderAnswer(
            proven=is_proven(self._box, query.request_id, query.signal, query.payload),
            temporal_approvals=self._temporal_approvals,
        )
