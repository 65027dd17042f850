"""Keeping a state that Terraform could not write to its backend, for worker and guard process.

Only the standard library belongs here: the guard process runs without anything else. A state is
copied, synced and compared before it gets its name; where that fails it stays where it is.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UNWRITTEN_STATE = "errored.tfstate"
"""What Terraform calls the state that its backend did not take."""

DIRECTORY_PREFIX = "pao-terraform-"
LOCK = ".running"
PART = ".part"


class DamagedStateError(Exception):
    """A file that is not a whole state, which is never written to a backend."""


def read_state(content: bytes) -> dict[str, Any]:
    """Return a whole state; raises DamagedStateError for what is truncated or something else."""
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedStateError("it is not JSON to its end") from error
    if not isinstance(read, dict) or not isinstance(read.get("lineage"), str):
        raise DamagedStateError("it is not a Terraform state")
    if not isinstance(read.get("serial"), int) or not read["lineage"]:
        raise DamagedStateError("it has no serial or no lineage")
    return read


def secure(root: Path, folder: Path, name: str) -> list[Path]:
    """Move the unwritten states in a private folder to where the next attempt looks for them.

    Returns where they are afterwards: in the folder for unwritten states, or, where that cannot
    take them (full, read-only, not to be made), at the top of the private folder.
    """
    return [_move(file, folder, name) or _move_to_top(file, root) for file in unwritten_in(root)]


def clear(root: Path, folder: Path, name: str) -> None:
    """Remove a private folder except for a state that could be kept nowhere else."""
    kept = [place for place in secure(root, folder, name) if place.is_relative_to(root)]
    if kept:
        _remove_all_but(root, kept)
    else:
        shutil.rmtree(root, ignore_errors=True)


def keep(content: bytes, folder: Path, name: str) -> Path:
    """Keep a state in the folder for unwritten states, whole, or raise OSError."""
    digest = hashlib.sha256(content).hexdigest()[:12]
    kept = folder / f"{name}-{digest}.tfstate"
    part = kept.with_suffix(PART)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.parent.stat().st_mode & stat.S_ISVTX and not _is_own(folder):
        raise OSError(f"{folder} belongs to somebody else")
    try:
        _write(part, content)
        _compare(part, content)
        part.rename(kept)
        _sync_folder(folder)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return kept


def forget(file: Path, folder: Path) -> None:
    """Remove a state that its backend has taken, and the private folder that was left for it."""
    file.unlink(missing_ok=True)
    if file.name == UNWRITTEN_STATE and file.parent.name.startswith(DIRECTORY_PREFIX):
        _clear_if_left(file.parent, folder)


def gather(folder: Path, *, mark: str, place: str) -> list[Path]:
    """Find the unwritten states of an action, and of others in the same place.

    It does not matter which process has left them. What is in private folders that nobody uses
    any more is moved to the others.
    """
    patterns = (f"{mark}-*", f"*-{place}")
    temporary = Path(tempfile.gettempdir())
    directories = {
        directory
        for pattern in patterns
        for directory in temporary.glob(f"{DIRECTORY_PREFIX}{pattern}-*")
        if _is_own(directory)
    }
    for directory in directories:
        _clear_if_left(directory, folder)
    found = {file for pattern in patterns for file in folder.glob(f"{pattern}-*.tfstate")}
    found |= {file for directory in directories if _is_plain(file := directory / UNWRITTEN_STATE)}
    # As earlier versions kept them, without the place in their names.
    found |= set(folder.glob(f"{mark}-*/{UNWRITTEN_STATE}"))
    return sorted(found)


def state_name(mark: str, place: str) -> str:
    """Return the name of an action's private folders and unwritten states."""
    return f"{mark}-{place}"


def is_elsewhere(file: Path, *, mark: str, place: str) -> bool:
    """Return whether an unwritten state belongs to another place than the action now names."""
    name = _name_of(file)
    return name != mark and not name.endswith(f"-{place}")


def make_private_directory(name: str) -> Path:
    """Make a private folder (0700) whose name says whose it is."""
    return Path(tempfile.mkdtemp(prefix=f"{DIRECTORY_PREFIX}{name}-"))


@contextlib.contextmanager
def in_use(root: Path) -> Iterator[int]:
    """Mark a private folder as used while the block runs; yields the descriptor to inherit."""
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield descriptor
    finally:
        os.close(descriptor)


def unwritten_in(root: Path) -> list[Path]:
    """Find the unwritten states in a private folder, wherever Terraform ran in it."""
    return sorted(file for file in root.rglob(UNWRITTEN_STATE) if _is_plain(file))


def _move(file: Path, folder: Path, name: str) -> Path | None:
    """Move a state into the folder for unwritten states; None if that fails."""
    try:
        kept = keep(file.read_bytes(), folder, name)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        file.unlink()
    return kept


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def _compare(file: Path, content: bytes) -> None:
    if file.read_bytes() != content:
        raise OSError(f"{file} is not what was written")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move_to_top(file: Path, root: Path) -> Path:
    """Move a state to the one place in a private folder where it is looked for; needs no space."""
    top = root / UNWRITTEN_STATE
    if file == top or top.exists():
        return file
    try:
        file.rename(top)
    except OSError:
        return file
    return top


def _remove_all_but(root: Path, kept: list[Path]) -> None:
    names = {LOCK, *(place.relative_to(root).parts[0] for place in kept)}
    for entry in root.iterdir():
        if entry.name in names:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _clear_if_left(directory: Path, folder: Path) -> None:
    try:
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        clear(directory, folder, _name_of(directory / UNWRITTEN_STATE))
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def _name_of(file: Path) -> str:
    """Return the name under which an unwritten state was kept: all but what makes it unique."""
    own = (
        file.parent.name.removeprefix(DIRECTORY_PREFIX)
        if file.name == UNWRITTEN_STATE
        else file.stem
    )
    return own.rpartition("-")[0]


def _is_own(directory: Path) -> bool:
    """Return whether a folder is ours: others may create folders with any name beside it."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _is_plain(file: Path) -> bool:
    return not file.is_symlink() and file.is_file()
