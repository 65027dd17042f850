"""Proofs that this service gave out a code or opened a session: a row alone opens no session.

A proof is a keyed hash (HMAC-SHA-256, by a key that is derived from ``PAO_ENCRYPTION_KEYS``) over
everything that the row claims. Whoever may write to the database cannot make one.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime

from db.repositories.web_sessions import CodeClaims, SessionClaims
from pao.runtime.crypto import SecretBox


def prove(box: SecretBox, claims: CodeClaims | SessionClaims) -> str:
    """Return the proof of these claims."""
    return box.sign(_content(claims))


def is_proven(box: SecretBox, claims: CodeClaims | SessionClaims, proof: str | None) -> bool:
    """Return whether a key of the ring made the proof of these claims."""
    return proof is not None and box.verify(_content(claims), proof)


def _content(claims: CodeClaims | SessionClaims) -> bytes:
    # Signals to workflows are proven with the same keys: none of theirs begins like this.
    return f"pages\n{json.dumps(asdict(claims), sort_keys=True, default=_text)}".encode()


def _text(value: bytes | datetime) -> str:
    return value.hex() if isinstance(value, bytes) else value.astimezone(UTC).isoformat()
