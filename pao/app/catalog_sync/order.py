"""Decides which of two catalogs is newer: an older one is never served again by itself.

Several processes may see several folders, such as two images during a rollout. Each of them takes
its own for the truth; without an order they would rewrite the shared catalog in turns for ever.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from db.repositories.catalog_state import Lineage

MOST_SUPERSEDED = 500
SKEW = timedelta(minutes=1)
OUTDATED = (
    "the folder of this process is not newer than the catalog in service, which stays; change the"
    " folder, or refresh with force to serve it all the same"
)


@dataclass(frozen=True, slots=True)
class Revision:
    """What a folder holds, and when its files say that it was changed last, if they do."""

    digest: str
    changed_at: datetime | None = None


def takes(lineage: Lineage, revision: Revision, *, changed_here: bool) -> bool:
    """Return whether a folder may be served now.

    Yes where it holds what is served, where it has just been changed under the eyes of its process,
    where its files are younger, and where it was never served and is no older.
    """
    if lineage.digest in (None, revision.digest) or changed_here:
        return True
    if lineage.changed_at is None or revision.changed_at is None:
        return revision.digest not in lineage.superseded
    if revision.changed_at > lineage.changed_at:
        return True
    return revision.changed_at == lineage.changed_at and revision.digest not in lineage.superseded


def after(lineage: Lineage, revision: Revision) -> Lineage:
    """Return the lineage once a folder is served; its time never goes back."""
    known = [moment for moment in (lineage.changed_at, revision.changed_at) if moment]
    newest = max(known, default=None)
    if lineage.digest in (None, revision.digest):
        return replace(lineage, digest=revision.digest, changed_at=newest)
    before = (str(lineage.digest), *lineage.superseded)
    superseded = tuple(digest for digest in before if digest != revision.digest)
    return Lineage(revision.digest, newest, superseded[:MOST_SUPERSEDED])


def revision_of(digest: str, changed_at: datetime | None) -> Revision:
    """Return the revision of a copy; a modification time in the future proves nothing."""
    if changed_at is not None and changed_at > datetime.now(UTC) + SKEW:
        changed_at = None
    return Revision(digest, changed_at)
