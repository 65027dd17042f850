"""Idempotency keys of decisions: which body a caller's key belongs to. Decides nothing itself."""

import json
from dataclasses import dataclass

from api.auth.principal import Principal
from api.requests.schemas import ReasonedBody
from db.repositories.requests import RequestsRepository
from db.session import Database
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.requests import IdempotencyRecord
from pao.core.states import ApprovalVote, Decision
from pao.runtime.crypto import SecretBox

ADDED_LATER = ("attempt", "acceptUsed", "leaveBehind", "evidence")
"""Keys that bodies of earlier versions did not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCall:
    """A call that decides: by whom, about what, and what was sent."""

    caller: Principal
    request_id: str
    decision: Decision | ApprovalVote
    body: ReasonedBody
    idempotency_key: str | None = None

    @property
    def scoped_key(self) -> str | None:
        """The key as it is stored: callers' own keys have no blanks, so no submission has it."""
        if self.idempotency_key is None:
            return None
        return f"{self.request_id} {self.decision} {self.idempotency_key}"

    @property
    def content(self) -> bytes:
        """What two equal calls have in common, however their JSON was written."""
        content = self.body.model_dump(by_alias=True)
        for name in ADDED_LATER:
            # A call that is repeated after an upgrade is still the same call.
            if content.get(name) in (None, False):
                content.pop(name, None)
        body = json.dumps(content, sort_keys=True)
        return f"{self.decision}\n{body}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionKeys:
    """Remembers a keyed digest of the first body; the body itself may hold passwords."""

    box: SecretBox
    database: Database

    async def is_repeat(self, call: DecisionCall) -> bool:
        """Return whether the key was used; raises ``IDEMPOTENCY_CONFLICT`` for another body."""
        if call.scoped_key is None:
            return False
        async with self.database.reading() as session:
            claim = await RequestsRepository(session).find_by_idempotency(
                call.caller.id, call.scoped_key
            )
        if claim is None:
            return False
        self._require_same(claim.body_digest, call)
        return True

    async def claim(self, call: DecisionCall) -> bool:
        """Store the key for this body; return whether another call was first.

        Raises ``IDEMPOTENCY_CONFLICT`` when that one had another body.
        """
        if call.scoped_key is None:
            return False
        async with self.database.unit_of_work() as session:
            record = IdempotencyRecord(
                call.caller.id, call.scoped_key, self.box.fingerprint(call.content)
            )
            claim = await RequestsRepository(session).claim_idempotency(
                record, request_id=call.request_id
            )
        if not claim.won:
            self._require_same(claim.body_digest, call)
        return not claim.won

    def _require_same(self, digest: bytes, call: DecisionCall) -> None:
        if not self.box.has_fingerprint(call.content, digest.decode()):
            raise PaoError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                f"This Idempotency-Key was used to {call.decision} this request with another body; "
                "that one counts. Send the same body, or a new key for a new decision.",
            )
