"""Anchors the audit trail once a day; the database makes the anchor."""

import logging
from dataclasses import dataclass

from temporalio import activity

from db.audit_anchoring import anchor_all
from db.audit_chain import anchor_document
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.session import Database
from pao.core import names

_log = logging.getLogger(__name__)

ANCHOR = "audit-anchor"


@dataclass(frozen=True, slots=True)
class AuditAnchors:
    """Anchors the ends of the trail's hash chains."""

    database: Database

    @activity.defn(name=names.ANCHOR_ACTIVITY)
    async def anchor(self) -> dict[str, int]:
        """Anchor what has changed; return the newest anchor's number and the number of chains.

        Every anchor is logged in full, so that a copy exists out of reach of the database's
        owner.
        """
        made = await anchor_all(self.database)
        for anchor in made:
            _log.info("audit.anchor", extra={"anchor": anchor_document(anchor)})
        counts = {"anchor": made[-1].id if made else 0, "chains": sum(one.chains for one in made)}
        async with self.database.unit_of_work() as session:
            await MaintenanceRunsRepository(session).note(ANCHOR, counts)
        return counts
