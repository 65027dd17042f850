"""Stores the commits whose authors could not be notified on the forge."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import CatalogStateRow
from db.repositories.catalog_state import CHANNEL

MOST_COMMITS = 200


class CatalogUnreportedRepository:
    """Changes ``StoredCatalogStatus.untold``: by commit, why its authors were not notified.

    Several processes may change it at once; each change notifies all of them.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, commit: str, about: dict[str, Any]) -> bool:
        """Store a commit, keeping its first ``since``; return whether the reason is new."""
        untold = await self._lock()
        before = untold.pop(commit, {})
        now = datetime.now(UTC).isoformat()
        untold[commit] = about | {"since": before.get("since", now), "at": now}
        newest = sorted(untold.items(), key=lambda one: one[1]["since"])[-MOST_COMMITS:]
        await self._write(dict(newest))
        return bool(before.get("message") != about.get("message"))

    async def remove(self, commits: Iterable[str]) -> None:
        """Forget commits."""
        removed = set(commits)
        untold = await self._lock()
        remaining = {commit: about for commit, about in untold.items() if commit not in removed}
        if remaining != untold:
            await self._write(remaining)

    async def _lock(self) -> dict[str, Any]:
        row = (await self._session.scalars(select(CatalogStateRow).with_for_update())).one()
        return dict(row.untold)

    async def _write(self, untold: dict[str, Any]) -> None:
        await self._session.execute(update(CatalogStateRow).values({"untold": untold}))
        await self._session.execute(select(func.pg_notify(CHANNEL, "")))
