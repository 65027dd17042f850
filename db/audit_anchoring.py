"""Anchors the whole audit trail, in as many transactions as it takes."""

from db.audit_chain import Anchor
from db.repositories.anchors import MOST_CHAINS, AnchorsRepository
from db.session import Database


async def anchor_all(database: Database) -> list[Anchor]:
    """Anchor until no changed chain is left; return the new anchors, or the newest one."""
    anchors: list[Anchor] = []
    while True:
        async with database.unit_of_work() as session:
            anchor = await AnchorsRepository(session).anchor()
        if anchor is None or anchor in anchors:
            return anchors
        anchors.append(anchor)
        if anchor.chains < MOST_CHAINS:
            return anchors
