"""Checks of paths from configuration; no function raises for a path that the system refuses."""

from pathlib import Path


def is_file(path: str | Path) -> bool:
    """Return whether a path names a file; False for one that is too long or not accessible."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: str | Path) -> bool:
    """Return whether a path names a folder, as ``is_file`` does of a file."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False
