"""Who is signed in to the pages: the codes that open sessions, and the sessions.

Opening and ending a session are audited in the same transaction.
"""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Delete,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import AccessKey, WebSession, WebSignIn
from db.repositories.audit import AuditEntry, AuditRepository

IDLE = timedelta(hours=8)
"""How long a session may be unused before it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeClaims:
    """What the proof of a code covers: its key, and when it expires."""

    code_digest: bytes = field(repr=False)
    access_key_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCode:
    """A code that has not expired; ``proof`` None was stored by an older version."""

    claims: CodeClaims
    proof: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClaims:
    """What the proof of a session covers: who is signed in, how, and until when."""

    id: str
    token_digest: bytes = field(repr=False)
    user_id: str
    email: str | None
    teams: tuple[str, ...]
    source: str
    access_key_id: str | None
    lacks_groups: bool
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session that is open; ``email`` and ``teams`` are those of its key, where it has one.

    ``is_of_aws`` when AWS has vouched for the key's owner, and knows the teams; ``vouched_by`` is
    the source of the key, or else of the session. ``claims`` are those of the row, whatever its key
    says now; ``proof`` None was stored by an older version.
    """

    id: str
    user_id: str
    email: str | None
    teams: tuple[str, ...]
    source: str
    access_key_id: str | None
    is_of_aws: bool
    vouched_by: str
    lacks_groups: bool
    user_agent: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    claims: SessionClaims
    proof: str | None = field(repr=False)


class WebSessionsRepository:
    """Stores codes and sessions, finds the open ones, ends them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def moment(self) -> datetime:
        """Return the database's time, by which codes and sessions end."""
        return (await self._session.execute(select(func.now()))).scalar_one()

    async def add_code(self, claims: CodeClaims, *, proof: str) -> None:
        """Store the digest of a code."""
        await self._session.execute(insert(WebSignIn).values(**asdict(claims), proof=proof))

    async def code(self, digest: bytes) -> StoredCode | None:
        """Return a code, or None if it has expired or was used."""
        row = (await self._session.execute(select(WebSignIn).where(_is_good(digest)))).scalar()
        return _code_from_row(row) if row else None

    async def use_code(self, digest: bytes) -> StoredCode | None:
        """Consume a code and return it; None if it had expired or was used."""
        change = delete(WebSignIn).where(_is_good(digest)).returning(WebSignIn)
        row = (await self._session.execute(change)).scalar()
        return _code_from_row(row) if row else None

    async def insert(self, claims: SessionClaims, *, proof: str, user_agent: str) -> None:
        """Store a session that begins now."""
        values: dict[str, Any] = {
            **asdict(claims),
            "id": UUID(claims.id),
            "teams": list(claims.teams),
            "user_agent": user_agent,
            "proof": proof,
        }
        await self._session.execute(insert(WebSession).values(values))
        user, source = claims.user_id, claims.source
        await self._record("session.opened", claims.id, user, by=user, about=source)

    async def find(self, token_digest: bytes) -> StoredSession | None:
        """Return the open session of a token."""
        return await self._one(col(WebSession.token_digest) == token_digest)

    async def get(self, session_id: str) -> StoredSession | None:
        """Return an open session by its id."""
        return await self._one(col(WebSession.id) == UUID(session_id))

    async def list(self, *, user_id: str | None = None) -> list[StoredSession]:
        """Return the open sessions, or those of one user, the newest first."""
        of_user = col(WebSession.user_id) == user_id if user_id is not None else literal(value=True)
        query = _open().where(of_user).order_by(col(WebSession.created_at).desc())
        return [_from_row(*row) for row in await self._session.execute(query)]

    async def note_use(self, session_id: str) -> None:
        """Record that a session is used now."""
        change = update(WebSession).where(col(WebSession.id) == UUID(session_id))
        await self._session.execute(change.values(seen_at=func.now()))

    async def end(self, session_id: str, *, by: str, why: str) -> bool:
        """End a session now; return whether there was one."""
        change = delete(WebSession).where(col(WebSession.id) == UUID(session_id))
        user_id = (await self._session.execute(change.returning(col(WebSession.user_id)))).scalar()
        if user_id is None:
            return False
        await self._record("session.ended", session_id, user_id, by=by, about=why)
        return True

    async def remove_expired(self, *, batch: int) -> int:
        """Remove a batch of expired codes and ended sessions; return how many."""
        codes: Delete = delete(WebSignIn).where(
            col(WebSignIn.code_digest).in_(
                select(col(WebSignIn.code_digest))
                .where(col(WebSignIn.expires_at) < func.now())
                .limit(batch)
            )
        )
        expired = (
            select(col(WebSession.id), col(WebSession.user_id))
            .outerjoin(AccessKey, _its_key())
            .where(or_(_is_over(), _key_has_ended()))
            .limit(batch)
        )
        sessions = list(await self._session.execute(expired))
        removed = getattr(await self._session.execute(codes), "rowcount", 0)
        for session_id, user_id in sessions:
            change = delete(WebSession).where(col(WebSession.id) == session_id)
            await self._session.execute(change)
            await self._record("session.ended", str(session_id), user_id, by="pao", about="expired")
        return int(removed) + len(sessions)

    async def _one(self, which: ColumnElement[bool]) -> StoredSession | None:
        row = (await self._session.execute(_open().where(which))).first()
        return _from_row(*row) if row else None

    async def _record(
        self, event: str, session_id: str, user_id: str, *, by: str, about: str
    ) -> None:
        entry = AuditEntry(
            event_type=event,
            actor=by,
            via="web",
            source_system="web",
            at=datetime.now(UTC),
            reason=about,
            event_data={"sessionId": session_id, "user": user_id},
        )
        await AuditRepository(self._session).insert(entry)


def _is_good(digest: bytes) -> ColumnElement[bool]:
    return and_(col(WebSignIn.code_digest) == digest, col(WebSignIn.expires_at) > func.now())


def _its_key() -> ColumnElement[bool]:
    return col(AccessKey.access_key_id) == col(WebSession.access_key_id)


def _is_over() -> ColumnElement[bool]:
    return or_(
        col(WebSession.ends_at) <= func.now(),
        col(WebSession.seen_at) <= func.now() - literal(IDLE),
    )


def _key_has_ended() -> ColumnElement[bool]:
    return or_(
        col(AccessKey.revoked_at).is_not(None),
        func.coalesce(col(AccessKey.expires_at) <= func.now(), literal(value=False)),
    )


def _open() -> Any:
    return (
        select(WebSession, AccessKey)
        .outerjoin(AccessKey, _its_key())
        .where(~_is_over(), ~func.coalesce(_key_has_ended(), literal(value=False)))
    )


def _code_from_row(row: WebSignIn) -> StoredCode:
    claims = CodeClaims(
        code_digest=row.code_digest, access_key_id=row.access_key_id, expires_at=row.expires_at
    )
    return StoredCode(claims=claims, proof=row.proof)


def _from_row(row: WebSession, key: AccessKey | None) -> StoredSession:
    return StoredSession(
        id=str(row.id),
        user_id=row.user_id,
        # The session of a sign-in link follows the current state of its key.
        email=key.email if key else row.email,
        teams=tuple(key.teams if key else row.teams),
        source=row.source,
        access_key_id=row.access_key_id,
        is_of_aws=key is not None and key.aws_account is not None,
        vouched_by=key.source if key else row.source,
        lacks_groups=row.lacks_groups,
        user_agent=row.user_agent,
        created_at=row.created_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
        claims=_claims_from_row(row),
        proof=row.proof,
    )


def _claims_from_row(row: WebSession) -> SessionClaims:
    return SessionClaims(
        id=str(row.id),
        token_digest=row.token_digest,
        user_id=row.user_id,
        email=row.email,
        teams=tuple(row.teams),
        source=row.source,
        access_key_id=row.access_key_id,
        lacks_groups=row.lacks_groups,
        ends_at=row.ends_at,
    )
