"""Tokens of an issuer (RFC 7519): whether one holds, by the keys that the issuer publishes.

Nothing in a token decides how it is verified: algorithms, issuer and keys are configured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import jwt
from jwt.utils import base64url_decode

from api.auth.signature_errors import Reason, SignatureError, malformed
from pao.core.strict_json import read_json

ALGORITHMS = ("RS256", "ES256", "ES384")
LEEWAY_SECONDS = 60
LONGEST_TOKEN = 16 * 1024
# Keys, or addresses of keys, inside the token: whoever forged the token also chose them.
_OWN_KEYS = ("jku", "x5u", "jwk", "x5c")
_TIMES = ("exp", "nbf", "iat")
_PARTS = 3


class KeySource(Protocol):
    """Where an issuer's keys come from."""

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """Return a key by its id, without one the only key; None if the issuer has no such key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token must say: who issued it, for whom, and which claims it must hold."""

    issuer: str
    audience: str
    required: tuple[str, ...] = ("exp", "iat", "iss", "aud", "sub")


async def verify_token(token: str, rules: TokenRules, keys: KeySource) -> Mapping[str, Any]:
    """Return the claims of a token that holds.

    Raises ``SignatureError`` with the reason class, and whatever ``keys`` raises.
    """
    header = read_header(token)
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise malformed("the token's key id (kid) is not a string")
    key = await keys.find(kid)
    if key is None or key.algorithm_name != header["alg"]:
        raise SignatureError(Reason.SIGNATURE_MISMATCH, "the issuer has no such key for the token")
    return decode_token(token, key, rules)


def read_header(token: str) -> Mapping[str, Any]:
    """Return the header of a well-formed token, of which nothing is believed yet."""
    if len(token) > LONGEST_TOKEN:
        raise malformed(f"the token is longer than {LONGEST_TOKEN} bytes")
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise malformed("the token must have three parts")
    header, claims = (_part(text) for text in parts[:2])
    if header.get("alg") not in ALGORITHMS:
        raise malformed(f"the token's algorithm must be one of {', '.join(ALGORITHMS)}")
    if own_keys := [name for name in _OWN_KEYS if name in header]:
        raise malformed(f"the token brings its own key ({own_keys[0]}), which is not accepted")
    # PyJWT accepts anything that converts to a number, even texts and booleans.
    if invalid_times := [
        name for name in _TIMES if name in claims and moment(claims[name]) is None
    ]:
        raise malformed(f"the token's {invalid_times[0]} is not a time in seconds")
    return header


def decode_token(token: str, key: jwt.PyJWK, rules: TokenRules) -> Mapping[str, Any]:
    """Return the claims of a token that ``key`` has signed and that follows the rules."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=[key.algorithm_name],
            audience=rules.audience,
            issuer=rules.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(rules.required)},
        )
    except jwt.ExpiredSignatureError:
        raise SignatureError(Reason.EXPIRED, "the token has expired; get a new one") from None
    except jwt.InvalidSignatureError:
        raise SignatureError(
            Reason.SIGNATURE_MISMATCH, "the signature of the token does not match"
        ) from None
    except jwt.InvalidTokenError as error:
        raise malformed(_reason(error)) from None
    return claims


def moment(seconds: Any) -> datetime | None:
    """Return a time of a token (RFC 7519, NumericDate); None for anything else.

    That is: a text, a boolean, a time in milliseconds, one before 1970 or beyond the calendar.
    """
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds >= 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def usable_keys(documents: Sequence[Any]) -> dict[str, jwt.PyJWK]:
    """Return the keys of a JWKS by id: those that verify one of our algorithms."""
    found: dict[str, jwt.PyJWK] = {}
    for document in documents:
        key = _key(document)
        if key is not None:
            found[key.key_id or ""] = key
    return found


def select_key(keys: Mapping[str, jwt.PyJWK], kid: str | None) -> jwt.PyJWK | None:
    """Return the key of an id; a token may leave the id out where there is one key only."""
    if kid is not None:
        return keys.get(kid)
    return next(iter(keys.values())) if len(keys) == 1 else None


def _key(document: Any) -> jwt.PyJWK | None:
    if not isinstance(document, dict) or document.get("use", "sig") != "sig":
        return None
    # Without a private part: one that is published proves nothing.
    if document.get("kty") not in ("RSA", "EC") or "d" in document:
        return None
    if not isinstance(document.get("kid"), str | None):
        return None
    try:
        key = jwt.PyJWK.from_dict(document)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    weak = key.Algorithm.check_key_length(key.key)
    return key if key.algorithm_name in ALGORITHMS and weak is None else None


def _part(text: str) -> Mapping[str, Any]:
    try:
        found = read_json(base64url_decode(text).decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise malformed("the token is not readable")
    return found


def _reason(error: jwt.InvalidTokenError) -> str:
    match error:
        case jwt.InvalidAudienceError():
            return "the token is for another audience (aud)"
        case jwt.InvalidIssuerError():
            return "the token is from another issuer (iss)"
        case jwt.MissingRequiredClaimError():
            return f"the token lacks the claim {error.claim}"
        case jwt.ImmatureSignatureError() | jwt.InvalidIssuedAtError():
            return "the token is not valid yet; check the issuer's clock"
        case _:
            return "the token is not readable"
