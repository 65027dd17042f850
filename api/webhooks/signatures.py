"""Whether a delivery is signed with one of our secrets; the body is hashed while it arrives."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr
from starlette.datastructures import Headers

SIGNING_PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
_GITHUB = re.compile(rb"sha256=[0-9a-f]{64}")
# Of Gitea, Forgejo and others; of Bitbucket; of Gitea and Gogs before they had the first.
_HEADERS = ("x-hub-signature-256", "x-hub-signature", "x-gitea-signature", "x-gogs-signature")
_WITHOUT_NAME = frozenset({"x-gitea-signature", "x-gogs-signature"})
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_LONGEST = 4096


class SignatureVerifier(Protocol):
    """Verifies one delivery: it is fed the body as it arrives, and asked at the end."""

    def update(self, piece: bytes) -> None:
        """Hash the next piece of the body."""
        ...

    def is_genuine(self) -> bool:
        """Return whether the whole body was signed with one of the secrets."""
        ...


class GitHubVerifier:
    """``X-Hub-Signature-256``: ``sha256=`` and 64 lower-case digits, over the body alone."""

    def __init__(self, headers: Headers, secrets: Sequence[SecretStr]) -> None:
        self._given = self._signature(headers)
        self._macs = [_mac(secret.get_secret_value().encode()) for secret in secrets]

    def update(self, piece: bytes) -> None:
        """Hash the next piece of the body."""
        for mac in self._macs:
            mac.update(piece)

    def is_genuine(self) -> bool:
        """Return whether the whole body was signed with one of the secrets."""
        if not _GITHUB.fullmatch(self._given):
            return False
        return _any_equal(
            (f"sha256={mac.hexdigest()}".encode() for mac in self._macs), [self._given]
        )

    def _signature(self, headers: Headers) -> bytes:
        return _only(headers, "x-hub-signature-256")


class GitVerifier(GitHubVerifier):
    """The same by whichever header a forge has for it; the first of them counts."""

    def _signature(self, headers: Headers) -> bytes:
        name = next((one for one in _HEADERS if one in headers), "")
        given = _only(headers, name)
        return b"sha256=" + given if name in _WITHOUT_NAME else given


class GitLabVerifier:
    """``webhook-signature`` where the delivery has one, else the plain ``X-Gitlab-Token``.

    A secret that begins with ``whsec_`` signs; as a plain token it is never taken, and neither is
    any other secret for a signature.
    """

    def __init__(self, headers: Headers, secrets: Sequence[SecretStr], now: datetime) -> None:
        texts = [secret.get_secret_value() for secret in secrets]
        signed = headers.getlist("webhook-signature")
        self._is_signed = bool(signed)
        self._given = _signatures(signed[0]) if len(signed) == 1 else []
        self._macs = [_mac(key) for text in texts if (key := _signing_key(text)) is not None]
        self._token = _only(headers, "x-gitlab-token")
        self._plain = [text.encode() for text in texts if not text.startswith(SIGNING_PREFIX)]
        stamp = headers.get("webhook-timestamp", "")
        self._is_recent = _is_recent(stamp, now)
        start = f"{headers.get('webhook-id', '')}.{stamp}."
        self.update(start.encode("latin-1", errors="replace"))

    def update(self, piece: bytes) -> None:
        """Hash the next piece of the body."""
        for mac in self._macs:
            mac.update(piece)

    def is_genuine(self) -> bool:
        """Return whether one of the secrets was used, in the way that it is for."""
        if not self._is_signed:
            return bool(self._token) and _any_equal(self._plain, [self._token])
        return self._is_recent and _any_equal((mac.digest() for mac in self._macs), self._given)


def _only(headers: Headers, name: str) -> bytes:
    """Return the only value of a header; empty if it is sent twice."""
    given = headers.getlist(name)
    return given[0].encode("latin-1") if len(given) == 1 else b""


def _mac(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)


def _any_equal(made: Iterable[bytes], given: Sequence[bytes]) -> bool:
    """Compare each with each in constant time, whatever is found."""
    found = False
    for one in made:
        for other in given:
            found |= hmac.compare_digest(one, other)
    return found


def _signing_key(secret: str) -> bytes | None:
    if not secret.startswith(SIGNING_PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX), validate=True)
    except binascii.Error:
        return None
    # Anybody could sign with an empty one.
    return key or None


def _signatures(header: str) -> list[bytes]:
    """Return the signatures of version 1; there may be others."""
    found = []
    for one in header[:_LONGEST].split():
        version, _, text = one.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def _is_recent(stamp: str, now: datetime) -> bool:
    if not _TIMESTAMP.fullmatch(stamp):
        return False
    return abs(now.timestamp() - int(stamp)) <= TOLERANCE.total_seconds()
