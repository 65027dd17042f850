"""Logging of the processes that `pao` starts, from their settings."""

from pydantic import SecretStr

from pao.logging import configure_logging
from pao.settings import Settings


def configure_from(settings: Settings) -> None:
    """Set logging up so that no secret of these settings is ever written."""
    parts = (settings.auth, settings.database, settings.jira, settings.catalog, settings.temporal)
    secrets = [
        value.get_secret_value()
        for part in parts
        for value in dict(part).values()
        if isinstance(value, SecretStr)
    ]
    if settings.jira_file is not None:
        secrets += [one.secret.get_secret_value() for one in settings.jira_file.instances]
    configure_logging(level=settings.logging.level, style=settings.logging.format, secrets=secrets)
