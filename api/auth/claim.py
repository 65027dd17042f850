"""What a signed request claims: read from its Authorization header or from a presigned URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote_to_bytes

from api.auth.raw import RawRequest
from api.auth.signature_errors import Reason, SignatureError, malformed

ALGORITHM = "AWS4-HMAC-SHA256"
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
_EXPIRES = re.compile(r"\d{1,7}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The parts of either form as they were sent; nothing about them is checked yet."""

    algorithm: str
    credential: str
    signed_headers: str
    signature: str
    date: str
    lifetime: timedelta | None
    declared_hash: str | None


def read_claim(request: RawRequest) -> Claim:
    """Return the claim in ``request``, from its Authorization header or its query.

    Raises ``SignatureError`` when there is none, or it is ambiguous or incomplete.
    """
    parameters = _credential_parameters(request.raw_query)
    _refuse_repeated_headers(request)
    authorization = request.values(b"authorization")
    in_query = not _CREDENTIAL_PARAMETERS.isdisjoint(parameters)
    if authorization and in_query:
        raise malformed(
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


def is_presigned(raw_query: bytes) -> bool:
    """Return whether a query bears a signature, well-formed or not."""
    names = (unquote_to_bytes(pair.partition(b"=")[0]) for pair in raw_query.split(b"&"))
    return any(_SPELLINGS.get(_text(name).lower()) in _CREDENTIAL_PARAMETERS for name in names)


def _header_claim(request: RawRequest, authorization: bytes) -> Claim:
    algorithm, _, rest = _text(authorization).strip().partition(" ")
    fields = [field.strip().partition("=") for field in rest.split(",")]
    values = {name: value for name, _, value in fields}
    if algorithm != ALGORITHM:
        raise malformed(f"the Authorization header must begin with {ALGORITHM}")
    if len(fields) != len(values) or values.keys() != {"Credential", "SignedHeaders", "Signature"}:
        raise malformed(
            "the Authorization header needs Credential, SignedHeaders and Signature, once"
        )
    return Claim(
        algorithm=algorithm,
        credential=values["Credential"],
        signed_headers=values["SignedHeaders"],
        signature=values["Signature"],
        date=_single_value(request, b"x-amz-date") or "",
        lifetime=None,
        declared_hash=_single_value(request, b"x-amz-content-sha256"),
    )


def _presigned_claim(request: RawRequest, parameters: Mapping[str, str]) -> Claim:
    if request.method != "GET":
        raise malformed("a presigned URL is valid for GET only; sign this request in its headers")
    absent = sorted(_CREDENTIAL_PARAMETERS - parameters.keys())
    if absent:
        raise malformed(f"the presigned URL lacks {', '.join(absent)}")
    return Claim(
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
            raise malformed(
                f"the query parameter {spelling} must be sent once, spelled exactly like this"
            )
        found[name] = _text(unquote_to_bytes(raw_value))
    return found


def _refuse_repeated_headers(request: RawRequest) -> None:
    for name in _SINGLE_HEADERS:
        if len(request.values(name)) > 1:
            raise malformed(f"the header {name.decode()} was sent more than once")


def _single_value(request: RawRequest, name: bytes) -> str | None:
    values = request.values(name)
    return _text(values[0]).strip() if values else None


def _lifetime(text: str) -> timedelta:
    lifetime = timedelta(seconds=int(text)) if _EXPIRES.fullmatch(text) else timedelta()
    if not timedelta() < lifetime <= _LONGEST_EXPIRY:
        longest = int(_LONGEST_EXPIRY.total_seconds())
        raise malformed(f"X-Amz-Expires must be a number of seconds from 1 to {longest}")
    return lifetime


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
