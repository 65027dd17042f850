"""The connections of the database server, as `pg_stat_activity` shows them to our role."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

LISTENER = "pao-notifications"
"""The name of the connection on which each API process listens."""

_NAMES = (
    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'pao-%'"
)
_MOST = "SELECT current_setting('max_connections')::int"
_LISTENERS = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = :listener AND datname = current_database()
"""


class ConnectionsRepository:
    """Reads the connections of the server."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def names(self) -> list[str]:
        """Return the names of connections of PAO, to any database of this server."""
        return list(await self._session.scalars(text(_NAMES)))

    async def most(self) -> int:
        """Return how many connections the server accepts."""
        return int(await self._session.scalar(text(_MOST)) or 0)

    async def listeners(self) -> int:
        """Return how many API processes listen to this database now."""
        return int(await self._session.scalar(text(_LISTENERS), {"listener": LISTENER}) or 0)
