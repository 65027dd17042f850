"""How far a running action has come: kept by Temporal, given to the worker that carries it on."""

from collections.abc import Mapping
from typing import Any


class Progress:
    """Travels with every heartbeat. Only a wait (``follow``) is ever handed to another worker.

    What is saved is kept in clear by Temporal, so it never holds a secret.
    """

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        self._saved = dict(saved or {})
        self.details = dict(self._saved)

    @property
    def saved(self) -> dict[str, Any]:
        """What an earlier execution of this same wait had saved last; empty at the first."""
        return dict(self._saved)

    def save(self, details: Mapping[str, Any]) -> None:
        """Have these JSON values sent with the next heartbeat, within a second."""
        self.details = dict(details)
