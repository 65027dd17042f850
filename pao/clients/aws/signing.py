"""The format of a signed `sts:GetCallerIdentity` that is valid for one call of PAO.

The caller signs what PAO will send to STS, and with it this service's id, a nonce, and a hash of
the call; PAO rebuilds the request from its own values and has STS check the signature. Client and
service share this file; only the four values of `Proof` travel.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

HEADER = "X-PAO-STS"
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
ACCEPT = "application/json"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
DATE = "X-Amz-Date"
TOKEN = "X-Amz-Security-Token"  # noqa: S105 -- a header's name
NONCE = "X-PAO-Nonce"
REQUEST_HASH = "X-PAO-Request-Sha256"
SERVER_ID = "X-PAO-Server-Id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The contents of the header, as base64url of JSON."""

    authorization: str
    date: str
    nonce: str
    token: str | None = None

    def encode(self) -> str:
        """Return the header's value."""
        values = {"authorization": self.authorization, "date": self.date, "nonce": self.nonce}
        if self.token is not None:
            values["token"] = self.token
        text = json.dumps(values, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def default_sts_url(region: str) -> str:
    """Return the address of STS in a region; China's regions have another domain."""
    return f"https://sts.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def request_hash(method: str, raw_path: bytes, raw_query: bytes, body: bytes) -> str:
    """Return what binds a signature to one call, over the bytes of its request line and body."""
    digest = hashlib.sha256(body).hexdigest().encode()
    return hashlib.sha256(b"\n".join((method.encode(), raw_path, raw_query, digest))).hexdigest()


def sts_headers(  # noqa: PLR0913 -- what is signed, each part named
    *, sts_url: str, date: str, nonce: str, token: str | None, request_sha256: str, server_id: str
) -> dict[str, str]:
    """Return all headers that are signed and sent to STS, without the signature."""
    headers = {
        "Accept": ACCEPT,
        "Content-Type": CONTENT_TYPE,
        "Host": urlsplit(sts_url).netloc,
        DATE: date,
        NONCE: nonce,
        REQUEST_HASH: request_sha256,
        SERVER_ID: server_id,
    }
    return headers if token is None else headers | {TOKEN: token}


def signed_headers(*, with_token: bool) -> str:
    """Return the one list of signed headers that is accepted."""
    names = ["accept", "content-type", "host", "x-amz-date"]
    names += ["x-amz-security-token"] if with_token else []
    return ";".join([*names, "x-pao-nonce", "x-pao-request-sha256", "x-pao-server-id"])


def sign(  # noqa: PLR0913 -- what a signature covers, each part named
    credentials: Any,
    *,
    sts_url: str,
    region: str,
    server_id: str,
    method: str,
    raw_path: bytes,
    raw_query: bytes,
    body: bytes,
) -> str:
    """Return the header's value for a call, signed with botocore's credentials (frozen ones)."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415 -- the service never signs
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 -- as above

    nonce = secrets.token_urlsafe(24)
    headers = sts_headers(
        sts_url=sts_url,
        date="",
        nonce=nonce,
        token=credentials.token,
        request_sha256=request_hash(method, raw_path, raw_query, body),
        server_id=server_id,
    )
    # The signer sets the date and the token itself.
    for name in (DATE, TOKEN):
        headers.pop(name, None)
    request = AWSRequest("POST", sts_url.rstrip("/") + "/", headers=headers, data=BODY)
    SigV4Auth(credentials, "sts", region).add_auth(request)
    return Proof(
        authorization=str(request.headers["Authorization"]),
        date=str(request.headers[DATE]),
        nonce=nonce,
        token=credentials.token,
    ).encode()
