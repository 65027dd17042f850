"""Logging of the processes that `pao` starts, from their settings."""

import os

from pydantic import SecretStr

from pao.clients.secret_store import VARIABLE
from pao.logging import configure_logging
from pao.settings import Settings


def configure_from(settings: Settings) -> None:
    """Set logging up so that no secret of these settings is ever written."""
    parts = (
        settings.auth,
        settings.database,
        settings.jira,
        settings.catalog,
        settings.temporal,
        settings.actions,
    )
    secrets = [
        value.get_secret_value()
        for part in parts
        for value in dict(part).values()
        if isinstance(value, SecretStr)
    ]
    if settings.jira_file is not None:
        secrets += [one.secret.get_secret_value() for one in settings.jira_file.instances]
    # What templates may name is known by the variables' common beginning alone.
    secrets += [value for name, value in os.environ.items() if name.startswith(VARIABLE) and value]
    configure_logging(level=settings.logging.level, style=settings.logging.format, secrets=secrets)
