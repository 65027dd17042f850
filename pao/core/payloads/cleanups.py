"""What people report as cleaned up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CleanupMark:
    """The API's signal to an open request's workflow: who reports a cleanup entry as done."""

    entry_id: str
    by: str
    note: str
