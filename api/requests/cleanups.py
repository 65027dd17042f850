"""Reports of manual cleanup: those who may decide about a request report each entry once."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from api.auth.principal import Principal
from api.requests import schemas
from api.requests.reading import ReadingService, StoredRequest
from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.cleanups import CleanupsRepository
from db.session import Database
from pao.clients.proofs import with_proof
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError, WorkflowGoneError
from pao.core import names
from pao.core.documents import to_document
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.payloads.cleanups import CleanupMark
from pao.core.states import TERMINAL
from pao.runtime.crypto import SecretBox

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CleanupEntry:
    """An entry as it is listed; ``owner`` is the request that it is about, or its component's."""

    owner: str
    action: str | None
    resource: str | None
    instructions: str | None
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupService:
    """Notes what is cleaned up; of the request only what Temporal shows about it changes."""

    box: SecretBox
    database: Database
    reading: ReadingService
    workflows: RequestWorkflows

    async def mark(self, caller: Principal, request_id: str, entry_id: str, note: str) -> None:
        """Record that an entry is done, by whom and how; a repeat changes nothing."""
        stored = await self.reading.get_decidable(caller, request_id)
        entry = _find_entry(self.reading.present(stored), stored, entry_id)
        if entry.done:
            return
        await self._store(caller, stored, entry, entry_id=entry_id, note=note)
        if stored.row.status not in TERMINAL:
            await self._signal(request_id, CleanupMark(entry_id, caller.id, note))

    async def _store(
        self,
        caller: Principal,
        stored: StoredRequest,
        entry: _CleanupEntry,
        *,
        entry_id: str,
        note: str,
    ) -> None:
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

    async def _signal(self, request_id: str, mark: CleanupMark) -> None:
        """Show the mark, which is already stored, on Temporal's page of the request."""
        payload = with_proof(self.box, request_id, names.CLEANUP_SIGNAL, to_document(mark))
        try:
            await self.workflows.signal_cleaned(request_id, payload)
        except (TemporalUnavailableError, WorkflowGoneError):
            _log.warning("the details in Temporal do not show an entry that was cleaned up")


def _find_entry(document: schemas.Request, stored: StoredRequest, entry_id: str) -> _CleanupEntry:
    """Return the entry of that id; raises where there is none, or it may still change."""
    for left in document.left_behind:
        if left.entry_id == entry_id:
            return _CleanupEntry(
                owner=document.id,
                action=left.action,
                resource=left.id,
                instructions=left.instructions,
                done=left.done is not None,
            )
    for one in document.error_context.cleanup if document.error_context else ():
        if one.entry_id != entry_id:
            continue
        if stored.row.status not in TERMINAL:
            raise _still_open(stored)
        return _CleanupEntry(
            owner=one.request_id or document.id,
            action=one.action,
            resource=one.resource,
            instructions=one.instructions,
            done=one.done is not None,
        )
    raise PaoError(
        ErrorCode.NOT_FOUND,
        f"Request {document.id} lists no entry {entry_id}; leftBehind and errorContext.cleanup "
        "give the entryId of each.",
    )


def _still_open(stored: StoredRequest) -> PaoError:
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
