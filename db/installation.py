"""The id of the installation that a database belongs to, read once per process."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import col

from db.migrations.runner import check_ready
from db.models import InstallationRow
from db.session import Database


@dataclass(slots=True)
class Installation:
    """Reads and caches the id of this installation, which never changes for a database."""

    database: Database
    _id: str = field(default="", init=False)

    async def id(self) -> str:
        """Return the id.

        Raises ``DatabaseUnavailableError`` or ``MigrationError`` until it could be read once.
        """
        if not self._id:
            async with self.database.reading() as session:
                await check_ready(session)
                ids = await session.scalars(select(col(InstallationRow.id)))
                self._id = str(ids.one())
        return self._id
