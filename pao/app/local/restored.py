"""Checks whether a database was restored and must be rebuilt from Temporal."""

from db.repositories.recovery import RecoveryRepository
from db.session import Database


async def is_restored(database_url: str) -> bool:
    """Return whether the database was restored and lacks what Temporal knows."""
    database = Database(database_url)
    try:
        async with database.reading() as session:
            return (await RecoveryRepository(session).read()).problem is not None
    finally:
        await database.close()
