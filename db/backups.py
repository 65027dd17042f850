"""Backups of one machine: databases dumped one after the other, with what is needed to trust them.

PAO's database comes first and Temporal's last: a workflow then knows at least what the rows know,
and `pao db rebuild` writes what is missing. A folder without its manifest is not a backup.
"""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from db.connections import connection
from db.living_processes import ProcessName

MANIFEST = "manifest.json"
CONNECT_SECONDS = 10.0
_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}
_LIVING = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why, without any password."""


@dataclass(frozen=True, slots=True)
class Dump:
    """One dumped database: its file's size and SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """What a folder holds."""

    folder: Path
    at: datetime
    version: str
    dumps: tuple[Dump, ...]


async def back_up(root: Path, databases: Mapping[str, str], *, version: str, keep: int) -> Backup:
    """Dump databases, by their names, into a folder of their own below ``root``.

    Of complete backups the newest ``keep`` stay. Raises ``BackupError``; nothing is removed then.
    """
    at = datetime.now(UTC)
    folder = root / at.strftime("%Y-%m-%dT%H%M%S.%fZ")
    folder.mkdir(parents=True, mode=0o700)
    dumps = []
    for name, url in databases.items():
        file = folder / f"{name}.dump"
        await _run("pg_dump", url, "--format=custom", f"--file={file}")
        file.chmod(0o600)
        dumps.append(Dump(name, file.stat().st_size, _sha256(file)))
    made = Backup(folder, at, version, tuple(dumps))
    _write_manifest(made)
    for old in sorted(_complete(root), reverse=True)[keep:]:
        shutil.rmtree(old)
    return made


def read_backup(folder: Path) -> Backup:
    """Return what a folder holds, every file checked; raises ``BackupError``."""
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
        dumps = tuple(Dump(**one) for one in document["dumps"])
        found = Backup(
            folder, datetime.fromisoformat(document["at"]), str(document["version"]), dumps
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{folder} is no complete backup: it has no good {MANIFEST}") from error
    for dump in dumps:
        file = folder / f"{dump.name}.dump"
        if not file.is_file() or file.stat().st_size != dump.size or _sha256(file) != dump.sha256:
            raise BackupError(f"{file} is not as it was written: use another backup")
    return found


async def restore(backup: Backup, databases: Mapping[str, str]) -> None:
    """Replace the databases by those of a backup, each as a whole or not at all.

    Raises ``BackupError``, before anything is changed where one is missing or a process of PAO is
    connected.
    """
    held = {dump.name for dump in backup.dumps}
    if missing := sorted(databases.keys() - held):
        raise BackupError(f"{backup.folder} holds no database {', '.join(missing)}")
    for url in databases.values():
        await _refuse_living(url)
    for name, url in databases.items():
        await _run(
            *("pg_restore", url, "--clean", "--if-exists", "--single-transaction"),
            *("--exit-on-error", "--no-password", str(backup.folder / f"{name}.dump")),
        )


async def _refuse_living(url: str) -> None:
    async with connection(url, timeout=CONNECT_SECONDS) as opened:
        names = [row["application_name"] for row in await opened.fetch(_LIVING)]
    found = sorted({one.kind for name in names if (one := ProcessName.read(name))})
    if found:
        raise BackupError(f"{', '.join(found)} is running: end it, then restore")


async def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of Postgres' programs on a database; the password is in its environment only."""
    parts = urlsplit(url)
    environ = {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        **{_OPTIONS[name]: value for name, value in parse_qsl(parts.query) if name in _OPTIONS},
    }
    database = [f"--dbname={environ['PGDATABASE']}"] if program == "pg_restore" else []
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *database,
            *arguments,
            env=environ,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise BackupError(
            f"There is no {program} on PATH: install the client programs of Postgres"
        ) from error
    _, said = await process.communicate()
    if process.returncode:
        raise BackupError(f"{program} failed: {_last_line(said)}")


def _last_line(said: bytes) -> str:
    lines: Sequence[str] = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _complete(root: Path) -> list[Path]:
    return [file.parent for file in root.glob(f"*/{MANIFEST}")]


def _write_manifest(made: Backup) -> None:
    document = {
        "at": made.at.isoformat(),
        "version": made.version,
        "dumps": [{"name": d.name, "size": d.size, "sha256": d.sha256} for d in made.dumps],
    }
    # Written last, and at once: only then is it a backup.
    unfinished = made.folder / f"{MANIFEST}.new"
    unfinished.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    unfinished.rename(made.folder / MANIFEST)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
