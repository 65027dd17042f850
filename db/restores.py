"""Restores a backup's databases, each completely or not at all."""

import asyncio
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from db.backups import CONNECT_SECONDS, PAO, Backup, BackupError
from db.connections import connection
from db.migrations.files import packaged_migrations
from db.postgres_programs import ProgramError, program_failure, start_program
from db.process_connections import ProcessName
from db.repositories.recovery import NAME as RECOVERY
from db.repositories.recovery import RESTORED

_LIVING = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
"""
_TABLES = """
SELECT count(*) FROM pg_class AS one JOIN pg_namespace AS schema ON schema.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname = 'public' AND NOT EXISTS (
    SELECT FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND objid = one.oid AND deptype = 'e'
)
"""
_CHUNK = 1 << 20


async def non_empty(databases: Mapping[str, str]) -> list[str]:
    """Return the names of the databases that already hold tables."""
    names = []
    for name, url in databases.items():
        async with connection(url, timeout=CONNECT_SECONDS) as opened:
            if await opened.fetchval(_TABLES):
                names.append(name)
    return names


async def restore(
    backup: Backup, databases: Mapping[str, str], *, replace: bool, programs: Path | None = None
) -> None:
    """Restore the databases from a backup; with ``replace`` their contents are removed.

    Raises ``BackupError``, before anything is changed if one is missing, is newer than this
    version of PAO, is not empty, or has connections.
    """
    if missing := sorted(databases.keys() - set(backup.databases)):
        raise BackupError(f"{backup.folder} holds no database {', '.join(missing)}")
    refuse_newer(backup)
    for name, url in databases.items():
        await _refuse_connected(name, url)
    if not replace and (full := await non_empty(databases)):
        raise BackupError(f"{', '.join(full)} is not empty: a restore would replace what is there")
    for name, url in databases.items():
        await _fill(backup, name, url, programs)


def refuse_newer(backup: Backup) -> None:
    """Raise ``BackupError`` for a schema that this version of PAO does not know."""
    known = {one.version for one in packaged_migrations()}
    if unknown := sorted(set(backup.migrations) - known):
        raise BackupError(
            f"The backup was made by PAO {backup.version}, with migrations that this version does"
            f" not know ({', '.join(unknown)}): restore it with that version or a newer one"
        )


async def _refuse_connected(name: str, url: str) -> None:
    async with connection(url, timeout=CONNECT_SECONDS) as opened:
        names = [row["application_name"] for row in await opened.fetch(_LIVING)]
    processes = sorted({one.kind for text in names if (one := ProcessName.read(text))})
    if processes:
        raise BackupError(f"{', '.join(processes)} is running: stop it first, then restore")
    if names and name != PAO:
        raise BackupError(f"There are connections to {name}: stop Temporal, then restore")


async def _fill(backup: Backup, name: str, url: str, programs: Path | None) -> None:
    """Replace one database in a single transaction, which is committed when all has been read."""
    try:
        arguments = ("--file=-", "--no-comments", str(backup.dump(name)))
        reader = await start_program(
            "pg_restore", url, *arguments, programs=programs, stdout=asyncio.subprocess.PIPE
        )
        options = ("-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-")
        writer = await start_program(
            "psql", url, *options, programs=programs, stdin=asyncio.subprocess.PIPE
        )
        _, failed, _ = await asyncio.gather(
            _pipe(reader, writer, _ending(backup, name)), _read_stderr(writer), _read_stderr(reader)
        )
        if await writer.wait():
            raise program_failure("psql", failed)
        if await reader.wait():
            raise BackupError(f"{name}.dump could not be read; nothing was changed")
    except ProgramError as error:
        raise BackupError(str(error)) from error


async def _pipe(
    reader: asyncio.subprocess.Process, writer: asyncio.subprocess.Process, ending: str
) -> None:
    read, write = reader.stdout, writer.stdin
    if read is None or write is None:
        raise ProgramError("a pipe is missing")
    try:
        write.write(b"BEGIN;\n" + resources.files("db").joinpath("emptying.sql").read_bytes())
        while chunk := await read.read(_CHUNK):
            write.write(chunk)
            await write.drain()
        if not await reader.wait():
            write.write(ending.encode())
        await write.drain()
    except (BrokenPipeError, ConnectionResetError):
        # psql has ended and reports why; the rest is read so that pg_restore does not block.
        while await read.read(_CHUNK):
            continue
    finally:
        write.close()


async def _read_stderr(process: asyncio.subprocess.Process) -> bytes:
    return b"" if process.stderr is None else await process.stderr.read()


def _ending(backup: Backup, name: str) -> str:
    if name != PAO:
        return "\nCOMMIT;\n"
    return f"""
        INSERT INTO public.upkeep (name, finished_at, result, totals) VALUES ('{RECOVERY}', now(),
            jsonb_build_object('state', '{RESTORED}', 'backup', '{backup.at.isoformat()}'), '{{}}')
        ON CONFLICT (name) DO UPDATE SET finished_at = excluded.finished_at,
            result = excluded.result;
        COMMIT;
    """  # noqa: S608 -- a constant and a moment
