"""Used signatures, so that a captured request cannot be replayed against any process."""

from datetime import datetime

from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.columns import MOMENT

_CLAIM = text(
    """
    INSERT INTO replay_signatures AS known (digest, holder, expires_at)
    VALUES (:digest, :holder, :expires_at)
    ON CONFLICT (digest) DO UPDATE SET
        holder = CASE WHEN known.expires_at <= now() THEN excluded.holder ELSE known.holder END,
        expires_at = CASE
            WHEN known.expires_at <= now() THEN excluded.expires_at ELSE known.expires_at END
    RETURNING holder, expires_at
    """
).bindparams(
    bindparam("digest", type_=LargeBinary()),
    bindparam("holder", type_=LargeBinary()),
    bindparam("expires_at", type_=MOMENT),
)

_REMOVE = text(
    """
    WITH expired AS (
        SELECT digest FROM replay_signatures WHERE expires_at <= now()
        ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    DELETE FROM replay_signatures USING expired
    WHERE replay_signatures.digest = expired.digest
    RETURNING 1
    """
)


class ReplaysRepository:
    """Remembers used signatures until they expire."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(
        self, signature_hash: bytes, *, holder: bytes, expires_at: datetime
    ) -> tuple[bytes, datetime]:
        """Record ``holder`` for a signature unless it has one; return the holder and its expiry.

        Atomic: of two callers with different holders at once exactly one is returned to both. An
        expired row counts as absent.
        """
        values = {"digest": signature_hash, "holder": holder, "expires_at": expires_at}
        row = (await self._session.execute(_CLAIM, values)).one()
        return bytes(row.holder), row.expires_at

    async def remove_expired(self, *, batch: int = 10_000) -> int:
        """Remove at most ``batch`` expired signatures; return how many were removed."""
        return len((await self._session.execute(_REMOVE, {"batch": batch})).all())
