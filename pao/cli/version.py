"""Which version of `pao` this is."""

from importlib import metadata

_DISTRIBUTION = "platform-automation-orchestrator"


def own_version() -> str:
    """Return the installed version; a checkout that is not installed says so."""
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0.0.0+not-installed"
