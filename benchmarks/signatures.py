"""What checking one signature costs in processor time, without the database."""

import asyncio
import base64
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx

from api.auth.keys import KeysIdentity, StoredKey, create_key
from api.auth.raw import RawRequest
from api.auth.replay import ClaimedSignature
from pao.app.cli.http import RequestSigner
from pao.app.cli.profiles import ApiTarget
from pao.runtime.crypto import SecretBox

REGION = "us-east-1"
BODIES: Mapping[str, int] = {"signature check, 200 bytes": 200, "signature check, 1 MB": 1024**2}


class _OneKey:
    """A store of one key that remembers no signature."""

    def __init__(self, key: StoredKey) -> None:
        self._key = key

    async def find(self, access_key_id: str) -> StoredKey | None:
        return self._key if access_key_id == self._key.access_key_id else None

    async def note_use(self, access_key_id: str, *, unless_within: timedelta) -> None:
        raise AssertionError(f"the use of {access_key_id} was noted within {unless_within}")

    async def claim(
        self, _digest: bytes, *, holder: bytes, expires_at: datetime
    ) -> ClaimedSignature:
        return ClaimedSignature(holder, expires_at)


async def checks(*, each: int) -> dict[str, float]:
    """Check each kind of request repeatedly; return the processor seconds of one check."""
    box = SecretBox(f"bench:{base64.b64encode(os.urandom(32)).decode()}")
    made = create_key(box)
    stored = StoredKey(
        access_key_id=made.access_key_id,
        sealed_secret=made.sealed_secret,
        user_id="bench",
        email=None,
        teams=(),
        revoked_at=None,
        # Noted a moment ago, as it is for a client that is at work.
        last_used_at=datetime.now(UTC),
    )
    store = _OneKey(stored)
    identity = KeysIdentity(store, box, store, region=REGION)
    seconds = {}
    for name, size in BODIES.items():
        request = _signed_request(made.access_key_id, made.secret, body=b"x" * size)
        # One check of a large body takes as long as a hundred of a small one.
        count = max(each // (1 + size // 10_000), 10)
        seconds[name] = await _check(identity, request, count=count)
    return seconds


async def _check(identity: KeysIdentity, request: RawRequest, *, count: int) -> float:
    now = datetime.now(UTC)
    started = time.process_time()
    for _ in range(count):
        await identity.authenticate(request, now)
    return (time.process_time() - started) / count


def _signed_request(access_key_id: str, secret: str, *, body: bytes) -> RawRequest:
    auth = RequestSigner(
        ApiTarget("http://127.0.0.1", REGION, "execute-api", access_key_id, secret)
    )
    headers = {"Content-Type": "application/json"}
    plain = httpx.Request("POST", "http://127.0.0.1/api/v1/requests", content=body, headers=headers)
    signed = next(auth.auth_flow(plain))
    return RawRequest(
        method="POST",
        raw_path=signed.url.raw_path,
        raw_query=b"",
        headers=tuple((name.lower(), value) for name, value in signed.headers.raw),
        body=body,
    )


if __name__ == "__main__":
    print(asyncio.run(checks(each=1000)))
