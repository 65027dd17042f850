"""What a path that somebody wrote names; nothing raises for a path that the system refuses."""

from pathlib import Path


def is_file(path: str | Path) -> bool:
    """Return whether a path names a file; False for one too long, or behind a closed folder."""
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
