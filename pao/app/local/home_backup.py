"""Backups of a state folder of `pao up`, as a whole: databases, Terraform's states, the secrets.

The folder may be in use meanwhile; a restore fills one that is not.
"""

import asyncio
import json
import os
import shutil
import sqlite3
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from io import BytesIO
from pathlib import Path

from db.backups import PAO, Backup, BackupError, Copy, back_up
from db.migrations.runner import migrate
from db.restores import refuse_newer, restore
from pao.app.local.home import Home, HomeInUseError
from pao.app.local.ports import free_ports
from pao.app.local.postgres import EmbeddedPostgres, PostgresAddress, running_address
from pao.app.local.postgres_files import installed_programs
from pao.app.local.processes import LocalError

SECRETS, STATES = "secrets.json", "terraform.tar"
STAND_INS = ("jira", "github")
_LOCK = ".lock.info"
"""The suffix of Terraform's locks: their holders do not run where a state is restored."""
_SQLITE = b"SQLite format 3\0"
_READS, _PAUSE_SECONDS = 5, 0.2


def back_up_home(home: Home, root: Path, *, version: str, keep: int) -> Backup:
    """Back up a state folder; the encryption key is part of it. Raises ``BackupError``."""
    if not home.secrets_file.is_file() or not home.postgres.is_dir():
        raise BackupError(f"{home.folder} is not a state folder of `pao up`")
    if (owner := home.folder.stat().st_uid) != os.geteuid():
        raise BackupError(f"{home.folder} belongs to another user: do this as user {owner}")
    with _postgres(home) as address:
        return asyncio.run(
            back_up(
                root,
                {PAO: address.owner_url},
                version=version,
                keep=keep,
                copies=_copies(home),
                programs=installed_programs(),
            )
        )


def restore_home(backup: Backup, home: Home, *, replace: bool) -> None:
    """Restore a backup to a state folder; with ``replace`` its contents are then deleted.

    Raises ``BackupError``; the folder is then unchanged.
    """
    names = {one.name for one in backup.files}
    if not {SECRETS, f"{PAO}.dump"} <= names:
        raise BackupError(f"{backup.folder} is not a backup of a state folder")
    refuse_newer(backup)
    try:
        with home.lock():
            if not replace and (home.postgres.exists() or home.secrets_file.exists()):
                raise BackupError(f"{home.folder} is not empty: its state would be replaced")
            with home.replace_contents():
                _fill(backup, home, names)
    except HomeInUseError as error:
        raise BackupError(str(error)) from error


def _fill(backup: Backup, home: Home, names: set[str]) -> None:
    # The secrets first: data without them would be refused.
    shutil.copy(backup.folder / SECRETS, home.secrets_file)
    with _postgres(home) as address:
        asyncio.run(
            restore(backup, {PAO: address.owner_url}, replace=False, programs=installed_programs())
        )
        asyncio.run(migrate(address.owner_url))
    if STATES in names:
        home.terraform.mkdir(mode=0o700, exist_ok=True)
        with tarfile.open(backup.folder / STATES) as states:
            states.extractall(home.terraform, filter="data")
    for name in names - {SECRETS, STATES, f"{PAO}.dump"}:
        target = home.folder / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(backup.folder / name, target)
        target.chmod(0o600)


@contextmanager
def _postgres(home: Home) -> Iterator[PostgresAddress]:
    """Yield the address of the folder's Postgres, which is started for the block if needed."""
    running = running_address(home.postgres)
    if running is not None:
        yield running
        return
    [port] = free_ports(1)
    server = EmbeddedPostgres(home.postgres, port=port)
    try:
        yield server.start()
    except LocalError as error:
        raise BackupError(str(error)) from error
    finally:
        server.stop()


def _copies(home: Home) -> Mapping[str, Copy]:
    """Return what is copied after the database: Temporal's file, then the secrets, come last."""
    files = [file for name in STAND_INS for file in sorted((home.folder / name).glob("*"))]
    files += [home.temporal_database, home.secrets_file]
    states = {STATES: partial(_pack, home.terraform)} if home.terraform.is_dir() else {}
    return states | {
        str(file.relative_to(home.folder)): partial(_copy, file)
        for file in files
        # What belongs to an open database (-wal, -shm) is in its copy.
        if file.is_file() and not file.name.endswith(("-wal", "-shm", "-journal"))
    }


def _pack(folder: Path, target: Path) -> None:
    """Pack the states of Terraform, including those that no backend accepted."""
    with tarfile.open(target, "x") as archive:
        for file in sorted(folder.rglob("*")):
            if file.name.endswith(_LOCK) or file.is_symlink() or not file.is_file():
                continue
            with suppress(FileNotFoundError):
                entry = tarfile.TarInfo(str(file.relative_to(folder)))
                entry.mode = 0o600
                content = _read_state(file)
                entry.size = len(content)
                archive.addfile(entry, BytesIO(content))


def _read_state(file: Path) -> bytes:
    """Return the content of a file; one that Terraform is writing is read again."""
    for _ in range(_READS):
        content = file.read_bytes()
        try:
            json.loads(content)
        except ValueError:
            time.sleep(_PAUSE_SECONDS)
        else:
            break
    return content


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as stream:
        is_database = stream.read(len(_SQLITE)) == _SQLITE
    if not is_database:
        shutil.copy(source, target)
        return
    try:
        with (
            closing(
                sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=60)
            ) as opened,
            closing(sqlite3.connect(target)) as copy,
        ):
            opened.backup(copy)
    except sqlite3.Error as error:
        # Such as that of a full disk, which is not an OSError here.
        raise BackupError(f"{source} cannot be copied: {error}") from error
