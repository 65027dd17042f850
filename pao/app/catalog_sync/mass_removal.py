"""Decides whether a revision is held back: one that removes most of the catalog is seldom meant."""

from collections.abc import Collection

from pao.core.payloads.catalog import HeldRevision

FEW = 20
"""A catalog of so many items may be emptied without asking."""
MOST_NAMED = 20
SHORTEST_CONFIRMATION = 7


def held_back(
    removed: Collection[str], *, served: int, revision: str, confirm: str | None
) -> HeldRevision | None:
    """Return what is held back: more than half of more than 20 items, unless somebody confirms it.

    A confirmation names the revision, or its first seven digits or more.
    """
    if served <= FEW or 2 * len(removed) <= served or confirms(confirm, revision):
        return None
    return HeldRevision(revision, len(removed), served, sorted(removed)[:MOST_NAMED])


def confirms(confirm: str | None, revision: str) -> bool:
    """Return whether this names the revision."""
    given = (confirm or "").strip().lower()
    return len(given) >= SHORTEST_CONFIRMATION and revision.lower().startswith(given)
