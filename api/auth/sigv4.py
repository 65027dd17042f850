"""AWS Signature Version 4, header and presigned form: what a request claims, and whether it holds.

Pure functions over bytes: no store, no clock, no framework. Who owns a key is not decided here.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from api.auth.canonical import canonical_requests
from api.auth.raw import RawRequest

ALGORITHM = "AWS4-HMAC-SHA256"
_TERMINATOR = "aws4_request"
_DATE_FORM = "X-Amz-Date must be a UTC time written like 20260131T235959Z"
_LONGEST_EXPIRY = timedelta(days=7)
_SINGLE_HEADERS = (
    b"authorization",
    b"host",
    b"x-amz-date",
    b"x-amz-security-token",
    b"x-amz-content-sha256",
)
_CREDENTIAL_PARAMETERS = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    }
)
_SPELLINGS = {
    name.lower(): name
    for name in (*_CREDENTIAL_PARAMETERS, "X-Amz-Security-Token", "X-Amz-Content-Sha256")
}
_CREDENTIAL = re.compile(r"([A-Za-z0-9_-]{1,128})/(\d{8})/([^/]+)/([^/]+)/([^/]+)", re.ASCII)
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_EXPIRES = re.compile(r"\d{1,7}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")


class Reason(StrEnum):
    """Why a request is not authenticated, as its caller is told."""

    MISSING = "missing"
    MALFORMED = "malformed"
    EXPIRED = "expired"
    SIGNATURE_MISMATCH = "signature mismatch"


class SignatureError(Exception):
    """A request that cannot be authenticated: the reason class, and a sentence on what to do.

    Never holds the expected signature, the string to sign or a secret.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


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
    presigned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """The parts of either form before they were looked at."""

    algorithm: str
    credential: str
    signed_headers: str
    signature: str
    date: str
    lifetime: timedelta | None
    declared_hash: str | None


def parse(request: RawRequest, config: SigV4Config, now: datetime) -> ParsedSignature:
    """Return what ``request`` claims, after every check that needs no secret.

    ``now`` is aware. Raises ``SignatureError`` with the reason class.
    """
    head = parse_head(request, config, now)
    return replace(head, payload_hash=_payload_hash(head.payload_hash, request.body))


def parse_head(request: RawRequest, config: SigV4Config, now: datetime) -> ParsedSignature:
    """Return the same from what came before the body: its hash is the declared one, or empty."""
    parameters = _credential_parameters(request.raw_query)
    _refuse_repeated_headers(request)
    claim = _claim(request, parameters)
    if claim.algorithm != ALGORITHM:
        raise _malformed(f"the algorithm must be {ALGORITHM}")
    if _SIGNATURE.fullmatch(claim.signature) is None:
        raise _malformed("the signature must be 64 lower-case hexadecimal digits")
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
        presigned=claim.lifetime is not None,
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


def _claim(request: RawRequest, parameters: Mapping[str, str]) -> _Claim:
    authorization = request.values(b"authorization")
    in_query = not _CREDENTIAL_PARAMETERS.isdisjoint(parameters)
    if authorization and in_query:
        raise _malformed(
            "credentials are in the Authorization header and in the query; send one of them"
        )
    if in_query:
        return _presigned_claim(request, parameters)
    if authorization:
        return _header_claim(request, authorization[0])
    raise SignatureError(
        Reason.MISSING,
        "the request is not signed; sign it with AWS Signature Version 4 and an access key",
    )


def _header_claim(request: RawRequest, authorization: bytes) -> _Claim:
    algorithm, _, rest = _text(authorization).strip().partition(" ")
    fields = [field.strip().partition("=") for field in rest.split(",")]
    values = {name: value for name, _, value in fields}
    if algorithm != ALGORITHM:
        raise _malformed(f"the Authorization header must begin with {ALGORITHM}")
    if len(fields) != len(values) or values.keys() != {"Credential", "SignedHeaders", "Signature"}:
        raise _malformed(
            "the Authorization header needs Credential, SignedHeaders and Signature, once"
        )
    return _Claim(
        algorithm=algorithm,
        credential=values["Credential"],
        signed_headers=values["SignedHeaders"],
        signature=values["Signature"],
        date=_single_value(request, b"x-amz-date") or "",
        lifetime=None,
        declared_hash=_single_value(request, b"x-amz-content-sha256"),
    )


def _presigned_claim(request: RawRequest, parameters: Mapping[str, str]) -> _Claim:
    if request.method != "GET":
        raise _malformed("a presigned URL is good for GET only; sign this request in its headers")
    absent = sorted(_CREDENTIAL_PARAMETERS - parameters.keys())
    if absent:
        raise _malformed(f"the presigned URL lacks {', '.join(absent)}")
    return _Claim(
        algorithm=parameters["X-Amz-Algorithm"],
        credential=parameters["X-Amz-Credential"],
        signed_headers=parameters["X-Amz-SignedHeaders"],
        signature=parameters["X-Amz-Signature"],
        date=parameters["X-Amz-Date"],
        lifetime=_lifetime(parameters["X-Amz-Expires"]),
        declared_hash=parameters.get(
            "X-Amz-Content-Sha256", _single_value(request, b"x-amz-content-sha256")
        ),
    )


def _credential_parameters(raw_query: bytes) -> dict[str, str]:
    """Return the query's parameters that carry a signature, each once and spelt as AWS does."""
    found: dict[str, str] = {}
    for pair in raw_query.split(b"&"):
        raw_name, _, raw_value = pair.partition(b"=")
        name = _text(unquote_to_bytes(raw_name))
        spelling = _SPELLINGS.get(name.lower())
        if spelling is None:
            continue
        if name != spelling or spelling in found:
            raise _malformed(f"the query parameter {spelling} must be sent once, spelt like this")
        found[name] = _text(unquote_to_bytes(raw_value))
    return found


def _refuse_repeated_headers(request: RawRequest) -> None:
    for name in _SINGLE_HEADERS:
        if len(request.values(name)) > 1:
            raise _malformed(f"the header {name.decode()} was sent more than once")


def _single_value(request: RawRequest, name: bytes) -> str | None:
    values = request.values(name)
    return _text(values[0]).strip() if values else None


def _signed_at(date: str) -> datetime:
    if not date:
        raise _malformed("the request has no X-Amz-Date; signers add it")
    if _DATE.fullmatch(date) is None:
        raise _malformed(_DATE_FORM)
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed(_DATE_FORM) from None


def _access_key_id(claim: _Claim, config: SigV4Config) -> str:
    match = _CREDENTIAL.fullmatch(claim.credential)
    if match is None:
        raise _malformed(
            "the credential must be <access key id>/<date>/<region>/<service>/aws4_request"
        )
    access_key_id, day, *place = match.groups()
    if day != claim.date[:8]:
        raise _malformed("the credential's date differs from X-Amz-Date; sign again")
    if place != [config.region, config.service, _TERMINATOR]:
        raise _malformed(
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


def _lifetime(text: str) -> timedelta:
    lifetime = timedelta(seconds=int(text)) if _EXPIRES.fullmatch(text) else timedelta()
    if not timedelta() < lifetime <= _LONGEST_EXPIRY:
        longest = int(_LONGEST_EXPIRY.total_seconds())
        raise _malformed(f"X-Amz-Expires must be a number of seconds from 1 to {longest}")
    return lifetime


def _signed_headers(claim: _Claim, request: RawRequest) -> tuple[bytes, ...]:
    names = claim.signed_headers.split(";")
    if not all(map(_HEADER_NAME.fullmatch, names)):
        raise _malformed("SignedHeaders must be header names in lower case, separated by ';'")
    if names != sorted(set(names)):
        raise _malformed("SignedHeaders must be sorted and name each header once")
    received = {name.decode("latin-1") for name, _ in request.headers}
    unsigned = sorted(_must_be_signed(claim, received) - set(names))
    if unsigned:
        raise _malformed(f"these headers must be signed: {', '.join(unsigned)}")
    absent = sorted(set(names) - received)
    if absent:
        raise _malformed(f"SignedHeaders names headers that did not arrive: {', '.join(absent)}")
    return tuple(name.encode() for name in names)


def _must_be_signed(claim: _Claim, received: set[str]) -> set[str]:
    # A content hash that was sent is compared with the body, signed or not; some clients sign
    # without it.
    amz = {name for name in received if name.startswith("x-amz-")} - {"x-amz-content-sha256"}
    own_date = {"x-amz-date"} if claim.lifetime is None else set()
    return amz | own_date | {"host"}


def _declared_hash(claim: _Claim) -> str:
    declared = claim.declared_hash or ""
    if declared == "UNSIGNED-PAYLOAD" or declared.startswith("STREAMING-"):
        raise _malformed(f"{declared[:40]} is not accepted; sign the hash of the body")
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


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _malformed(message: str) -> SignatureError:
    return SignatureError(Reason.MALFORMED, message)
