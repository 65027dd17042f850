"""The progress of a running action: stored by Temporal for the worker that continues it."""

from collections.abc import Callable, Mapping
from typing import Any

Change = Callable[[Mapping[str, Any]], dict[str, Any]]


class ActionProgress:
    """Details that are sent with every heartbeat, for the worker that continues a wait.

    Temporal keeps ``details`` in clear text, so texts with a secret are sealed in them.
    """

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        self._saved = dict(saved or {})
        self.details = dict(self._saved)
        self._seal: Change = dict
        self._unseal: Change = dict

    def guard(self, seal: Change, unseal: Change) -> None:
        """Seal everything that is saved with ``seal``, and read it with ``unseal``."""
        self._seal, self._unseal = seal, unseal

    @property
    def saved(self) -> dict[str, Any]:
        """What an earlier execution of this wait saved last; empty for the first."""
        return self._unseal(self._saved)

    def save(self, details: Mapping[str, Any]) -> None:
        """Send these JSON values with the next heartbeat, within a second."""
        self.details = self._seal(details)
