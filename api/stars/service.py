"""Keeps the stars of each user on the server, so that they are there on every device."""

from dataclasses import dataclass

from api.auth.principal import Principal
from db.repositories.web_stars import WebStarsRepository
from db.session import Database

MOST_PER_USER = 100


@dataclass(frozen=True, slots=True)
class StarService:
    """Stars items; whether an item exists is the caller's to know."""

    database: Database

    async def list(self, caller: Principal) -> list[str]:
        """Return the ids of the caller's starred items, those starred last first."""
        async with self.database.reading() as session:
            return await WebStarsRepository(session).list(caller.id)

    async def set(self, caller: Principal, item_id: str, *, starred: bool) -> None:
        """Star an item or take its star away; doing it again changes nothing."""
        async with self.database.unit_of_work() as session:
            repository = WebStarsRepository(session)
            if starred:
                await repository.add(caller.id, item_id, most=MOST_PER_USER)
            else:
                await repository.remove(caller.id, item_id)
