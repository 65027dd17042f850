"""Decides whether a revision is held back: removing most of the catalog is rarely intended."""

from collections.abc import Collection

from pao.core.payloads.catalog import HeldRevision

SMALL_CATALOG = 20
"""A catalog of so many items may be emptied without confirmation."""
MAX_NAMED = 20
MIN_CONFIRMATION_LENGTH = 7


def held_removal(
    removed: Collection[str], *, served: int, revision: str, confirm: str | None
) -> HeldRevision | None:
    """Return what is held back: more than half of more than 20 items, unless somebody confirms it.

    A confirmation names the revision, or its first seven digits or more.
    """
    if served <= SMALL_CATALOG or 2 * len(removed) <= served or confirms(confirm, revision):
        return None
    return HeldRevision(revision, len(removed), served, sorted(removed)[:MAX_NAMED])


def confirms(confirm: str | None, revision: str) -> bool:
    """Return whether a confirmation names the revision."""
    given = (confirm or "").strip().lower()
    return len(given) >= MIN_CONFIRMATION_LENGTH and revision.lower().startswith(given)
