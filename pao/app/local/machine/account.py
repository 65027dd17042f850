"""The account of the services: made where it is missing, and acted as by root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pao.app.local.machine.layout import Place
from pao.app.local.processes import LocalError


def make_account(place: Place) -> None:
    """Make the account, if the machine does not have it, and its folder."""
    if place.account is not None and _entry(place.account) is None:
        shell = shutil.which("nologin") or "/bin/false"
        command = ["useradd", "--system", "--user-group", "--home-dir", str(place.home.folder)]
        done = subprocess.run(  # noqa: S603 -- a system program with arguments of ours
            [*command, "--shell", shell, place.account], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LocalError(f"useradd failed: {done.stderr.strip()}")
    folder = place.home.folder
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        if place.account is not None and (entry := _entry(place.account)):
            os.chown(folder, entry.pw_uid, entry.pw_gid)


@contextmanager
def acting_as(place: Place) -> Iterator[None]:
    """Act as the account for the length of a block, so that what is written belongs to it."""
    entry = _entry(place.account) if place.account else None
    if entry is None or os.geteuid() != 0 or entry.pw_uid == 0:
        yield
        return
    group, home, here = os.getegid(), os.environ.get("HOME"), Path.cwd()
    os.chdir(place.home.folder)
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    os.environ["HOME"] = str(place.home.folder)
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
