"""Decides which of two catalogs is newer: an older one is never served again by itself.

Several processes may see several folders, such as two images during a rollout. Without an order
they would overwrite each other's catalog forever.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from db.repositories.catalog_state import Lineage

MAX_SUPERSEDED = 500
SKEW = timedelta(minutes=1)
OUTDATED = (
    "the folder of this process is not newer than the catalog in service, which stays; change the"
    " folder, or refresh with force to serve it anyway"
)


@dataclass(frozen=True, slots=True)
class FolderRevision:
    """The content of a folder, and the time of its last change, if its files tell."""

    digest: str
    changed_at: datetime | None = None


def may_replace(lineage: Lineage, revision: FolderRevision, *, changed_here: bool) -> bool:
    """Return whether a folder may be served now.

    Yes if it holds what is served, if it has just been changed while its process watched, if its
    files are newer, or if it was never served and is not older.
    """
    if lineage.digest in (None, revision.digest) or changed_here:
        return True
    if lineage.changed_at is None or revision.changed_at is None:
        return revision.digest not in lineage.superseded
    if revision.changed_at > lineage.changed_at:
        return True
    return revision.changed_at == lineage.changed_at and revision.digest not in lineage.superseded


def next_lineage(lineage: Lineage, revision: FolderRevision) -> Lineage:
    """Return the lineage after a folder is served; its time never goes back."""
    known = [moment for moment in (lineage.changed_at, revision.changed_at) if moment]
    newest = max(known, default=None)
    if lineage.digest in (None, revision.digest):
        return replace(lineage, digest=revision.digest, changed_at=newest)
    before = (str(lineage.digest), *lineage.superseded)
    superseded = tuple(digest for digest in before if digest != revision.digest)
    return Lineage(revision.digest, newest, superseded[:MAX_SUPERSEDED])


def revision_of(digest: str, changed_at: datetime | None) -> FolderRevision:
    """Return the revision of a copy; a modification time in the future proves nothing."""
    if changed_at is not None and changed_at > datetime.now(UTC) + SKEW:
        changed_at = None
    return FolderRevision(digest, changed_at)
