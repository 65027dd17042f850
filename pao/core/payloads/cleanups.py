"""What people report as cleaned up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CleanupMark:
    """What the API tells an open request's workflow: an entry of cleanup is done, says who."""

    entry_id: str
    by: str
    note: str
