"""Which request works on which Terraform state: registered once, released by a person."""

from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import TerraformState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTerraformState:
    """A state that a request is about to work on; ``key`` is the same for every request."""

    key: str
    place: str
    shared: bool
    request_id: str
    action_id: str
    item_id: str
    user_id: str
    owner_team: str | None


class TerraformStatesRepository:
    """Registers, reads and releases states."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def register(self, new: NewTerraformState) -> TerraformState:
        """Register a state unless it is registered; return the row that holds it.

        Of two concurrent calls one is first, and the other gets its row.
        """
        values = asdict(new) | {"state_key": new.key, "request_id": UUID(new.request_id)}
        del values["key"]
        statement = insert(TerraformState).values(values)
        free = col(TerraformState.released_at).is_(None)
        await self._session.execute(
            statement.on_conflict_do_nothing(index_elements=["state_key"], index_where=free)
        )
        holder = await self.holder(new.key)
        # Released between the two statements: it is free.
        return holder or await self.register(new)

    async def holder(self, key: str) -> TerraformState | None:
        """Read the row that holds a state; None for one that is free."""
        query = select(TerraformState).where(
            col(TerraformState.state_key) == key, col(TerraformState.released_at).is_(None)
        )
        return (await self._session.scalars(query)).one_or_none()

    async def set_resources(self, state_id: int, count: int | None) -> None:
        """Store how many resources a held state has; None if that is not known."""
        await self._session.execute(
            update(TerraformState)
            .where(col(TerraformState.id) == state_id, col(TerraformState.released_at).is_(None))
            .values(resources=count)
        )

    async def get(self, state_id: int) -> TerraformState | None:
        """Read a registration, released or not."""
        return await self._session.get(TerraformState, state_id)

    async def of_request(self, request_id: str) -> list[TerraformState]:
        """Read all registrations of a request, in the order in which they were made."""
        query = (
            select(TerraformState)
            .where(col(TerraformState.request_id) == UUID(request_id))
            .order_by(col(TerraformState.id))
        )
        return [*await self._session.scalars(query)]

    async def release(self, state_id: int, *, by: str, note: str) -> bool:
        """Free a state for other requests; False for one that is free already."""
        released = await self._session.execute(
            update(TerraformState)
            .where(col(TerraformState.id) == state_id, col(TerraformState.released_at).is_(None))
            .values(released_at=func.now(), released_by=by, release_note=note)
            .returning(col(TerraformState.id))
        )
        return released.first() is not None
