"""What the database may be lacking, and what each command that starts with it says: a sentence."""

import asyncio
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from pao.app.local.postgres import OWNER, SERVICE, PostgresAddress, run_sql
from pao.runtime.crypto import generate_key
from tests.pao.app.cli.scripted import Pao
from tests.support.postgres import Database

ON_THE_DATABASE = (
    ("db", "status"),
    ("db", "verify"),
    ("db", "migrate"),
    ("keys", "list"),
    ("keys", "create", "--user", "eva"),
    ("audit", "verify"),
)
NEWER = "INSERT INTO schema_migrations VALUES ('9999', 'from the future', now(), 'x')"


def sentences(text: str) -> list[str]:
    """Return the lines of an error: what is the matter, why, what to do."""
    lines = text.splitlines()
    assert "Traceback" not in text
    assert "Unexpected" not in text
    assert lines[0].startswith("Error: "), text
    assert len(lines) <= 3, text
    return lines


@pytest.fixture
def given() -> dict[str, str]:
    return {"PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}"}


@pytest.fixture
def empty(postgres_address: PostgresAddress) -> Iterator[dict[str, str]]:
    """A database that nobody has migrated."""
    name = f"empty_{secrets.token_hex(6)}"
    run_sql(postgres_address, f"create database {name} owner {OWNER};")
    yield {
        "DATABASE_URL": postgres_address.url(SERVICE, name),
        "PAO_MIGRATION_DATABASE_URL": postgres_address.url(OWNER, name),
    }
    run_sql(postgres_address, f"drop database {name} with (force);")


@pytest.mark.parametrize("arguments", ON_THE_DATABASE, ids=" ".join)
@pytest.mark.parametrize(
    "wrong",
    [
        ("/", "/absent", "does not exist"),
        ("user", "nobody-of-this-name", "rejects this service's login"),
        ("password", "wrong", "rejects this service's login"),
        ("host", "no-such-host.invalid", "does not answer"),
        ("port", "1", "does not answer"),
    ],
    ids=["no database", "no role", "wrong password", "no host", "nobody listens"],
)
def test_what_cannot_be_connected_is_a_sentence(
    pao: Pao,
    given: dict[str, str],
    database: Database,
    arguments: tuple[str, ...],
    wrong: tuple[str, str, str],
) -> None:
    part, value, told = wrong
    url = changed(database.service_url, part, value)
    urls = {"DATABASE_URL": url, "PAO_MIGRATION_DATABASE_URL": url}

    result = pao(*arguments, **given, **urls)

    assert result.exit_code == 5
    assert told in sentences(result.stderr)[0]
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", ON_THE_DATABASE, ids=" ".join)
def test_a_database_that_is_not_migrated_is_a_sentence(
    pao: Pao, given: dict[str, str], empty: dict[str, str], arguments: tuple[str, ...]
) -> None:
    result = pao(*arguments, **given, **empty)

    if arguments in {("db", "status"), ("db", "migrate")}:
        assert result.stderr == ""
        return
    assert result.exit_code == 1
    assert "pao db migrate" in " ".join(sentences(result.stderr))


@pytest.mark.parametrize("arguments", ON_THE_DATABASE, ids=" ".join)
def test_a_role_without_rights_is_a_sentence(
    pao: Pao,
    given: dict[str, str],
    database: Database,
    postgres_address: PostgresAddress,
    arguments: tuple[str, ...],
) -> None:
    role, password = f"guest_{secrets.token_hex(4)}", secrets.token_hex(8)
    run_sql(
        postgres_address,
        f"create role {role} login password '{password}';"
        f"grant connect on database {database.name} to {role};",
    )
    url = changed(changed(database.service_url, "user", role), "password", password)

    result = pao(*arguments, **given, DATABASE_URL=url)

    assert result.exit_code == 3
    assert "does not give this role the rights" in sentences(result.stderr)[0]


def test_a_schema_from_the_future_is_named_and_accepted(
    pao: Pao, given: dict[str, str], database: Database
) -> None:
    async def leap() -> None:
        owner = await asyncpg.connect(database.owner_url)
        await owner.execute(NEWER)
        await owner.close()

    asyncio.run(leap())

    result = pao("db", "verify", **given, DATABASE_URL=database.owner_url)

    assert result.exit_code == 0
    assert "newer than this version of PAO, which lacks 9999" in result.stderr


def changed(url: str, part: str, value: str) -> str:
    """Return an address with another part."""
    parts = urlsplit(url)
    if part == "/":
        return parts._replace(path=value).geturl()
    found = {
        "user": parts.username,
        "password": parts.password,
        "host": parts.hostname,
        "port": str(parts.port),
    } | {part: value}
    place = f"{found['user']}:{found['password']}@{found['host']}:{found['port']}"
    return parts._replace(netloc=place).geturl()
