"""The configuration of every process: read once, checked as a whole, frozen.

Imported where processes are assembled (`pao.app`, `api/app.py`); every other package gets its
section.
"""

from pao.settings.actions import ActionSettings
from pao.settings.catalog import CatalogSettings
from pao.settings.http import HttpSettings
from pao.settings.jira_file import ConfiguredJira, JiraFile
from pao.settings.loading import ConfigurationError, Settings, load_settings
from pao.settings.requirements import Process
from pao.settings.rollout import Promotion, RolloutSettings
from pao.settings.sections import (
    AuthSettings,
    DatabaseSettings,
    GitHubSettings,
    IdentitySource,
    JiraFlavour,
    JiraSettings,
    LoggingSettings,
    LogLevel,
    TelemetrySettings,
    TemporalSettings,
    WorkerSettings,
)
from pao.settings.terraform import TerraformSettings

__all__ = [
    "ActionSettings",
    "AuthSettings",
    "CatalogSettings",
    "ConfigurationError",
    "ConfiguredJira",
    "DatabaseSettings",
    "GitHubSettings",
    "HttpSettings",
    "IdentitySource",
    "JiraFile",
    "JiraFlavour",
    "JiraSettings",
    "LogLevel",
    "LoggingSettings",
    "Process",
    "Promotion",
    "RolloutSettings",
    "Settings",
    "TelemetrySettings",
    "TemporalSettings",
    "TerraformSettings",
    "WorkerSettings",
    "load_settings",
]
