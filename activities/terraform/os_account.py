"""Runs Terraform under another OS account than the worker: file ownership and access."""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from activities.options.terraform import OsAccount

_DESCRIPTORS = "/proc/self/fd"


def hand_over(path: Path, account: OsAccount | None, *, names: str = "*") -> None:
    """Chown a file, or a folder and everything in it that has one of these names, to the account.

    Only what is the worker's own: in a folder that a module could write to, anything else may be
    a trap, such as a link to a file of the worker.
    """
    if account is None:
        return
    _chown_own(path, account)
    if path.is_symlink() or not path.is_dir():
        return
    for inner in path.glob(names):
        _chown_own(inner, account)
        for parent, folders, files in os.walk(inner):
            for name in (*folders, *files):
                _chown_own(Path(parent) / name, account)


def _chown_own(path: Path, account: OsAccount) -> None:
    found = path.lstat()
    alone = stat.S_ISDIR(found.st_mode) or found.st_nlink == 1
    if found.st_uid == os.geteuid() and alone:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def can_reach(path: Path, account: OsAccount) -> bool:
    """Return whether the account may enter all folders above a path."""
    return all(_may_enter(folder.stat(), account) for folder in path.resolve().parents)


def _may_enter(status: os.stat_result, account: OsAccount) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


@dataclass(frozen=True, slots=True)
class SharedPaths:
    """Paths to files in folders that the account may not enter, by descriptors that it inherits.

    So the folders above stay closed.
    """

    account: OsAccount | None
    _open: dict[str, int] = field(default_factory=dict)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that commands inherit."""
        return tuple(self._open.values())

    def to(self, path: Path) -> str:
        """Return a path for the account to a folder or file."""
        if self.account is None or can_reach(path, self.account):
            return str(path)
        known = str(path)
        if known not in self._open:
            self._open[known] = os.open(path, os.O_PATH | os.O_CLOEXEC)
        return f"{_DESCRIPTORS}/{self._open[known]}"

    def named(self, text: str) -> str:
        """Return a text with the real paths in it."""
        for path, descriptor in self._open.items():
            text = re.sub(f"{_DESCRIPTORS}/{descriptor}(?![0-9])", path.replace("\\", "\\\\"), text)
        return text

    def close(self) -> None:
        """Close all of them."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()
