"""Logging of the processes that `pao` starts, from their settings."""

import os

from pao.clients.secret_store import VARIABLE
from pao.runtime.logging import configure_logging
from pao.settings import Settings


def configure_from(settings: Settings) -> None:
    """Set logging up so that no secret of these settings is ever written."""
    secrets = settings.secret_values()
    # What templates may name is known by the variables' common beginning alone.
    secrets += [value for name, value in os.environ.items() if name.startswith(VARIABLE) and value]
    configure_logging(level=settings.logging.level, style=settings.logging.format, secrets=secrets)
