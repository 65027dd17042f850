"""Sealed texts, for resealing them with another key. Only the database's owner may."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

_ALLOW = "SELECT set_config('pao.resealing', 'on', true)"
_KEYS = "SELECT access_key_id, sealed_secret FROM public.access_keys ORDER BY access_key_id"
_SET_KEY = """
UPDATE public.access_keys SET sealed_secret = :sealed
WHERE access_key_id = :id AND sealed_secret = :before
"""
_DRAFTS = "SELECT id, sealed FROM public.web_drafts WHERE sealed <> '{}' ORDER BY id"
_SET_DRAFT = "UPDATE public.web_drafts SET sealed = :sealed WHERE id = :id AND sealed = :before"
_REQUESTS = """
SELECT count(*) FILTER (WHERE NOT public.request_is_finished(status)) AS open,
    count(*) FILTER (WHERE public.request_is_finished(status)) AS finished
FROM public.requests AS one
WHERE strpos(to_jsonb(one)::text, :beginning) > 0 OR EXISTS (
    SELECT FROM public.request_actions AS action
    WHERE action.request_id = one.id AND strpos(to_jsonb(action)::text, :beginning) > 0
)
"""


@dataclass(frozen=True, slots=True)
class SealedRequests:
    """How many requests hold texts sealed with one key."""

    open: int
    finished: int


class SealedRepository:
    """Reads and replaces sealed texts; each only if it is still what was read."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def access_keys(self) -> list[tuple[str, str]]:
        """Return every access key's id and sealed secret."""
        rows = await self._session.execute(text(_KEYS))
        return [(row.access_key_id, row.sealed_secret) for row in rows]

    async def replace_access_key(self, key_id: str, *, before: str, sealed: str) -> None:
        """Replace the sealed secret of an access key."""
        await self._session.execute(text(_ALLOW))
        values = {"id": key_id, "before": before, "sealed": sealed}
        await self._session.execute(text(_SET_KEY), values)

    async def drafts(self) -> list[tuple[UUID, dict[str, Any]]]:
        """Return the sealed texts of every draft that has some."""
        rows = await self._session.execute(text(_DRAFTS))
        return [(row.id, dict(row.sealed)) for row in rows]

    async def replace_draft(
        self, draft_id: UUID, *, before: dict[str, Any], sealed: dict[str, Any]
    ) -> None:
        """Replace the sealed texts of a draft."""
        statement = text(_SET_DRAFT).bindparams(
            bindparam("before", type_=JSONB), bindparam("sealed", type_=JSONB)
        )
        values = {"id": draft_id, "before": before, "sealed": sealed}
        await self._session.execute(statement, values)

    async def requests(self, beginning: str) -> SealedRequests:
        """Return how many requests hold a token with this prefix."""
        statement = text(_REQUESTS).bindparams(bindparam("beginning", type_=Text))
        row = (await self._session.execute(statement, {"beginning": beginning})).one()
        return SealedRequests(row.open, row.finished)
