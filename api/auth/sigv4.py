"""AWS Signature Version 4: whether a claim is well-formed and timely, and whether it holds.

Pure functions over bytes: no store, no clock, no framework. Who owns a key is not decided here.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from api.auth.canonical import canonical_requests
from api.auth.claim import ALGORITHM, Claim, read_claim
from api.auth.raw import RawRequest
from api.auth.signature_errors import Reason, SignatureError, malformed

_TERMINATOR = "aws4_request"
_DATE_FORM = "X-Amz-Date must be a UTC time written like 20260131T235959Z"
_CREDENTIAL = re.compile(r"([A-Za-z0-9_-]{1,128})/(\d{8})/([^/]+)/([^/]+)/([^/]+)", re.ASCII)
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4Config:
    """What a signature must be made for; ``clock_skew`` is allowed in both directions."""

    region: str
    service: str = "execute-api"
    clock_skew: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSignature:
    """A well-formed, timely claim by ``access_key_id``; nothing about it is verified yet.

    ``payload_hash`` was computed here from the body that was received.
    """

    access_key_id: str
    signature: str
    signed_headers: tuple[bytes, ...]
    signed_at: datetime
    region: str
    service: str
    payload_hash: str


def parse(request: RawRequest, config: SigV4Config, now: datetime) -> ParsedSignature:
    """Return what ``request`` claims, after every check that needs no secret.

    ``now`` is aware. Raises ``SignatureError`` with the reason class.
    """
    head = parse_head(request, config, now)
    return replace(head, payload_hash=_payload_hash(head.payload_hash, request.body))


def parse_head(request: RawRequest, config: SigV4Config, now: datetime) -> ParsedSignature:
    """Return the same from what came before the body: its hash is the declared one, or empty."""
    claim = read_claim(request)
    if claim.algorithm != ALGORITHM:
        raise malformed(f"the algorithm must be {ALGORITHM}")
    if _SIGNATURE.fullmatch(claim.signature) is None:
        raise malformed("the signature must be 64 lower-case hexadecimal digits")
    signed_at = _signed_at(claim.date)
    access_key_id = _access_key_id(claim, config)
    _check_clock(signed_at, claim.lifetime, config, now)
    return ParsedSignature(
        access_key_id=access_key_id,
        signature=claim.signature,
        signed_headers=_signed_headers(claim, request),
        signed_at=signed_at,
        region=config.region,
        service=config.service,
        payload_hash=_declared_hash(claim),
    )


def matches(parsed: ParsedSignature, request: RawRequest, secret: str) -> bool:
    """Return whether ``secret`` signed ``request`` in one of the forms that real clients sign.

    A wrong secret costs the same as an altered request: every form is tried in constant time.
    """
    day = parsed.signed_at.strftime("%Y%m%d")
    key = _signing_key(secret, day, parsed.region, parsed.service)
    scope = f"{day}/{parsed.region}/{parsed.service}/{_TERMINATOR}"
    head = f"{ALGORITHM}\n{parsed.signed_at:%Y%m%dT%H%M%SZ}\n{scope}\n"
    forms = canonical_requests(
        request,
        signed_headers=parsed.signed_headers,
        payload_hash=parsed.payload_hash.encode(),
    )
    for form in forms:
        string_to_sign = head + hashlib.sha256(form).hexdigest()
        if hmac.compare_digest(_hmac(key, string_to_sign).hex(), parsed.signature):
            return True
    return False


def _signed_at(date: str) -> datetime:
    if not date:
        raise malformed("the request has no X-Amz-Date; signers add it")
    if _DATE.fullmatch(date) is None:
        raise malformed(_DATE_FORM)
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise malformed(_DATE_FORM) from None


def _access_key_id(claim: Claim, config: SigV4Config) -> str:
    match = _CREDENTIAL.fullmatch(claim.credential)
    if match is None:
        raise malformed(
            "the credential must be <access key id>/<date>/<region>/<service>/aws4_request"
        )
    access_key_id, day, *place = match.groups()
    if day != claim.date[:8]:
        raise malformed("the credential's date differs from X-Amz-Date; sign again")
    if place != [config.region, config.service, _TERMINATOR]:
        raise malformed(
            f"sign for region {config.region!r} and service {config.service!r}, "
            f"ending in {_TERMINATOR!r}"
        )
    return access_key_id


def _check_clock(
    signed_at: datetime, lifetime: timedelta | None, config: SigV4Config, now: datetime
) -> None:
    # Ages are compared, not times: a date near the end of the calendar cannot be added to.
    age = now - signed_at
    if -config.clock_skew <= age <= (lifetime or config.clock_skew):
        return
    raise SignatureError(
        Reason.EXPIRED,
        f"signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}, which is not valid at this server's time "
        f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}; check the clock and sign again",
    )


def _signed_headers(claim: Claim, request: RawRequest) -> tuple[bytes, ...]:
    names = claim.signed_headers.split(";")
    if not all(map(_HEADER_NAME.fullmatch, names)):
        raise malformed("SignedHeaders must be header names in lower case, separated by ';'")
    if names != sorted(set(names)):
        raise malformed("SignedHeaders must be sorted and name each header once")
    received = {name.decode("latin-1") for name, _ in request.headers}
    unsigned = sorted(_must_be_signed(claim, received) - set(names))
    if unsigned:
        raise malformed(f"these headers must be signed: {', '.join(unsigned)}")
    absent = sorted(set(names) - received)
    if absent:
        raise malformed(f"SignedHeaders names headers that did not arrive: {', '.join(absent)}")
    return tuple(name.encode() for name in names)


def _must_be_signed(claim: Claim, received: set[str]) -> set[str]:
    # A content hash that was sent is compared with the body, signed or not; some clients sign
    # without it.
    amz = {name for name in received if name.startswith("x-amz-")} - {"x-amz-content-sha256"}
    own_date = {"x-amz-date"} if claim.lifetime is None else set()
    return amz | own_date | {"host"}


def _declared_hash(claim: Claim) -> str:
    declared = claim.declared_hash or ""
    if declared == "UNSIGNED-PAYLOAD" or declared.startswith("STREAMING-"):
        raise malformed(f"{declared[:40]} is not accepted; sign the hash of the body")
    return declared


def _payload_hash(declared: str, body: bytes) -> str:
    actual = hashlib.sha256(body).hexdigest()
    if not declared or hmac.compare_digest(declared.encode(), actual.encode()):
        return actual
    raise SignatureError(
        Reason.SIGNATURE_MISMATCH,
        "X-Amz-Content-Sha256 is not the hash of the body that arrived; sign again",
    )


@lru_cache(maxsize=1024)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, _TERMINATOR):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.digest(key, message.encode(), "sha256")
