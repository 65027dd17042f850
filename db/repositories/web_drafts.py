"""Drafts of forms on the pages, saved while somebody types."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import WebDraft

KEPT = timedelta(days=7)
"""How long an unchanged draft is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContent:
    """What is saved of a form; ``saved`` is the number of the save."""

    texts: dict[str, list[str]]
    sealed: dict[str, str] = field(repr=False)
    item_version: str
    saved: int
    repeats: str | None = None


class WebDraftsRepository:
    """Stores drafts; only the user a draft belongs to can read it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, draft_id: str, user_id: str) -> WebDraft | None:
        """Return a draft of a user."""
        query = select(WebDraft).where(col(WebDraft.id) == UUID(draft_id), _of(user_id))
        return (await self._session.scalars(query)).first()

    async def list(self, user_id: str, *, limit: int) -> list[WebDraft]:
        """Return the drafts of a user that are not submitted, those changed last first."""
        query = (
            select(WebDraft)
            .where(_of(user_id), col(WebDraft.request_id).is_(None))
            .order_by(col(WebDraft.changed_at).desc())
            .limit(limit)
        )
        return [*(await self._session.scalars(query)).all()]

    async def get_for_update(
        self, draft_id: str, user_id: str, item_id: str, *, new: DraftContent
    ) -> WebDraft | None:
        """Return a draft, locked until the transaction ends; a new one is created if needed.

        None if the id belongs to another user's draft.
        """
        statement = insert(WebDraft).values(
            id=UUID(draft_id), user_id=user_id, catalog_item_id=item_id, **_values(new)
        )
        await self._session.execute(
            statement.on_conflict_do_nothing(index_elements=[col(WebDraft.id)])
        )
        query = select(WebDraft).where(col(WebDraft.id) == UUID(draft_id), _of(user_id))
        return (await self._session.scalars(query.with_for_update())).first()

    async def save(self, draft_id: str, content: DraftContent) -> None:
        """Save what a draft holds now."""
        change = update(WebDraft).where(col(WebDraft.id) == UUID(draft_id))
        await self._session.execute(change.values(changed_at=func.now(), **_values(content)))

    async def mark_submitted(self, draft_id: str, user_id: str, request_id: str) -> None:
        """Record the request that a draft has become, and clear the draft's contents."""
        change = update(WebDraft).where(col(WebDraft.id) == UUID(draft_id), _of(user_id))
        values = {"request_id": UUID(request_id), "texts": {}, "sealed": {}}
        await self._session.execute(change.values(changed_at=func.now(), **values))

    async def discard(self, draft_id: str, user_id: str) -> None:
        """Remove a draft."""
        change = delete(WebDraft).where(col(WebDraft.id) == UUID(draft_id), _of(user_id))
        await self._session.execute(change)

    async def keep_newest(self, user_id: str, *, most: int) -> None:
        """Remove the oldest drafts of a user who has more than ``most``."""
        newest = (
            select(col(WebDraft.id))
            .where(_of(user_id))
            .order_by(col(WebDraft.changed_at).desc())
            .offset(most)
        )
        await self._session.execute(delete(WebDraft).where(col(WebDraft.id).in_(newest)))

    async def remove_expired(self, *, batch: int) -> int:
        """Remove a batch of drafts that were not changed for long; return how many."""
        old = (
            select(col(WebDraft.id))
            .where(col(WebDraft.changed_at) < func.now() - literal(KEPT))
            .limit(batch)
        )
        result = await self._session.execute(delete(WebDraft).where(col(WebDraft.id).in_(old)))
        return int(getattr(result, "rowcount", 0))


def _values(content: DraftContent) -> dict[str, Any]:
    return {
        "texts": content.texts,
        "sealed": content.sealed,
        "item_version": content.item_version,
        "saved": content.saved,
        "repeats": UUID(content.repeats) if content.repeats else None,
    }


def _of(user_id: str) -> Any:
    return col(WebDraft.user_id) == user_id
