"""Rereads secrets from their stores while a process runs."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from pao.runtime.background import BackgroundTask
from pao.settings.live_secrets import LiveSecrets

_log = logging.getLogger(__name__)


class SecretsRefresh:
    """Rereads all secrets ``every`` so many seconds.

    One that cannot be read, or whose new value is invalid, keeps its last value.

    ``changed`` holds callbacks by the name of the secret, which are called with its new value.
    """

    def __init__(
        self,
        secrets: LiveSecrets,
        *,
        every: float,
        changed: Mapping[str, Callable[[str], None]] | None = None,
    ) -> None:
        self._secrets = secrets
        self._every = every
        self._changed = dict(changed or {})
        self.unread: Mapping[str, str] = {}
        """Why secrets kept their last values, by their names; no value is in it."""
        self.task = BackgroundTask("secrets-refresh", self._keep_reading)

    @property
    def names(self) -> list[str]:
        """The names of the secrets that are reread."""
        return sorted(self.ages())

    def ages(self) -> dict[str, float]:
        """Return for each secret the seconds since it was last read."""
        return self._secrets.ages()

    async def refresh(self) -> None:
        """Read all secrets now, and pass changed values to the callbacks."""
        found = await asyncio.to_thread(self._secrets.refresh)
        for name in found.changed:
            if name in self._changed:
                self._changed[name](self._secrets.value(name))
        if found.changed:
            _log.info("secrets have new values: %s", ", ".join(found.changed))
        if found.unread and found.unread != self.unread:
            # Behind a colon the log would take it for the secret itself, and hide it.
            reasons = "; ".join(f"{name} ({text})" for name, text in sorted(found.unread.items()))
            _log.warning("secrets keep their last values: %s", reasons)
        if self.unread and not found.unread:
            _log.info("all secrets are up to date again")
        self.unread = found.unread

    async def _keep_reading(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            if self._secrets:
                await self.refresh()
            self.task.mark_healthy()
