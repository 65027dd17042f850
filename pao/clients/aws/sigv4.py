"""AWS Signature Version 4 of one call: the headers that sign it.

botocore signs in the same way (a test compares them), but takes half a second to load: longer than
the rest of a command.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
_TERMINATOR = "aws4_request"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An access key to sign with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignableRequest:
    """The request to sign: path and query as they are sent, and the headers to protect."""

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: Mapping[str, str]
    body: bytes


def signature_headers(
    call: SignableRequest, key: SigningKey, *, service: str, region: str, at: datetime
) -> dict[str, str]:
    """Return the headers that sign a call at a time; ``headers`` of the call must have ``host``."""
    date = f"{at:%Y%m%dT%H%M%SZ}"
    lines = {name.lower(): " ".join(value.split()) for name, value in call.headers.items()}
    lines["x-amz-date"] = date
    signed = ";".join(sorted(lines))
    canonical = "\n".join(
        (
            call.method,
            quote(_normalize_path(call.raw_path.decode()), safe="/~"),
            "&".join(sorted(call.raw_query.decode().split("&"), key=_name_and_value)),
            *(f"{name}:{lines[name]}" for name in sorted(lines)),
            "",
            signed,
            hashlib.sha256(call.body).hexdigest(),
        )
    )
    scope = (date[:8], region, service, _TERMINATOR)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join((ALGORITHM, date, "/".join(scope), digest))
    secret = f"AWS4{key.secret_access_key}".encode()
    for part in scope:
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.digest(secret, to_sign.encode(), "sha256").hex()
    credential = "/".join((key.access_key_id, *scope))
    return {
        "X-Amz-Date": date,
        "Authorization": f"{ALGORITHM} Credential={credential}, SignedHeaders={signed}, "
        f"Signature={signature}",
    }


def _name_and_value(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name, value


def _normalize_path(path: str) -> str:
    """Return a path without empty and dot segments, as AWS signs it."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    trailing = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{trailing}"
