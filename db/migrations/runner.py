"""Applies the ordered SQL files, once each, under a lock; reports which ones are applied."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import resources

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.availability import translate_errors
from db.connections import PasswordSource, connection
from db.migrations.files import GRANTS, Migration, MigrationError, packaged_migrations
from db.service_role import SERVICE_ROLE, ServiceRole, ServiceRoleError, make_service_role

LOCK = 7_236_401_125_118
"""The advisory lock that one migrating process holds; an arbitrary number."""

CONNECT_SECONDS = 10.0

_TABLE = """
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    version     text        PRIMARY KEY,
    description text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    checksum    text        NOT NULL
)
"""
_EXISTS = "SELECT to_regclass('public.schema_migrations') IS NOT NULL"
_APPLIED = "SELECT version, description, applied_at, checksum FROM public.schema_migrations"


@dataclass(frozen=True, slots=True)
class LockRetries:
    """How a migration waits for locks: ``tries`` times ``wait`` seconds, ``pause`` in between.

    While it waits, all who need the table queue behind it; in the pauses they continue.
    """

    wait: float = 2.0
    tries: int = 30
    pause: float = 1.0


LOCK_RETRIES = LockRetries()


class MigrationState(StrEnum):
    """The state of one migration."""

    APPLIED = "applied"
    PENDING = "pending"
    EDITED = "edited"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """One row of ``schema_migrations``."""

    version: str
    description: str
    applied_at: datetime
    checksum: str


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration as files and database describe it; ``unknown`` ones have no file here."""

    version: str
    description: str
    state: MigrationState
    applied_at: datetime | None = None


async def migrate(
    url: str,
    *,
    migrations: Sequence[Migration] | None = None,
    lock_retries: LockRetries = LOCK_RETRIES,
    password: PasswordSource | None = None,
    service_role: ServiceRole | None = None,
) -> list[AppliedMigration]:
    """Apply pending migrations, each file in its own transaction; return those applied now.

    Any number of processes may do so at once: each file is applied by one of them. A table that
    is in use is waited for with ``lock_retries``, so that a migration never blocks the service.
    ``password`` is asked for where the address has none; a ``service_role`` is made first.
    Raises ``MigrationError`` when an applied file was edited or a file fails,
    ``DatabaseUnavailableError`` when the database is unavailable.
    """
    wanted = packaged_migrations() if migrations is None else tuple(migrations)
    async with _connection(url, password) as connection:
        async with _exclusive(connection):
            if service_role is not None:
                await _make_role(service_role, connection)
            await connection.execute(_TABLE)
            before = await _applied(connection)
        _refuse_misfits(_compare(wanted, before))
        pending = [migration for migration in wanted if migration.version not in before]
        applied = [one.version for one in pending if await _apply(connection, one, lock_retries)]
        if migrations is None:
            await _grant(connection, lock_retries)
        after = await _applied(connection)
    return [after[version] for version in applied]


async def status(
    url: str,
    *,
    migrations: Sequence[Migration] | None = None,
    password: PasswordSource | None = None,
) -> list[MigrationStatus]:
    """Return for every migration whether it is applied, pending, edited since, or unknown here."""
    wanted = packaged_migrations() if migrations is None else tuple(migrations)
    async with _connection(url, password) as connection:
        exists = await connection.fetchval(_EXISTS)
        return _compare(wanted, await _applied(connection) if exists else {})


async def verify(
    url: str,
    *,
    migrations: Sequence[Migration] | None = None,
    password: PasswordSource | None = None,
) -> list[str]:
    """Raise ``MigrationError`` unless every migration is applied exactly as in its file.

    Returns the versions that the database has and this version of PAO does not know.
    """
    statuses = await status(url, migrations=migrations, password=password)
    _refuse_misfits(statuses)
    _refuse_pending(statuses)
    return [one.version for one in statuses if one.state is MigrationState.UNKNOWN]


async def check_ready(session: AsyncSession) -> list[str]:
    """Raise ``MigrationError`` unless the schema is at least what this version of PAO needs.

    A newer schema is accepted: during a deploy, old processes run beside new ones. Returns the
    versions that this one does not know.
    """
    if not await session.scalar(text(_EXISTS)):
        _refuse_pending(_compare(packaged_migrations(), {}))
    rows = (await session.execute(text(_APPLIED))).all()
    statuses = _compare(
        packaged_migrations(), {row.version: AppliedMigration(*row) for row in rows}
    )
    _refuse_misfits(statuses)
    _refuse_pending(statuses)
    return [one.version for one in statuses if one.state is MigrationState.UNKNOWN]


async def _make_role(role: ServiceRole, connection: asyncpg.Connection) -> None:
    try:
        await make_service_role(connection, role)
    except ServiceRoleError as error:
        raise MigrationError(str(error)) from error


@asynccontextmanager
async def _connection(
    url: str, password: PasswordSource | None
) -> AsyncIterator[asyncpg.Connection]:
    with translate_errors():
        async with connection(url, timeout=CONNECT_SECONDS, password=password) as opened:
            yield opened


@asynccontextmanager
async def _exclusive(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Run a block in a transaction that excludes other migrating processes.

    The lock ends with the transaction: behind a pooler, one of a session would stay for good.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        yield


async def _applied(connection: asyncpg.Connection) -> dict[str, AppliedMigration]:
    rows = await connection.fetch(_APPLIED)
    return {row["version"]: AppliedMigration(*row.values()) for row in rows}


async def _apply(
    connection: asyncpg.Connection, migration: Migration, lock_retries: LockRetries
) -> bool:
    """Apply a migration; return whether this process did it."""

    async def run() -> bool:
        if migration.version in await _applied(connection):
            return False
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO public.schema_migrations (version, description, checksum)"
            " VALUES ($1, $2, $3)",
            migration.version,
            migration.description,
            migration.checksum,
        )
        return True

    name = f"Migration {migration.version} ({migration.description})"
    try:
        return await _with_lock_retries(connection, run, lock_retries)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationError(
            f"{name} could not lock what it changes in {lock_retries.tries} tries; earlier ones"
            " stay applied. End the transaction that holds the lock (pg_stat_activity shows old"
            " ones), then migrate again."
        ) from error
    except asyncpg.PostgresError as error:
        raise MigrationError(
            f"{name} failed and was rolled back; earlier ones stay applied. Postgres says: {error}"
        ) from error


async def _with_lock_retries(
    connection: asyncpg.Connection, run: Callable[[], Awaitable[bool]], lock_retries: LockRetries
) -> bool:
    """Run a migration in a transaction; start over when it has waited too long for a lock."""
    for left in reversed(range(lock_retries.tries)):
        try:
            async with _exclusive(connection):
                # Not earlier: another migrating process may take a long time.
                await connection.execute(
                    f"SET LOCAL lock_timeout = {int(lock_retries.wait * 1000)}"
                )
                return await run()
        except asyncpg.LockNotAvailableError:
            if not left:
                raise
            await asyncio.sleep(lock_retries.pause)
    raise AssertionError("there is at least one try")


async def _grant(connection: asyncpg.Connection, lock_retries: LockRetries) -> None:
    """Grant the service's role its rights, if the role exists."""
    role = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", SERVICE_ROLE)
    own = await connection.fetchval("SELECT current_user = $1", SERVICE_ROLE)
    if role is None or own:
        return
    sql = resources.files("db.migrations").joinpath(GRANTS).read_text("utf-8")

    async def run() -> bool:
        await connection.execute(sql)
        return True

    await _with_lock_retries(connection, run, lock_retries)


def _compare(
    wanted: Sequence[Migration], applied: dict[str, AppliedMigration]
) -> list[MigrationStatus]:
    files = {migration.version: migration for migration in wanted}
    statuses = []
    for version in sorted(files.keys() | applied.keys()):
        row = applied.get(version)
        described = files.get(version) or applied[version]
        state = _state(files.get(version), row)
        statuses.append(
            MigrationStatus(version, described.description, state, row.applied_at if row else None)
        )
    return statuses


def _state(file: Migration | None, row: AppliedMigration | None) -> MigrationState:
    if file is None:
        return MigrationState.UNKNOWN
    if row is None:
        return MigrationState.PENDING
    return MigrationState.APPLIED if file.checksum == row.checksum else MigrationState.EDITED


def _refuse_misfits(statuses: Sequence[MigrationStatus]) -> None:
    edited = [one.version for one in statuses if one.state is MigrationState.EDITED]
    if edited:
        raise MigrationError(
            f"Edited after being applied: {', '.join(edited)}. Restore the files as they were, and"
            " put the change into a new migration."
        )
    done = [one.version for one in statuses if one.state is MigrationState.APPLIED]
    late = [
        one.version
        for one in statuses
        if one.state is MigrationState.PENDING and one.version < max(done, default="")
    ]
    if late:
        raise MigrationError(
            f"Not applied, although later ones are: {', '.join(late)}. Give them versions after"
            f" {max(done)}."
        )


def _refuse_pending(statuses: Sequence[MigrationStatus]) -> None:
    pending = [one.version for one in statuses if one.state is MigrationState.PENDING]
    if pending and len(pending) == len(statuses):
        raise MigrationError(
            "The database has no schema yet: no migration is applied. Run `pao db migrate` as the"
            " owner."
        )
    if pending:
        raise MigrationError(
            f"Not applied yet: {', '.join(pending)}. Run `pao db migrate` as the owner."
        )
