"""Reports of manual cleanup: whoever may decide about a request reports each entry once."""

from dataclasses import dataclass
from datetime import UTC, datetime

from api.auth.principal import Principal
from api.requests import schemas
from api.requests.reading import ReadingService, Stored
from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.cleanups import CleanupsRepository
from db.session import Database
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.states import TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An entry as it is listed; ``owner`` is the request that it is about, or its component's."""

    owner: str
    action: str | None
    resource: str | None
    instructions: str | None
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupService:
    """Notes what is cleaned up; nothing of the request itself changes."""

    database: Database
    reading: ReadingService

    async def mark(self, caller: Principal, request_id: str, entry_id: str, note: str) -> None:
        """Note that an entry is done, with who says so and why; a repeat changes nothing."""
        stored = await self.reading.get_decidable(caller, request_id)
        entry = _listed(self.reading.present(stored), stored, entry_id)
        if entry.done:
            return
        async with self.database.unit_of_work() as session:
            cleanups = CleanupsRepository(session)
            if await cleanups.mark(entry.owner, entry_id, by=caller.id, note=note):
                await AuditRepository(session).insert(
                    AuditEntry(
                        event_type="cleanup.done",
                        actor=caller.id,
                        via="api",
                        source_system="api",
                        at=datetime.now(UTC),
                        request_id=entry.owner,
                        action_id=entry.action,
                        correlation_id=str(stored.row.correlation_id),
                        reason=note,
                        event_data={
                            "entryId": entry_id,
                            "resource": entry.resource,
                            "instructions": entry.instructions,
                        },
                    )
                )


def _listed(shown: schemas.Request, stored: Stored, entry_id: str) -> _Entry:
    """Return the entry of that id; raises where there is none, or it may still change."""
    for left in shown.left_behind:
        if left.entry_id == entry_id:
            return _Entry(
                owner=shown.id,
                action=left.action,
                resource=left.id,
                instructions=left.instructions,
                done=left.done is not None,
            )
    for one in shown.error_context.cleanup if shown.error_context else ():
        if one.entry_id != entry_id:
            continue
        if stored.row.status not in TERMINAL:
            raise _not_yet(stored)
        return _Entry(
            owner=one.request_id or shown.id,
            action=one.action,
            resource=one.resource,
            instructions=one.instructions,
            done=one.done is not None,
        )
    raise PaoError(
        ErrorCode.NOT_FOUND,
        f"Request {shown.id} lists no entry {entry_id}; leftBehind and errorContext.cleanup give "
        "the entryId of each.",
    )


def _not_yet(stored: Stored) -> PaoError:
    message = (
        f"The request is {stored.row.status}: a retry may still use or complete what this entry "
        "names. Decide about the request first, then mark it."
    )
    return PaoError(
        ErrorCode.INVALID_STATE_TRANSITION,
        message,
        details=(
            Detail(
                field="status",
                constraint="state",
                message=message,
                received=stored.row.status,
                expected="completed, aborted or escalated",
            ),
        ),
    )
