"""What other parts of the API keep in Postgres; each call is one short transaction."""

from datetime import datetime, timedelta

from api.auth.keys import StoredKey
from api.auth.replay import ClaimedSignature
from db.availability import known_outcome
from db.repositories.access_keys import AccessKeysRepository, AwsIdentity
from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.replays import ReplaysRepository
from db.session import Database
from pao.clients.aws.caller import AwsCaller, read_caller


class PostgresKeyStore:
    """Reads issued keys; nothing is cached, so that a revocation holds at once everywhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, access_key_id: str) -> StoredKey | None:
        """Return the key as it is now; None when it was never issued."""
        async with self._database.reading() as session:
            found = await AccessKeysRepository(session).find(access_key_id)
        if found is None:
            return None
        return StoredKey(
            access_key_id=found.access_key_id,
            sealed_secret=found.sealed_secret,
            user_id=found.user_id,
            email=found.email,
            teams=found.teams,
            revoked_at=found.revoked_at,
            expires_at=found.expires_at,
            last_used_at=found.last_used_at,
            source=found.source,
            is_session=found.is_session,
            aws=_caller(found.aws),
        )

    async def note_use(self, access_key_id: str, *, unless_within: timedelta) -> None:
        """Note that a key is used now, unless another process has just done so."""
        async with self._database.unit_of_work() as session:
            await AccessKeysRepository(session).note_use(access_key_id, unless_within=unless_within)


def _caller(aws: AwsIdentity | None) -> AwsCaller | None:
    if aws is None:
        return None
    return read_caller(account=aws.account, arn=aws.arn, user_id=aws.user_id)


class PostgresReplayStore:
    """Remembers used signatures for all processes together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, signature_hash: bytes, *, holder: bytes, expires_at: datetime
    ) -> ClaimedSignature:
        """Record the holder unless there is one; return what counts. Committed at once."""

        async def claim() -> tuple[bytes, datetime]:
            async with self._database.one_statement() as session:
                return await ReplaysRepository(session).claim(
                    signature_hash, holder=holder, expires_at=expires_at
                )

        # The same holder gets the same answer again.
        return ClaimedSignature(*await known_outcome(claim))


class PostgresAudit:
    """The audit trail of what happens outside of requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, entry: AuditEntry) -> None:
        """Add a line; it can never be changed or taken back."""
        async with self._database.unit_of_work() as session:
            await AuditRepository(session).insert(entry)
