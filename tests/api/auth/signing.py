"""Signed requests for tests, made by botocore's signer, and stores that live in memory."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from api.auth.keys import KeysIdentity, NewKey, StoredKey, TeamsOf, create_key
from api.auth.raw import RawRequest
from api.auth.replay import ClaimedSignature
from pao.runtime.crypto import SecretBox, generate_key

REGION = "eu-west-1"
SERVICE = "execute-api"
HOST = "pao.example"
KEY_ID = "PAOTESTKEY"
SECRET = "a-secret-of-forty-characters-for-testing"


def sign(  # noqa: PLR0913 -- every argument is one thing that a test varies
    method: str = "GET",
    target: str = "/api/v1/requests",
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    key_id: str = KEY_ID,
    secret: str = SECRET,
    region: str = REGION,
    service: str = SERVICE,
    token: str | None = None,
) -> RawRequest:
    """Return a request signed in its headers, as it would arrive."""
    request = AWSRequest(method, f"http://{HOST}{target}", data=body, headers=headers or {})
    request.headers["Host"] = HOST
    SigV4Auth(Credentials(key_id, secret, token), service, region).add_auth(request)
    return _received_request(request, body)


def presign(
    target: str = "/api/v1/requests",
    *,
    method: str = "GET",
    expires: int = 60,
    key_id: str = KEY_ID,
    secret: str = SECRET,
) -> RawRequest:
    """Return a request whose URL carries the signature."""
    request = AWSRequest(method, f"http://{HOST}{target}")
    request.headers["Host"] = HOST
    signer = SigV4QueryAuth(Credentials(key_id, secret), SERVICE, REGION, expires=expires)
    signer.add_auth(request)
    return _received_request(request, b"")


def _received_request(request: AWSRequest, body: bytes) -> RawRequest:
    url = urlsplit(request.url)
    headers = tuple(
        (name.lower().encode(), str(value).encode()) for name, value in request.headers.items()
    )
    return RawRequest(request.method, url.path.encode(), url.query.encode(), headers, body)


@dataclass
class KeysInMemory:
    """A KeyStore over a dictionary."""

    keys: dict[str, StoredKey] = field(default_factory=dict)
    used: list[tuple[str, timedelta]] = field(default_factory=list)

    async def find(self, access_key_id: str) -> StoredKey | None:
        return self.keys.get(access_key_id)

    async def note_use(self, access_key_id: str, *, unless_within: timedelta) -> None:
        self.used.append((access_key_id, unless_within))


@dataclass
class ReplaysInMemory:
    """A ReplayStore over a dictionary; tests give it the time."""

    now: datetime
    used: dict[bytes, ClaimedSignature] = field(default_factory=dict)

    async def claim(
        self, signature_hash: bytes, *, holder: bytes, expires_at: datetime
    ) -> ClaimedSignature:
        held = self.used.get(signature_hash)
        if held is None or held.expires_at <= self.now:
            held = self.used[signature_hash] = ClaimedSignature(holder, expires_at)
        return held


@dataclass
class Office:
    """An identity source with one key that it issued."""

    key: NewKey
    keys: KeysInMemory
    replays: ReplaysInMemory
    identity: KeysIdentity


def open_office(teams: TeamsOf | None = None) -> Office:
    """Return an identity source that knows one user, Ada of the team platform.

    ``teams`` are those of callers for whom AWS vouches.
    """
    box = SecretBox(f"k1:{generate_key()}")
    key = create_key(box)
    stored = StoredKey(
        access_key_id=key.access_key_id,
        sealed_secret=key.sealed_secret,
        user_id="ada",
        email="ada@example.com",
        teams=("platform",),
        revoked_at=None,
    )
    keys = KeysInMemory({key.access_key_id: stored})
    replays = ReplaysInMemory(now=datetime.now(UTC))
    identity = KeysIdentity(keys, box, replays, teams=teams, region=REGION)
    return Office(key, keys, replays, identity)
