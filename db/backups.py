"""Backups of one machine: databases dumped one after the other, with a manifest of checksums.

PAO's database comes first and Temporal's last: workflows then know at least what the rows know,
and `pao db rebuild` writes what is missing. A folder without its manifest is not a backup.
"""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from db.connections import connection
from db.postgres_programs import ProgramError, program_failure, start_program

MANIFEST = "manifest.json"
PAO = "pao"
"""The name of PAO's own database within a backup."""
CONNECT_SECONDS = 10.0
_FOLDER_NAME = "%Y-%m-%dT%H%M%S.%fZ"
# No backup takes longer; several may run at once.
_LONGEST = timedelta(days=2)

_SCHEMA = "SELECT to_regclass('public.schema_migrations') IS NOT NULL"
_VERSIONS = "SELECT version FROM public.schema_migrations ORDER BY version"
# The newest secret of each encryption key: what opens it opens the others.
_SEALED = """
SELECT DISTINCT ON (split_part(sealed_secret, ':', 4)) access_key_id, sealed_secret
FROM public.access_keys ORDER BY split_part(sealed_secret, ':', 4), created_at DESC
"""

Copy = Callable[[Path], None]
"""Writes one file of a backup to the path that it is given."""


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why, without any password."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file of a backup, by its path there: its size and SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SealedSample:
    """A sealed secret of an access key, to test whether the backup's encryption key is at hand."""

    access_key_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup in a folder, made by PAO ``version`` from a database with these migrations.

    ``not_removed`` says for a new one which older ones could not be removed, and why.
    """

    folder: Path
    at: datetime
    version: str
    migrations: tuple[str, ...]
    sealed: tuple[SealedSample, ...]
    files: tuple[BackupFile, ...]
    not_removed: Mapping[Path, str] = field(default_factory=dict)

    @property
    def databases(self) -> tuple[str, ...]:
        """The names of the databases that it holds."""
        names = (Path(one.name) for one in self.files)
        return tuple(name.stem for name in names if name.suffix == ".dump")

    def dump(self, database: str) -> Path:
        """Return the file of a database."""
        return self.folder / f"{database}.dump"


async def back_up(  # noqa: PLR0913 -- what a backup is made of, by name
    root: Path,
    databases: Mapping[str, str],
    *,
    version: str,
    keep: int,
    copies: Mapping[str, Copy] | None = None,
    programs: Path | None = None,
) -> Backup:
    """Dump databases, by their names, into a folder of their own below ``root``; then make copies.

    Of complete backups the newest ``keep`` stay, and those that cannot be removed. Raises
    ``BackupError``, for a full disk too, and what a database raises that does not answer; then no
    earlier backup is removed, and what was written of this one is.
    """
    at = datetime.now(UTC)
    folder = root / at.strftime(_FOLDER_NAME)
    migrations, sealed = await _read_database(databases[PAO])
    with _disk_errors(folder):
        folder.mkdir(parents=True, mode=0o700)
        try:
            files = []
            for name, url in databases.items():
                file = folder / f"{name}.dump"
                await _dump(url, file, programs)
                files.append(_finish_file(folder, file))
            for name, copy in (copies or {}).items():
                file = folder / name
                file.parent.mkdir(mode=0o700, exist_ok=True)
                await asyncio.to_thread(copy, file)
                files.append(_finish_file(folder, file))
            backup = Backup(folder, at, version, migrations, sealed, tuple(files))
            _write_manifest(backup)
        except BaseException:
            # Otherwise a full disk would become fuller with each attempt.
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return replace(backup, not_removed=await asyncio.to_thread(_remove_old, root, at, keep))


def read_backup(folder: Path) -> Backup:
    """Return the backup in a folder, with every file checked; raises ``BackupError``."""
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
        backup = Backup(
            folder,
            datetime.fromisoformat(document["at"]),
            str(document["version"]),
            tuple(map(str, document["migrations"])),
            tuple(SealedSample(**one) for one in document["sealed"]),
            tuple(BackupFile(**one) for one in document["files"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(
            f"{folder} is not a complete backup: it has no valid {MANIFEST}"
        ) from error
    for one in backup.files:
        file = folder / one.name
        if not file.resolve().is_relative_to(folder.resolve()):
            raise BackupError(f"{folder} is not a backup of PAO: it names files elsewhere")
        if not file.is_file() or file.stat().st_size != one.size or _sha256(file) != one.sha256:
            raise BackupError(f"{file} is missing or was changed: use another backup")
    return backup


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Raise ``BackupError`` for errors of the disk, unlike those of the database."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{error.filename or folder}: {_why(error)}") from error


async def _read_database(url: str) -> tuple[tuple[str, ...], tuple[SealedSample, ...]]:
    async with connection(url, timeout=CONNECT_SECONDS) as opened:
        if not await opened.fetchval(_SCHEMA):
            raise BackupError("The database contains no data of PAO: run `pao db migrate`")
        versions = [row["version"] for row in await opened.fetch(_VERSIONS)]
        sealed = [SealedSample(*row.values()) for row in await opened.fetch(_SEALED)]
    return tuple(versions), tuple(sealed)


async def _dump(url: str, file: Path, programs: Path | None) -> None:
    try:
        arguments = ("--format=custom", f"--file={file}")
        process = await start_program("pg_dump", url, *arguments, programs=programs)
        _, errors = await process.communicate()
        if process.returncode:
            raise program_failure("pg_dump", errors)
    except ProgramError as error:
        raise BackupError(str(error)) from error


def _finish_file(folder: Path, file: Path) -> BackupFile:
    file.chmod(0o600)
    _sync(file)
    return BackupFile(str(file.relative_to(folder)), file.stat().st_size, _sha256(file))


def _remove_old(root: Path, now: datetime, keep: int) -> dict[Path, str]:
    """Remove complete backups except the newest, and what interrupted ones have left.

    Return what could not be removed, and why.
    """
    not_removed: dict[Path, str] = {}
    try:
        folders = sorted(_dated_folders(root), reverse=True)
    except OSError as error:
        return {root: _why(error)}
    complete = [folder for _, folder in folders if _is_complete(folder)]
    abandoned = [
        folder for at, folder in folders if now - at > _LONGEST and not _is_complete(folder)
    ]
    for old in (*complete[keep:], *abandoned):
        try:
            # First: what is left of a backup that is removed only in part must not pass for one.
            (old / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(old)
        except FileNotFoundError:
            # Another backup removes it as well.
            continue
        except OSError as error:
            not_removed[old] = _why(error)
    return not_removed


def _dated_folders(root: Path) -> Iterator[tuple[datetime, Path]]:
    """Yield the folders that are named like backups; others are ignored."""
    for folder in root.iterdir():
        try:
            at = datetime.strptime(folder.name, _FOLDER_NAME).replace(tzinfo=UTC)
        except ValueError:
            continue
        if folder.is_dir() and not folder.is_symlink():
            yield at, folder


def _is_complete(folder: Path) -> bool:
    """Return whether a backup has its manifest; True if that cannot be determined."""
    try:
        (folder / MANIFEST).stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _sync(path: Path) -> None:
    """Sync a file or folder to the disk: older backups are removed once it is there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_manifest(backup: Backup) -> None:
    document: dict[str, Any] = {
        "at": backup.at.isoformat(),
        "version": backup.version,
        "migrations": backup.migrations,
        "sealed": [asdict(one) for one in backup.sealed],
        "files": [asdict(one) for one in backup.files],
    }
    # Written last, and atomically: it makes the folder a backup.
    unfinished = backup.folder / f"{MANIFEST}.new"
    unfinished.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    unfinished.chmod(0o600)
    _sync(unfinished)
    unfinished.rename(backup.folder / MANIFEST)
    _sync(backup.folder)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
