"""Access keys that this service issued. Secrets are stored and returned sealed.

Issuing and revoking are audited in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import AccessKey
from db.repositories.audit import AuditEntry, AuditRepository

KEYS = "keys"
"""The source of `pao keys` in the audit trail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsIdentity:
    """Who the caller of a session is in AWS."""

    account: str
    arn: str
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccessKey:
    """An access key as it is stored, with the user it belongs to."""

    access_key_id: str
    sealed_secret: str = field(repr=False)
    user_id: str
    email: str | None
    teams: tuple[str, ...]
    revoked_at: datetime | None
    expires_at: datetime | None
    note: str | None
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    source: str = KEYS
    is_session: bool = False
    aws: AwsIdentity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessKey:
    """A key that was just created."""

    access_key_id: str
    sealed_secret: str = field(repr=False)
    user_id: str
    email: str | None = None
    teams: tuple[str, ...] = ()
    created_by: str
    expires_at: datetime | None = None
    note: str | None = None
    source: str = KEYS
    is_session: bool = False
    opened_by: str | None = None
    aws: AwsIdentity | None = None


class AccessKeysRepository:
    """Stores, finds, lists and revokes access keys."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, access_key_id: str, *, refresh: bool = False) -> StoredAccessKey | None:
        """Read a key, revoked or not; ``None`` when it was never issued.

        With ``refresh`` it is read again after a change in the same session.
        """
        row = await self._session.get(AccessKey, access_key_id, populate_existing=refresh)
        return None if row is None else _from_row(row)

    async def insert(self, key: NewAccessKey, *, via: str = KEYS) -> None:
        """Store a new key."""
        values: dict[str, Any] = {
            "access_key_id": key.access_key_id,
            "sealed_secret": key.sealed_secret,
            "user_id": key.user_id,
            "email": key.email,
            "teams": list(key.teams),
            "created_by": key.created_by,
            "expires_at": key.expires_at,
            "note": key.note,
            "source": key.source,
            "is_session": key.is_session,
            "opened_by": key.opened_by,
        }
        if key.aws is not None:
            values |= {
                "aws_account": key.aws.account,
                "aws_arn": key.aws.arn,
                "aws_user_id": key.aws.user_id,
            }
        await self._session.execute(insert(AccessKey).values(values))
        by = key.created_by
        event = "session.opened" if key.is_session else "key.created"
        await self._record(event, key.access_key_id, key.user_id, by=by, via=via)

    async def list(self, *, user_id: str | None = None) -> list[StoredAccessKey]:
        """Read all keys, or those of one user, the oldest first, without expired session keys."""
        query = select(AccessKey).where(_is_listed())
        query = query.order_by(col(AccessKey.created_at), col(AccessKey.access_key_id))
        if user_id is not None:
            query = query.where(col(AccessKey.user_id) == user_id)
        return [_from_row(row) for row in await self._session.scalars(query)]

    async def page(
        self, *, user_id: str | None, after: Sequence[Any] | None, limit: int
    ) -> Sequence[StoredAccessKey]:
        """Read keys, the newest first, from behind creation time and id of the last one."""
        order = tuple_(col(AccessKey.created_at), col(AccessKey.access_key_id))
        query = select(AccessKey).where(_is_listed())
        query = query.order_by(
            col(AccessKey.created_at).desc(), col(AccessKey.access_key_id).desc()
        )
        if user_id is not None:
            query = query.where(col(AccessKey.user_id) == user_id)
        if after is not None:
            created_at, access_key_id = after
            query = query.where(order < (datetime.fromisoformat(created_at), access_key_id))
        return [_from_row(row) for row in await self._session.scalars(query.limit(limit))]

    async def revoke(self, access_key_id: str, *, revoked_by: str, via: str = KEYS) -> bool:
        """Make a key invalid from now on, and the sessions that it has opened.

        Returns whether it was valid until now.
        """
        change = (
            update(AccessKey)
            .where(
                col(AccessKey.access_key_id) == access_key_id, col(AccessKey.revoked_at).is_(None)
            )
            .values(revoked_at=func.now())
            .returning(col(AccessKey.user_id))
        )
        user_id = (await self._session.execute(change)).scalar()
        if user_id is None:
            return False
        sessions = (
            update(AccessKey)
            .where(col(AccessKey.opened_by) == access_key_id, col(AccessKey.revoked_at).is_(None))
            .values(revoked_at=func.now())
        )
        await self._session.execute(sessions)
        await self._record("key.revoked", access_key_id, user_id, by=revoked_by, via=via)
        return True

    async def lock(self, access_key_id: str) -> StoredAccessKey | None:
        """Read a key and lock it against revocation until this transaction ends."""
        query = select(AccessKey).where(col(AccessKey.access_key_id) == access_key_id)
        row = (await self._session.scalars(query.with_for_update(read=True))).first()
        return None if row is None else _from_row(row)

    async def remove_expired_sessions(self, *, batch: int) -> int:
        """Remove a batch of the keys of sessions that ended a day ago; return how many."""
        query = text("SELECT remove_expired_key_sessions(:batch)")
        return int((await self._session.execute(query, {"batch": batch})).scalar_one())

    async def note_use(self, access_key_id: str, *, unless_within: timedelta) -> None:
        """Record that a key is used now, unless that was recorded within this time."""
        last = col(AccessKey.last_used_at)
        change = (
            update(AccessKey)
            .where(col(AccessKey.access_key_id) == access_key_id)
            .where(or_(last.is_(None), last < func.now() - literal(unless_within)))
            .values(last_used_at=func.now())
        )
        await self._session.execute(change)

    async def _record(
        self, event_type: str, access_key_id: str, user_id: str, *, by: str, via: str
    ) -> None:
        entry = AuditEntry(
            event_type=event_type,
            actor=by,
            via=via,
            source_system=via,
            at=datetime.now(UTC),
            event_data={"accessKeyId": access_key_id, "user": user_id},
        )
        await AuditRepository(self._session).insert(entry)


def _is_listed() -> ColumnElement[bool]:
    return or_(~col(AccessKey.is_session), col(AccessKey.expires_at) > func.now())


def _aws_identity(row: AccessKey) -> AwsIdentity | None:
    if row.aws_account is None or row.aws_arn is None or row.aws_user_id is None:
        return None
    return AwsIdentity(account=row.aws_account, arn=row.aws_arn, user_id=row.aws_user_id)


def _from_row(row: AccessKey) -> StoredAccessKey:
    return StoredAccessKey(
        access_key_id=row.access_key_id,
        sealed_secret=row.sealed_secret,
        user_id=row.user_id,
        email=row.email,
        teams=tuple(row.teams),
        revoked_at=row.revoked_at,
        expires_at=row.expires_at,
        note=row.note,
        created_at=row.created_at,
        created_by=row.created_by,
        last_used_at=row.last_used_at,
        source=row.source,
        is_session=row.is_session,
        aws=_aws_identity(row),
    )
