"""Registered Terraform states: shown to who sees the request, released by who may decide."""

from dataclasses import dataclass
from datetime import UTC, datetime

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.requests.reading import ReadingService
from api.terraform.schemas import Release, TerraformState, TerraformStates
from db.models import TerraformState as StoredState
from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.requests import RequestsRepository
from db.repositories.terraform_states import TerraformStatesRepository
from db.session import Database
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.states import TERMINAL
from pao.core.timestamps import timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformStatesService:
    """Reads and releases registrations; a registration outlives its request."""

    access: AccessPolicy
    database: Database
    reading: ReadingService

    async def of_request(self, caller: Principal, request_id: str) -> TerraformStates:
        """Return the states that a request has registered, released ones included."""
        await self.reading.get(caller, request_id)
        async with self.database.reading() as session:
            rows = await TerraformStatesRepository(session).of_request(request_id)
        return TerraformStates(data=[_state_schema(row) for row in rows])

    async def release(
        self, caller: Principal, state_id: int, *, note: str, destroyed: bool
    ) -> TerraformState:
        """Free a state for other requests; a repeat changes nothing.

        Raises ``INVALID_STATE_TRANSITION`` while its request is open, and where something may be
        in it that was not reported as destroyed.
        """
        async with self.database.reading() as session:
            row = await TerraformStatesRepository(session).get(state_id)
            request = await RequestsRepository(session).get(str(row.request_id)) if row else None
        if row is None or not self.access.may_decide(
            caller, user_id=row.user_id, owner_team=row.owner_team
        ):
            raise PaoError(
                ErrorCode.NOT_FOUND,
                f"There is no registered Terraform state {state_id}, or it is not yours.",
            )
        if row.released_at is not None:
            return _state_schema(row)
        if request is not None and request.status not in TERMINAL:
            raise _cannot_release(
                f"Request {row.request_id} is {request.status} and may still use this state: "
                "decide about it first, then release the state."
            )
        if row.resources != 0 and not destroyed:
            count = "an unknown number of" if row.resources is None else row.resources
            raise _cannot_release(
                f"{count} resources were in this state last. Destroy them (the request's cleanup "
                "has the commands), then release it with destroyed: true (--destroyed)."
            )
        return await self._release(caller, row, note=note, destroyed=destroyed)

    async def _release(
        self, caller: Principal, row: StoredState, *, note: str, destroyed: bool
    ) -> TerraformState:
        state_id = row.id or 0
        async with self.database.unit_of_work() as session:
            states = TerraformStatesRepository(session)
            if await states.release(state_id, by=caller.id, note=note):
                await AuditRepository(session).insert(
                    AuditEntry(
                        event_type="terraform_state.released",
                        actor=caller.id,
                        via="api",
                        source_system="api",
                        at=datetime.now(UTC),
                        request_id=str(row.request_id),
                        action_id=row.action_id,
                        reason=note,
                        event_data={
                            "stateId": state_id,
                            "place": row.place,
                            "resources": row.resources,
                            "destroyed": destroyed,
                        },
                    )
                )
        async with self.database.reading() as session:
            now = await TerraformStatesRepository(session).get(state_id)
        return _state_schema(now or row)


def _state_schema(row: StoredState) -> TerraformState:
    released = None
    if row.released_at is not None:
        released = Release(
            by=row.released_by or "",
            at=timestamp(row.released_at),
            note=row.release_note or "",
        )
    return TerraformState(
        id=row.id or 0,
        place=row.place,
        shared=row.shared,
        request_id=str(row.request_id),
        action_id=row.action_id,
        item_id=row.item_id,
        resources=row.resources,
        registered_at=timestamp(row.registered_at),
        released=released,
    )


def _cannot_release(message: str) -> PaoError:
    detail = Detail(
        field="state",
        constraint="state",
        message=message,
        received="release",
        expected="an empty state of a request that has ended",
    )
    return PaoError(ErrorCode.INVALID_STATE_TRANSITION, message, details=(detail,))
