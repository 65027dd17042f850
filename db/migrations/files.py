"""The migration files of PAO, in order."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

GRANTS = "grants.sql"
_FILE = re.compile(r"(?P<version>\d{4})_(?P<description>[a-z0-9_]+)\.sql")


class MigrationError(Exception):
    """The schema and the migration files do not match; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its version (four digits), what it does, its SQL and that text's SHA-256."""

    version: str
    description: str
    sql: str
    checksum: str


@cache
def packaged_migrations() -> tuple[Migration, ...]:
    """Return the migrations of this version of PAO, in order."""
    folder = resources.files("db.migrations")
    return load_migrations(
        {
            entry.name: entry.read_text("utf-8")
            for entry in folder.iterdir()
            if entry.name.endswith(".sql")
        }
    )


def load_migrations(files: dict[str, str]) -> tuple[Migration, ...]:
    """Return migrations by version; raises ``MigrationError`` for invalid or duplicate names."""
    migrations: dict[str, Migration] = {}
    for name in sorted(set(files) - {GRANTS}):
        match = _FILE.fullmatch(name)
        if match is None:
            raise MigrationError(f"{name}: name a migration like 0007_what_it_does.sql")
        version = match["version"]
        if version in migrations:
            raise MigrationError(f"{name}: version {version} is taken; give it the next free one")
        description = match["description"].replace("_", " ")
        migrations[version] = Migration(version, description, files[name], _checksum(files[name]))
    return tuple(migrations.values())


def _checksum(sql: str) -> str:
    # A checkout may convert line ends; that is not an edit.
    return hashlib.sha256(sql.replace("\r\n", "\n").encode()).hexdigest()
