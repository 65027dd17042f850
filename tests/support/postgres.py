"""A fresh database per test, cloned from one that was migrated once."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pao.app.local.postgres import DATABASE, OWNER, SERVICE, SUPERUSER, PostgresAddress, run_sql


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated, empty database: as its owner, as the service, and as superuser."""

    name: str
    owner_url: str
    service_url: str
    superuser_url: str


def migrate_template(address: PostgresAddress) -> None:
    """Migrate the database that every test's database is cloned from."""
    from db.migrations.runner import migrate  # noqa: PLC0415 -- unit tests need no database code

    asyncio.run(migrate(address.owner_url))


@contextmanager
def cloned_database(address: PostgresAddress) -> Iterator[Database]:
    """Create a database; it is dropped in the end, whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    run_sql(
        address,
        # Files are copied in half the time that it takes to write every page to the log.
        f"create database {name} template {DATABASE} owner {OWNER} strategy file_copy;"
        f"revoke all on database {name} from public;"
        f"grant connect on database {name} to {SERVICE};",
    )
    try:
        yield Database(
            name=name,
            owner_url=address.url(OWNER, name),
            service_url=address.url(SERVICE, name),
            superuser_url=address.url(SUPERUSER, name),
        )
    finally:
        run_sql(address, f"drop database {name} with (force);")
