"""Proofs that PAO sent a signal: anybody who can signal in Temporal can set any ``by``.

A proof is a keyed hash (HMAC-SHA-256, by a key that is derived from ``PAO_ENCRYPTION_KEYS``) over
the request, the signal's name and the whole payload. Temporal sees it and cannot make one.
"""

import json
from collections.abc import Mapping
from typing import Any

from pao.core.names import PROOF
from pao.runtime.crypto import SecretBox


def with_proof(
    box: SecretBox, request_id: str, signal: str, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the payload with its proof, for this signal to the workflow of this request."""
    return {**payload, PROOF: box.sign(_content(request_id, signal, payload))}


def is_proven(box: SecretBox, request_id: str, signal: str, payload: Mapping[str, Any]) -> bool:
    """Return whether PAO has sent this payload by this signal to this request's workflow."""
    proof = payload.get(PROOF)
    try:
        content = _content(request_id, signal, payload)
    except (RecursionError, TypeError, ValueError):
        return False
    return isinstance(proof, str) and box.verify(content, proof)


def _content(request_id: str, signal: str, payload: Mapping[str, Any]) -> bytes:
    unsigned = {key: value for key, value in payload.items() if key != PROOF}
    return json.dumps(
        [request_id, signal, unsigned], sort_keys=True, separators=(",", ":")
    ).encode()
