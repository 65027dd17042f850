"""Issues, lists and revokes access keys on behalf of a caller."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.access import EVERYBODY, AccessPolicy
from api.auth.keys import create_key
from api.auth.principal import Principal
from api.keys.schemas import (
    AccessKey,
    AccessKeys,
    IssuedKey,
    KeyState,
    NewKeyBody,
    OpenedSession,
)
from api.pagination import Cursors, pagination
from db.repositories.access_keys import (
    AccessKeysRepository,
    AwsIdentity,
    NewAccessKey,
    StoredAccessKey,
)
from db.session import Database
from pao.core.durations import moment_after
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.runtime.crypto import SecretBox

_SCOPE = "keys"
_VIA = "api"
SESSION_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysService:
    """Admins see and manage all keys, everybody else their own, which they may revoke.

    A secret is shown once, when its key is issued; stored is its sealed form. Issuing and revoking
    are recorded in the audit trail, in the same transaction.
    """

    access: AccessPolicy
    box: SecretBox
    cursors: Cursors
    database: Database

    async def page(
        self, caller: Principal, *, user: str | None, cursor: str | None, limit: int
    ) -> AccessKeys:
        """Return one page of keys, the newest first; ``user`` None is the caller, "all" everybody.

        Raises ``FORBIDDEN`` for the keys of others unless the caller is an admin.
        """
        user_id = self.access.listed_user(caller, user, things="keys")
        scope = f"{_SCOPE}:{user_id or EVERYBODY}"
        after = self.cursors.read(scope, cursor) if cursor else None
        async with self.database.reading() as session:
            found = await AccessKeysRepository(session).page(
                user_id=user_id, after=after, limit=limit + 1
            )
        keys, now = found[:limit], datetime.now(UTC)
        next_cursor = None
        if len(found) > limit:
            last = keys[-1]
            next_cursor = self.cursors.write(
                scope, [last.created_at.isoformat(), last.access_key_id]
            )
        return AccessKeys(
            data=[key_answer(key, now) for key in keys], pagination=pagination(next_cursor)
        )

    async def issue(self, caller: Principal, wanted: NewKeyBody) -> IssuedKey:
        """Issue a key and return it with its secret; raises ``FORBIDDEN`` unless an admin asks."""
        self.access.require_admin(caller, "issue keys")
        new_key = create_key(self.box)
        key = NewAccessKey(
            access_key_id=new_key.access_key_id,
            sealed_secret=new_key.sealed_secret,
            user_id=wanted.user,
            email=wanted.email,
            teams=tuple(dict.fromkeys(wanted.teams)),
            created_by=caller.id,
            expires_at=_expiry(wanted.expires_in),
            note=wanted.note,
        )
        async with self.database.unit_of_work() as session:
            await AccessKeysRepository(session).insert(key, via=_VIA)
        return IssuedKey(
            access_key_id=new_key.access_key_id,
            secret_access_key=new_key.secret,
            user=key.user_id,
            teams=list(key.teams),
            expires_at=key.expires_at,
        )

    async def open_session(self, caller: Principal) -> OpenedSession:
        """Open a session: a key for an hour, for any identified caller.

        Raises ``FORBIDDEN`` for a call signed with a session's key: one stolen key could be
        renewed for ever.
        """
        expires_at = datetime.now(UTC) + SESSION_LIFETIME
        async with self.database.unit_of_work() as session:
            keys = AccessKeysRepository(session)
            if caller.access_key_id is not None:
                own = await keys.lock(caller.access_key_id)
                if own is None or own.is_session or own.revoked_at is not None:
                    raise PaoError(
                        ErrorCode.FORBIDDEN,
                        "A session cannot open another session; sign with your own credentials.",
                    )
                expires_at = min(expires_at, own.expires_at or expires_at)
            new_key = create_key(self.box, session_until=expires_at)
            key = NewAccessKey(
                access_key_id=new_key.access_key_id,
                sealed_secret=new_key.sealed_secret,
                user_id=caller.id,
                email=caller.email,
                teams=caller.teams,
                created_by=caller.id,
                expires_at=expires_at,
                note=f"session ({caller.source})",
                source=caller.source,
                is_session=True,
                opened_by=caller.access_key_id,
                aws=_aws(caller),
            )
            await keys.insert(key, via=_VIA)
        return OpenedSession(
            access_key_id=new_key.access_key_id,
            secret_access_key=new_key.secret,
            user=caller.id,
            teams=list(caller.teams),
            source=caller.source,
            expires_at=expires_at,
        )

    async def revoke(self, caller: Principal, access_key_id: str) -> AccessKey:
        """Make a key invalid from the next call on; a repeat changes nothing.

        Raises ``NOT_FOUND`` for a key that does not exist, and for one of others unless the caller
        is an admin.
        """
        async with self.database.unit_of_work() as session:
            keys = AccessKeysRepository(session)
            stored = await keys.find(access_key_id)
            if stored is None or not self.access.may_end(caller, user_id=stored.user_id):
                raise PaoError(
                    ErrorCode.NOT_FOUND,
                    f"There is no access key {access_key_id[:40]!r}, or it is not yours.",
                )
            await keys.revoke(access_key_id, revoked_by=caller.id, via=_VIA)
            stored = await keys.find(access_key_id, refresh=True) or stored
        return key_answer(stored, datetime.now(UTC))


def _aws(caller: Principal) -> AwsIdentity | None:
    if caller.aws is None:
        return None
    found = caller.aws
    return AwsIdentity(account=found.account, arn=found.arn, user_id=found.user_id)


def _expiry(span: str | None) -> datetime | None:
    if span is None:
        return None
    if (end := moment_after(span, datetime.now(UTC))) is not None:
        return end
    message = "Write a number above zero with its unit, such as 12h or 90d."
    detail = Detail(field="expiresIn", constraint="duration", message=message, received=span)
    raise PaoError(ErrorCode.VALIDATION_ERROR, message, details=(detail,), status=422)


def key_answer(key: StoredAccessKey, now: datetime) -> AccessKey:
    """Return a stored key as it is shown, with its state at a moment; never with its secret."""
    return AccessKey(
        access_key_id=key.access_key_id,
        user=key.user_id,
        email=key.email,
        teams=list(key.teams),
        state=_state(key, now),
        note=key.note,
        created_at=key.created_at,
        created_by=key.created_by,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )


def _state(key: StoredAccessKey, now: datetime) -> KeyState:
    if key.revoked_at is not None:
        return KeyState.REVOKED
    has_ended = key.expires_at is not None and key.expires_at <= now
    return KeyState.EXPIRED if has_ended else KeyState.VALID
