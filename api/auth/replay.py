"""Protection against captured requests: a signature of a change is accepted once."""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from api.auth.raw import RawRequest
from api.auth.sigv4 import ParsedSignature

# A signature is valid for five minutes before and after its date, hence ten; one more for the
# difference between the clocks of two replicas.
REMEMBERED = timedelta(minutes=11)
# SigV4 signs to the second, so honest clients that do not sign their Idempotency-Key sign two calls
# of one body alike within a second; the rest is what the network may add to it.
SIGNED_ALIKE = timedelta(seconds=3)

_READING_METHODS = frozenset({"GET", "HEAD"})
_IDEMPOTENCY_KEY = b"idempotency-key"
_KEY_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class ClaimedSignature:
    """The holder of a used signature, and when it is forgotten."""

    holder: bytes
    expires_at: datetime


class ReplayStore(Protocol):
    """Remembers which signatures were used, for all processes together."""

    async def claim(
        self, signature_hash: bytes, *, holder: bytes, expires_at: datetime
    ) -> ClaimedSignature:
        """Record ``holder`` for ``signature_hash`` unless it has one; return what counts now.

        Atomic: of two callers with different holders at once exactly one is returned to both. A row
        past its ``expires_at`` counts as absent. Both values are opaque, 32 bytes at most.
        """


async def is_first_use(
    parsed: ParsedSignature, request: RawRequest, store: ReplayStore, *, now: datetime
) -> bool:
    """Return whether ``request`` may act: it only reads, is new, or repeats its Idempotency-Key.

    The Idempotency-Key is part of what makes a call the same. A client that signs it gives every
    key a signature of its own. One that does not signs two calls alike within a second, so for
    that moment another key is another call; afterwards it is a captured request with an added key.
    """
    if request.method in _READING_METHODS:
        return True
    signature = f"{parsed.access_key_id}\n{parsed.signature}".encode()
    key = _idempotency_key(request)
    # Without a key no later request repeats this one, so the holder is random.
    holder = _digest(key) if key is not None else _keyless_holder()
    expires_at = now + REMEMBERED
    claim = await store.claim(_digest(signature), holder=holder, expires_at=expires_at)
    if claim.holder == holder:
        return True
    if key is None or len(claim.holder) != _KEY_BYTES:
        return False
    used_at = claim.expires_at - REMEMBERED
    alike = abs(now - used_at) <= SIGNED_ALIKE
    # Another key of the same moment is stored as well, so that its repeats are recognized.
    other_holder = holder if alike else _keyless_holder()
    other = _digest(signature + b"\n" + key)
    return (await store.claim(other, holder=other_holder, expires_at=expires_at)).holder == holder


def _keyless_holder() -> bytes:
    """Return a random holder; it is shorter than one with a key, so that they never match."""
    return os.urandom(_KEY_BYTES - 1)


def _idempotency_key(request: RawRequest) -> bytes | None:
    keys = request.values(_IDEMPOTENCY_KEY)
    return b"\n".join(keys) if keys else None


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
