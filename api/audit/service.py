"""Reads the audit trail on behalf of an admin. Verifying it is `pao audit verify`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.access import AccessPolicy
from api.audit.schemas import AuditLine, AuditPage
from api.auth.principal import Principal
from api.pagination import Cursors, pagination
from api.requests.references import ReferenceService
from db.models import AuditLog
from db.repositories.audit import AuditFilters, AuditRepository
from db.session import Database
from pao.core.errors import ErrorCode, PaoError

_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditService:
    """The trail, the newest line first; what is written during a walk is not met by it."""

    access: AccessPolicy
    cursors: Cursors
    database: Database
    references: ReferenceService

    async def filters(  # noqa: PLR0913 -- the filters of the trail
        self,
        caller: Principal,
        *,
        actor: str | None = None,
        event_types: tuple[str, ...] = (),
        request: str | None = None,
        via: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AuditFilters:
        """Return filters; ``request`` names one in any way, or by the id of one that is removed.

        Raises ``FORBIDDEN`` unless the caller is an admin, and what resolving a reference raises.
        """
        self.access.require_admin(caller, "read the audit trail")
        return AuditFilters(
            actor=actor,
            event_types=event_types,
            request_id=await self._request_id(caller, request) if request else None,
            via=via,
            since=since,
            until=until,
        )

    async def page(
        self, caller: Principal, filters: AuditFilters, *, cursor: str | None, limit: int
    ) -> AuditPage:
        """Return one page; raises ``FORBIDDEN`` unless the caller is an admin."""
        self.access.require_admin(caller, "read the audit trail")
        scope = f"audit:{filters!r}"
        before = int(self.cursors.read(scope, cursor)[0]) if cursor else None
        async with self.database.reading() as session:
            rows = await AuditRepository(session).page(filters, before=before, limit=limit + 1)
        page = rows[:limit]
        more = len(rows) > limit
        next_cursor = self.cursors.write(scope, [page[-1].id]) if more else None
        return AuditPage(
            data=[_audit_line(row) for row in page], pagination=pagination(next_cursor)
        )

    async def lines(self, filters: AuditFilters) -> AsyncIterator[AuditLine]:
        """Yield all lines, read in portions; memory stays bounded. Filters are for admins only."""
        before: int | None = None
        while True:
            async with self.database.reading() as session:
                rows = await AuditRepository(session).page(filters, before=before, limit=_BATCH)
            for row in rows:
                yield _audit_line(row)
            if len(rows) < _BATCH:
                return
            before = rows[-1].id

    async def ndjson(self, filters: AuditFilters) -> AsyncIterator[str]:
        """Yield all lines as JSON, one line each."""
        async for line in self.lines(filters):
            yield line.model_dump_json() + "\n"

    async def _request_id(self, caller: Principal, reference: str) -> str:
        try:
            return await self.references.resolve(caller, reference)
        except PaoError as error:
            if error.code is not ErrorCode.REQUEST_NOT_FOUND:
                raise
            try:
                # Lines outlive their request.
                return str(UUID(reference))
            except ValueError:
                raise error from None


def _audit_line(row: AuditLog) -> AuditLine:
    return AuditLine(
        id=row.id or 0,
        at=row.at,
        event_type=row.event_type,
        actor=row.actor,
        via=row.via,
        reason=row.reason,
        request_id=row.request_id,
        action_id=row.action_id,
        correlation_id=row.correlation_id,
        source_system=row.source_system,
        data=row.event_data,
    )
