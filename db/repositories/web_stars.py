"""Items that people have starred on the pages."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import WebStar


class WebStarsRepository:
    """Stores the stars of users."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self, user_id: str) -> list[str]:
        """Return the ids of a user's starred items, those starred last first."""
        query = (
            select(col(WebStar.catalog_item_id))
            .where(col(WebStar.user_id) == user_id)
            .order_by(col(WebStar.starred_at).desc(), col(WebStar.catalog_item_id))
        )
        return [*(await self._session.scalars(query)).all()]

    async def add(self, user_id: str, item_id: str, *, most: int) -> None:
        """Star an item; beyond ``most`` the user's oldest stars are removed."""
        star = insert(WebStar).values(
            user_id=user_id, catalog_item_id=item_id, starred_at=func.clock_timestamp()
        )
        await self._session.execute(star.on_conflict_do_nothing())
        oldest = (
            select(col(WebStar.catalog_item_id))
            .where(col(WebStar.user_id) == user_id)
            .order_by(col(WebStar.starred_at).desc(), col(WebStar.catalog_item_id))
            .offset(most)
        )
        await self._session.execute(
            delete(WebStar).where(
                col(WebStar.user_id) == user_id, col(WebStar.catalog_item_id).in_(oldest)
            )
        )

    async def remove(self, user_id: str, item_id: str) -> None:
        """Remove a star."""
        await self._session.execute(
            delete(WebStar).where(
                col(WebStar.user_id) == user_id, col(WebStar.catalog_item_id) == item_id
            )
        )
