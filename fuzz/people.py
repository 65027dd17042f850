"""Who calls, and how they sign. Shared by the preparation and the calls themselves."""

import os
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4
from zlib import crc32

import httpx
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import BaseModel, ConfigDict, Field

from pao.app.cli.http import BASE_PATH, RequestSigner
from pao.app.cli.profiles import ApiTarget

PLACE = "PAO_FUZZ_PLACE"
SERVICE = "execute-api"
# An admin may do most, so that most calls get far; the others meet what they may not do.
TURNS = ("admin", "admin", "admin", "admin", "developer", "platform")


class FuzzTarget(BaseModel):
    """Where the stack is, and the access key (id and secret) of each user."""

    model_config = ConfigDict(frozen=True)

    url: str
    region: str
    keys: dict[str, tuple[str, str]] = Field(repr=False)

    @classmethod
    def from_environment(cls) -> Self:
        """Read what the program that started this one has handed over."""
        return cls.model_validate_json(os.environ[PLACE])

    def client(self, user: str) -> httpx.Client:
        """Return a client whose calls are signed by a user."""
        key_id, secret = self.keys[user]
        auth = RequestSigner(ApiTarget(self.url, self.region, SERVICE, key_id, secret))
        base = f"{self.url}{BASE_PATH}"
        return httpx.Client(base_url=base, auth=auth, timeout=30, trust_env=False)


class Signature(requests.auth.AuthBase):
    """Signs every call for one of the users; which one follows from the call alone.

    So the same seed makes the same calls in the same names. Signed are the bytes that are sent.
    """

    def __init__(self, place: FuzzTarget) -> None:
        self._signers = {
            user: SigV4Auth(Credentials(*key), SERVICE, place.region)
            for user, key in place.keys.items()
        }
        self._ours = {key_id for key_id, _ in place.keys.values()}

    def __call__(self, call: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the signature's headers."""
        self._spare_our_keys(call)
        # Two equal calls within a second would be signed alike, and the second refused as captured.
        call.headers["X-Correlation-ID"] = str(uuid4())
        signed = {"X-Correlation-ID": call.headers["X-Correlation-ID"]}
        to_sign = AWSRequest(method=call.method, url=call.url, data=call.body, headers=signed)
        self._signers[self._user(call)].add_auth(to_sign)
        for name in ("Authorization", "X-Amz-Date"):
            call.headers[name] = to_sign.headers[name]
        return call

    def _spare_our_keys(self, call: requests.PreparedRequest) -> None:
        """Send a revocation of a caller's own key to one that nobody has: nobody else calls."""
        path, _, key_id = (call.url or "").rpartition("/")
        if call.method == "DELETE" and key_id in self._ours:
            call.url = f"{path}/{'PAO' + 'A' * 17}"

    def _user(self, call: requests.PreparedRequest) -> str:
        target = urlsplit(call.url or "")
        text = f"{call.method} {target.path}?{target.query}".encode()
        return TURNS[crc32(text + sent_body(call)) % len(TURNS)]


def sent_body(call: requests.PreparedRequest) -> bytes:
    """Return the bytes of a call's body."""
    body = call.body or b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    raise TypeError(f"a body of type {type(body)} cannot be signed")
