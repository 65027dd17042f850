"""Known users and teams: those with an access key or a request."""

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import Request
from db.models.access_key import AccessKey


class PeopleRepository:
    """Finds known users and teams."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def known_users(self, names: Collection[str]) -> set[str]:
        """Return which of these are the id or email of somebody with a key or a request."""
        if not names:
            return set()
        known: set[str] = set()
        pairs = (
            (col(AccessKey.user_id), col(AccessKey.email)),
            (col(Request.user_id), col(Request.user_email)),
        )
        for identifier, email in pairs:
            query = select(identifier, email).where(or_(identifier.in_(names), email.in_(names)))
            rows = await self._session.execute(query.distinct())
            known |= {name for row in rows for name in row if name in names}
        return known

    async def known_teams(self, names: Collection[str]) -> set[str]:
        """Return which of these are teams of somebody with a key."""
        if not names:
            return set()
        team = func.unnest(col(AccessKey.teams)).label("team")
        teams = select(team).where(col(AccessKey.revoked_at).is_(None)).subquery()
        query = select(teams.c.team).where(teams.c.team.in_(names)).distinct()
        return set(await self._session.scalars(query))
