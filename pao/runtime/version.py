"""Which PAO this is: package version, commit, build time, database schema."""

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def _installed_version() -> str:
    try:
        return version("platform-automation-orchestrator")
    except PackageNotFoundError:
        return "0.0.0"


VERSION = _installed_version()


@cache
def version_document() -> dict[str, Any]:
    """Return the version in the API's shape; an image sets commit and build time."""
    return {
        "version": VERSION,
        "gitSha": os.environ.get("PAO_GIT_SHA"),
        "buildTime": os.environ.get("PAO_BUILD_TIME"),
        "schemaVersion": _schema_version(),
    }


def _schema_version() -> str:
    folder = Path(__file__).resolve().parents[2] / "db" / "migrations"
    newest = max(folder.glob("[0-9]*.sql"), default=None)
    return newest.name.partition("_")[0] if newest else "none"
