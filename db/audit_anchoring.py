"""Anchoring the whole audit trail, in as many transactions as it takes."""

from db.audit_chain import Anchor
from db.repositories.anchors import MOST_CHAINS, AnchorsRepository
from db.session import Database


async def anchor_all(database: Database) -> list[Anchor]:
    """Anchor until no changed chain is left; return the new anchors, or the newest one."""
    found: list[Anchor] = []
    while True:
        async with database.unit_of_work() as session:
            made = await AnchorsRepository(session).anchor()
        if made is None or made in found:
            return found
        found.append(made)
        if made.chains < MOST_CHAINS:
            return found
