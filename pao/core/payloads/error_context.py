"""The entries of an error context: what failed, what exists, and what to do about it by hand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FailedAction:
    """An action that has failed, and why."""

    index: int
    id: str
    type: str
    attempt: int
    started_at: str | None = None
    failed_at: str | None = None
    message: str | None = None
    outcome_unknown: bool = False


@dataclass(frozen=True)
class ExistingResource:
    """Something that an action of the request has made, or that a failed one has left."""

    type: str
    id: str | None = None
    url: str | None = None
    action: str | None = None


@dataclass(frozen=True)
class CleanupStep:
    """What to do by hand about a resource; ``entry_id`` identifies it when it is reported as done.

    Contexts of earlier versions have no ``entry_id``.
    """

    action: str | None = None
    resource: str | None = None
    instructions: str | None = None
    entry_id: str | None = None
