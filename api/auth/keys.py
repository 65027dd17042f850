"""The identity source `keys`: signatures by access keys that this service issued itself."""

import math
import re
import secrets
import string
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from api.auth.claim import ALGORITHM
from api.auth.principal import Principal, aws_user, own_user
from api.auth.raw import RawRequest
from api.auth.replay import ReplayStore, is_first_use
from api.auth.signature_errors import Reason, SignatureError
from api.auth.sigv4 import ParsedSignature, SigV4Config, matches, parse, parse_head
from pao.clients.aws.caller import AwsCaller
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.timestamps import timestamp
from pao.runtime.crypto import SecretBox, SecretUnreadableError

_ACCESS_KEY_ID_PREFIX = "PAO"
_ACCESS_KEY_ID_ALPHABET = string.ascii_uppercase + "234567"
_ACCESS_KEY_ID_RANDOM = 17
# The id of a session's key says when that ends, in seconds since 1970.
_SESSION_ID = re.compile(r"PAO-(?P<ends_at>\d{1,11})-[A-Z2-7]+")
_SECRET_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 40
# The last use is needed to the day only, for cleaning up keys; a write per call would cost more.
_USE_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An access key as it is stored, with the user it belongs to."""

    access_key_id: str
    sealed_secret: str = field(repr=False)
    user_id: str
    email: str | None
    teams: tuple[str, ...]
    revoked_at: datetime | None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    source: str = "keys"
    is_session: bool = False
    aws: AwsCaller | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made: ``secret`` is shown to its owner once, ``sealed_secret`` is stored."""

    access_key_id: str
    secret: str = field(repr=False)
    sealed_secret: str = field(repr=False)


TeamsOf = Callable[[AwsCaller], Awaitable[tuple[str, ...]]]
"""Returns the teams of a user of AWS."""


class KeyStore(Protocol):
    """Where issued access keys are kept."""

    async def find(self, access_key_id: str) -> StoredKey | None:
        """Return the key as it is now, revoked or not; ``None`` when it was never issued."""

    async def note_use(self, access_key_id: str, *, unless_within: timedelta) -> None:
        """Record that the key is used now, unless that was recorded within this time."""


class KeysIdentity:
    """Authenticates requests that are signed with AWS Signature Version 4 and our access keys.

    A key is read for every call, so a revocation holds from the moment it is stored, in every
    process.
    """

    def __init__(  # noqa: PLR0913 -- its parts, each named
        self,
        store: KeyStore,
        box: SecretBox,
        replays: ReplayStore,
        *,
        teams: TeamsOf | None = None,
        region: str,
        service: str = "execute-api",
    ) -> None:
        self._store = store
        self._box = box
        self._replays = replays
        self._teams = teams
        self._config = SigV4Config(region=region, service=service)
        self._placeholder = _placeholder_key(box)

    def check_head(self, request: RawRequest, now: datetime) -> None:
        """Raise ``UNAUTHORIZED`` for what can be refused before the body is read.

        Whether the key exists is not checked here: the timing would reveal it.
        """
        try:
            parse_head(request, self._config, now)
        except SignatureError as error:
            raise unauthorized(error.reason, error.message) from None

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        """Return who signed ``request``; raise ``PaoError`` ``UNAUTHORIZED`` with the reason class.

        An unknown access key and a wrong signature cost the same work and get the same answer.
        Accepting a request that is not a GET uses its signature up.
        """
        try:
            parsed = parse(request, self._config, now)
        except SignatureError as error:
            raise unauthorized(error.reason, error.message) from None
        # An unknown key is checked like any other, against a placeholder: timing reveals nothing.
        stored = await self._store.find(parsed.access_key_id) or self._placeholder
        self._verify(parsed, request, stored, now)
        if not await is_first_use(parsed, request, self._replays, now=now):
            raise unauthorized(
                Reason.EXPIRED,
                "this signature was already used; sign again or send an Idempotency-Key",
            )
        if stored.last_used_at is None or stored.last_used_at <= now - _USE_NOTED_EVERY:
            await self._store.note_use(stored.access_key_id, unless_within=_USE_NOTED_EVERY)
        return await principal_now(stored, self._teams)

    async def is_still_valid(self, caller: Principal, now: datetime) -> bool:
        """Return whether the caller's key is still valid; it may have been checked long ago."""
        stored = await self._store.find(caller.access_key_id or "")
        return stored is not None and invalid_reason(stored, now) is None

    def _verify(
        self, parsed: ParsedSignature, request: RawRequest, stored: StoredKey, now: datetime
    ) -> None:
        if not matches(parsed, request, self._secret_of(stored)) or stored is self._placeholder:
            raise unauthorized(
                Reason.SIGNATURE_MISMATCH,
                "the access key is unknown or the signature does not match; check the access key "
                "id and its secret, and that nothing changed the request after it was signed",
            )
        # Only a caller with the secret learns this; all others got the error above.
        ended = invalid_reason(stored, now)
        if ended is not None:
            raise unauthorized(Reason.EXPIRED, f"{ended}; ask for a new one")

    def _secret_of(self, stored: StoredKey) -> str:
        try:
            return self._box.open(
                stored.sealed_secret, context=secret_context(stored.access_key_id)
            )
        except SecretUnreadableError as error:
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                f"the secret of access key {stored.access_key_id} cannot be decrypted here; the "
                "operator must restore its encryption key, or issue a new access key",
                headers={"Retry-After": "60"},
            ) from error


def create_key(box: SecretBox, *, session_until: datetime | None = None) -> NewKey:
    """Return a new access key with its secret in clear and sealed; it is not stored yet.

    The key of a session has its end in its id, to which the secret is sealed: the row, which is
    removed after that, is worthless if it is stored again.
    """
    until = f"-{math.ceil(session_until.timestamp())}-" if session_until else ""
    random_part = _random_text(_ACCESS_KEY_ID_ALPHABET, length=_ACCESS_KEY_ID_RANDOM)
    access_key_id = f"{_ACCESS_KEY_ID_PREFIX}{until}{random_part}"
    secret = _random_text(_SECRET_ALPHABET, length=_SECRET_LENGTH)
    sealed = box.seal(secret, context=secret_context(access_key_id))
    return NewKey(access_key_id=access_key_id, secret=secret, sealed_secret=sealed)


def _placeholder_key(box: SecretBox) -> StoredKey:
    key = create_key(box)
    return StoredKey(
        access_key_id=key.access_key_id,
        sealed_secret=key.sealed_secret,
        user_id="",
        email=None,
        teams=(),
        revoked_at=None,
    )


def invalid_reason(stored: StoredKey, now: datetime) -> str | None:
    """Return why a key is no longer valid; None if it is valid."""
    if stored.revoked_at is not None:
        return f"access key {stored.access_key_id} was revoked"
    ends = [one for one in (stored.expires_at, _session_end(stored.access_key_id)) if one]
    if ends and min(ends) <= now:
        return f"access key {stored.access_key_id} expired at {timestamp(min(ends))}"
    return None


def principal_of(stored: StoredKey, *, source: str | None = None) -> Principal:
    """Return the user of a key; ``source`` None is the one that the key was opened by."""
    source = source or stored.source
    if stored.aws is not None:
        return aws_user(
            stored.user_id,
            stored.aws,
            teams=stored.teams,
            source=source,
            access_key_id=stored.access_key_id,
        )
    return own_user(
        stored.user_id,
        email=stored.email,
        teams=stored.teams,
        source=source,
        access_key_id=stored.access_key_id,
    )


async def principal_now(
    stored: StoredKey, teams: TeamsOf | None, *, source: str | None = None
) -> Principal:
    """Return the same with the current teams; those of users of AWS are read again."""
    if stored.aws is not None:
        found = await teams(stored.aws) if teams is not None else ()
        stored = replace(stored, teams=found)
    return principal_of(stored, source=source)


def unauthorized(reason: Reason, message: str) -> PaoError:
    """Return the refusal of a caller, with its reason class."""
    return PaoError(
        ErrorCode.UNAUTHORIZED,
        f"{reason.value}: {message}",
        details=(Detail(field="Authorization", constraint=reason.value, message=message),),
        headers={"WWW-Authenticate": ALGORITHM},
    )


def secret_context(access_key_id: str) -> str:
    """Return what the secret of an access key is bound to."""
    return f"access-key:{access_key_id}"


def _session_end(access_key_id: str) -> datetime | None:
    found = _SESSION_ID.fullmatch(access_key_id)
    return datetime.fromtimestamp(int(found["ends_at"]), UTC) if found else None


def _random_text(alphabet: str, *, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
