"""Launches child processes: ties a program's lifetime to its parent's, then executes it.

It is run by its path, as a script, so that it works from threads and before an
unprivileged user could read Python's files. Nothing that knows about PAO belongs here.

Arguments: parent's pid, signal number, ``uid:gid`` or ``-``, then the program and its arguments.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``: the signal that this process gets when its parent ends."""


def drop_privileges(account: str) -> None:
    """Become ``uid:gid`` for good, without supplementary groups; ``-`` keeps the user."""
    if account == "-":
        return
    uid, gid = (int(part) for part in account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Ask the kernel for ``signal_number`` when the parent ends; does nothing where it cannot."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    # The parent may have ended before the request was made: then no signal ever comes.
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Drop privileges first: changing the user clears the request for the parent's death signal."""
    parent, signal_number, account, *command = arguments
    drop_privileges(account)
    die_with_parent(int(parent), int(signal_number))
    os.execvp(command[0], command)  # noqa: S606 -- becoming the given program is its purpose


if __name__ == "__main__":
    main(sys.argv[1:])
