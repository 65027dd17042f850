"""Protection against captured requests: a signature that changes something is good for one use."""

import hashlib
import os
from datetime import datetime, timedelta
from typing import Protocol

from api.auth.raw import RawRequest
from api.auth.sigv4 import ParsedSignature

# A signature is valid for five minutes before and after its date, hence ten; one more for the
# difference between the clocks of two replicas.
REMEMBERED = timedelta(minutes=11)

_READING_METHODS = frozenset({"GET", "HEAD"})
_IDEMPOTENCY_KEY = b"idempotency-key"


class ReplayStore(Protocol):
    """Remembers which signatures were used, for all processes together."""

    async def claim(self, signature_hash: bytes, *, holder: bytes, expires_at: datetime) -> bool:
        """Record ``holder`` for ``signature_hash`` unless it has one; tell whether it is the same.

        Atomic: of two callers with different holders at once exactly one gets ``True``. A row past
        its ``expires_at`` counts as absent. Both values are opaque, 32 bytes at most.
        """


async def is_first_use(
    parsed: ParsedSignature, request: RawRequest, store: ReplayStore, *, now: datetime
) -> bool:
    """Tell whether ``request`` may act: it only reads, is new, or repeats its Idempotency-Key.

    The Idempotency-Key is remembered with the signature, because many clients do not sign it: a
    captured request with another key put in would otherwise be taken for a new one.
    """
    if request.method in _READING_METHODS:
        return True
    identity = f"{parsed.access_key_id}\n{parsed.signature}".encode()
    return await store.claim(
        hashlib.sha256(identity).digest(),
        holder=_holder(request),
        expires_at=now + REMEMBERED,
    )


def _holder(request: RawRequest) -> bytes:
    keys = request.values(_IDEMPOTENCY_KEY)
    # Without a key no later request is the same one, so nobody can name this holder again.
    return hashlib.sha256(b"\n".join(keys)).digest() if keys else os.urandom(32)
