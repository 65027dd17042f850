"""Sealing of secrets that are stored: one box, its key ring, its token form. No I/O here."""

import base64
import binascii
import hashlib
import hmac
import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_PREFIX = "pao:enc:v1:"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TOKEN = re.compile(r"pao:enc:v1:(?P<key_id>[A-Za-z0-9_-]{1,32}):(?P<sealed>[A-Za-z0-9_-]+)")


class SecretUnreadableError(Exception):
    """A sealed secret cannot be opened: its key is not here, its context differs, or it changed.

    The message names the key id at most: neither the token nor anything of its content.
    """


class SecretBox:
    """Seals and opens short secrets with AES-256-GCM, each bound to the place where it belongs.

    ``keys`` is ``"k1:<base64 of 32 bytes>,k0:<...>"``: the first key seals, every key opens, so a
    key is rotated by putting a new one in front. Safe to share between threads and tasks.
    """

    __slots__ = ("_active", "_fingerprint_keys", "_ring", "_signature_keys")

    def __init__(self, keys: str) -> None:
        ring = _read_ring(keys)
        self._ring = {key_id: AESGCM(key) for key_id, key in ring}
        # Every purpose has its own key.
        self._fingerprint_keys = {
            key_id: hmac.digest(key, b"pao fingerprint", hashlib.sha256) for key_id, key in ring
        }
        self._signature_keys = {
            key_id: hmac.digest(key, b"pao signal", hashlib.sha256) for key_id, key in ring
        }
        self._active = ring[0][0]

    def __repr__(self) -> str:
        return "SecretBox(...)"

    def __reduce__(self) -> str:
        raise TypeError("a SecretBox cannot be pickled or copied: it holds keys")

    def seal(self, plaintext: str, *, context: str) -> str:
        """Return a token that only this ring opens, and only for the same ``context``.

        ``context`` names the place (``request:<id>:field:<name>``); it is bound, not stored.
        Sealing the same text twice returns two different tokens.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ring[self._active].encrypt(
            nonce, plaintext.encode(errors="surrogatepass"), context.encode()
        )
        return f"{_PREFIX}{self._active}:{_encode(sealed)}"

    def open(self, token: str, *, context: str) -> str:
        """Return the text that was sealed for ``context``; raise ``SecretUnreadableError``."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise SecretUnreadableError("this is not a sealed secret; seal it again")
        key_id = match["key_id"]
        key = self._ring.get(key_id)
        if key is None:
            raise SecretUnreadableError(
                f"encryption key {key_id!r} is not in the key ring; add it after the active one"
            )
        return _decrypt(key, _decode(match["sealed"]), key_id=key_id, context=context)

    @property
    def active(self) -> str:
        """The id of the key that seals."""
        return self._active

    @property
    def former(self) -> list[str]:
        """The ids of the keys that only open."""
        return [key_id for key_id in self._ring if key_id != self._active]

    def is_active(self, token: str) -> bool:
        """Return whether a token was sealed with the key that seals now."""
        return token.startswith(self.token_prefix(self._active))

    @staticmethod
    def token_prefix(key_id: str) -> str:
        """Return how every token of a key begins."""
        return f"{_PREFIX}{key_id}:"

    def reseal(self, token: str, *, context: str) -> str:
        """Return the same secret, sealed with the active key; raise ``SecretUnreadableError``."""
        return self.seal(self.open(token, context=context), context=context)

    def fingerprint(self, data: bytes) -> str:
        """Return a keyed hash of ``data`` as ``<key id>:<hex>``; only the ring can compute it.

        HMAC-SHA-256 (RFC 2104), because what is hashed may hold a short password.
        """
        return f"{self._active}:{_keyed_hash(self._fingerprint_keys[self._active], data)}"

    def has_fingerprint(self, data: bytes, fingerprint: str) -> bool:
        """Return in constant time whether a key of the ring made ``fingerprint`` of ``data``."""
        return _is_made_by(self._fingerprint_keys, data, fingerprint)

    def sign(self, data: bytes) -> str:
        """Return a signature of ``data`` as ``<key id>:<hex>``; a fingerprint never passes for one.

        What callers send is fingerprinted, so a fingerprint must prove nothing.
        """
        return f"{self._active}:{_keyed_hash(self._signature_keys[self._active], data)}"

    def verify(self, data: bytes, signature: str) -> bool:
        """Return in constant time whether a key of the ring has signed ``data``."""
        return _is_made_by(self._signature_keys, data, signature)

    @staticmethod
    def is_sealed(value: object) -> bool:
        """Return whether ``value`` has the form of a token, of whatever key."""
        return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _is_made_by(keys: dict[str, bytes], data: bytes, token: str) -> bool:
    key_id, _, mark = token.partition(":")
    if key_id not in keys:
        return False
    return hmac.compare_digest(
        _keyed_hash(keys[key_id], data).encode(), mark.encode("utf-8", "replace")
    )


def _keyed_hash(key: bytes, data: bytes) -> str:
    return hmac.digest(key, data, hashlib.sha256).hex()


def generate_key() -> str:
    """Return a new random key as base64, to be put into a ring as ``<key id>:<this>``."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _decrypt(key: AESGCM, sealed: bytes, *, key_id: str, context: str) -> str:
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        raise SecretUnreadableError("this sealed secret is truncated; seal it again")
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return key.decrypt(nonce, body, context.encode()).decode(errors="surrogatepass")
    except InvalidTag:
        # Without "from None" the traceback would show nothing secret either, but it would suggest
        # that there is more to learn: GCM does not say which of the three it was.
        raise SecretUnreadableError(
            f"a secret sealed with key {key_id!r} cannot be opened: it was changed, it belongs to "
            "another place, or another key had this id; enter it again"
        ) from None


def _read_ring(keys: str) -> list[tuple[str, bytes]]:
    ring = [_read_key(entry, position) for position, entry in enumerate(keys.split(","), start=1)]
    if len({key_id for key_id, _ in ring}) != len(ring):
        raise ValueError("two encryption keys have the same id; ids must be unique")
    return ring


def _read_key(entry: str, position: int) -> tuple[str, bytes]:
    # An entry may be a key without its id, so no message repeats any part of what was given.
    key_id, separator, encoded = entry.strip().partition(":")
    if not separator or _KEY_ID.fullmatch(key_id) is None:
        raise ValueError(f"encryption key {position} must be '<id>:<base64 of 32 random bytes>'")
    key = _decode_key(encoded)
    if len(key) != _KEY_BYTES:
        raise ValueError(f"encryption key {position} must be base64 of exactly {_KEY_BYTES} bytes")
    return key_id, key


def _decode_key(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return b""


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raw = b""
    # The decoder ignores spare bits; one secret must not have several spellings.
    return raw if _encode(raw) == text else b""
