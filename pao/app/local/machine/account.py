"""The account of the services: created if it is missing, and used by root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pao.app.local.machine.layout import MachineLayout
from pao.app.local.processes import LocalError


def make_account(layout: MachineLayout) -> None:
    """Create the account and its folder, if they do not exist."""
    if layout.account is not None and _entry(layout.account) is None:
        shell = shutil.which("nologin") or "/bin/false"
        command = ["useradd", "--system", "--user-group", "--home-dir", str(layout.home.folder)]
        done = subprocess.run(  # noqa: S603 -- a system program with arguments of ours
            [*command, "--shell", shell, layout.account],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalError(f"useradd failed: {done.stderr.strip()}")
    folder = layout.home.folder
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        if layout.account is not None and (entry := _entry(layout.account)):
            os.chown(folder, entry.pw_uid, entry.pw_gid)


@contextmanager
def acting_as(layout: MachineLayout) -> Iterator[None]:
    """Act as the account during the block, so that it owns what is written."""
    entry = _entry(layout.account) if layout.account else None
    if entry is None or os.geteuid() != 0 or entry.pw_uid == 0:
        yield
        return
    group, home, here = os.getegid(), os.environ.get("HOME"), Path.cwd()
    os.chdir(layout.home.folder)
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    os.environ["HOME"] = str(layout.home.folder)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.chdir(here)
        if home is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = home


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
