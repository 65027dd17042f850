"""Removes expired rows in small batches; the database enforces the age limits."""

import logging
import time
from dataclasses import dataclass, field

from temporalio import activity

from db.repositories.access_keys import AccessKeysRepository
from db.repositories.breakers import BreakersRepository
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.repositories.replays import ReplaysRepository
from db.repositories.retention import RetentionRepository
from db.repositories.web_bulk_decisions import WebBulkDecisionsRepository
from db.repositories.web_drafts import WebDraftsRepository
from db.repositories.web_sessions import WebSessionsRepository
from db.session import Database
from pao.core import names

_log = logging.getLogger(__name__)

MAINTENANCE = "maintenance"
_KINDS = ("requests", "auditLines", "signatures", "breakers", "sessions", "drafts", "bulkDecisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much one transaction removes, and for how many seconds a run begins new ones.

    ``signatures`` are small rows, of which there may be one for each call of a day.
    """

    size: int = 500
    signatures: int = 10_000
    seconds: float = 2_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Removes old requests and audit lines; expired signatures, breakers, sessions and drafts."""

    database: Database
    batches: BatchLimits = field(default_factory=BatchLimits)

    @activity.defn(name=names.MAINTENANCE_ACTIVITY)
    async def maintain(self) -> dict[str, int]:
        """Remove batch after batch until nothing is left; return how much was removed, by kind.

        Each batch is a separate transaction, so that no lock lasts and an interrupted run loses
        nothing. What is left when the time is up is left to the next run.
        """
        ends = time.monotonic() + self.batches.seconds
        counts = dict.fromkeys((*_KINDS, "batches"), 0)
        while time.monotonic() < ends and await self._batch(counts):
            pass
        async with self.database.unit_of_work() as session:
            await RetentionRepository(session).refresh_statistics()
            await MaintenanceRunsRepository(session).note(MAINTENANCE, counts)
        _log.info("maintenance is done", extra=counts)
        return counts

    async def _batch(self, counts: dict[str, int]) -> bool:
        size = self.batches.size
        async with self.database.unit_of_work() as session:
            rows = await RetentionRepository(session).remove_expired(batch=size)
            signatures = ReplaysRepository(session).remove_expired(batch=self.batches.signatures)
            removed = (
                rows.requests,
                rows.audit_rows,
                await signatures,
                await BreakersRepository(session).remove_expired(batch=size),
                await WebSessionsRepository(session).remove_expired(batch=size)
                + await AccessKeysRepository(session).remove_expired_sessions(batch=size),
                await WebDraftsRepository(session).remove_expired(batch=size),
                await WebBulkDecisionsRepository(session).remove_expired(batch=size),
            )
        for kind, count in zip(_KINDS, removed, strict=True):
            counts[kind] += count
        counts["batches"] += 1
        return any(removed)
