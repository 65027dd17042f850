"""Anchoring the audit trail, once a day; the database makes the anchor by itself."""

import logging
from collections.abc import Callable
from typing import Any

from temporalio import activity

from db.repositories.anchors import AnchorsRepository
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.session import Database
from pao.core import names

_log = logging.getLogger(__name__)

ANCHOR = "audit-anchor"


class AuditAnchors:
    """Takes the ends of the trail's chains into an anchor."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def activities(self) -> list[Callable[..., Any]]:
        """Give the anchoring."""

        @activity.defn(name=names.ANCHOR_ACTIVITY)
        async def anchor_audit() -> dict[str, int]:
            return await self.anchor()

        return [anchor_audit]

    async def anchor(self) -> dict[str, int]:
        """Make an anchor; answers its number, and how many chains had changed."""
        async with self._database.unit_of_work() as session:
            made = await AnchorsRepository(session).anchor()
            counts = {"anchor": made.id if made else 0, "chains": made.chains if made else 0}
            await MaintenanceRunsRepository(session).note(ANCHOR, counts)
        _log.info("the audit trail is anchored", extra=counts)
        return counts
