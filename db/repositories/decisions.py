"""Decisions about requests, as their workflows have recorded them. Written by mirror.py."""

from dataclasses import fields
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import DecisionRow
from pao.core.payloads.decisions import DecisionRecord
from pao.core.timestamps import timestamp


class DecisionsRepository:
    """Reads decisions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, request_id: str, decision_id: str) -> DecisionRecord | None:
        """Return one decision; ``None`` if the workflow never recorded it."""
        row = await self._session.get(DecisionRow, (UUID(request_id), decision_id))
        return None if row is None else record_of(row)

    async def list(self, request_id: str) -> list[DecisionRecord]:
        """Read all decisions about a request, refused ones included, in the order of their time."""
        query = (
            select(DecisionRow)
            .where(col(DecisionRow.request_id) == UUID(request_id))
            .order_by(
                col(DecisionRow.at), col(DecisionRow.mirror_seq), col(DecisionRow.decision_id)
            )
        )
        return [record_of(row) for row in await self._session.scalars(query)]


def record_of(row: DecisionRow) -> DecisionRecord:
    """Return a stored decision as the workflow's record."""
    values = {
        one.name: getattr(row, one.name)
        for one in fields(DecisionRecord)
        if one.name in DecisionRow.model_fields
    }
    return DecisionRecord(**values | {"at": timestamp(row.at)})
