"""The service's role is made with the migration, and logs in with the password of its address."""

import asyncpg
import pytest

from db.migrations.files import MigrationError
from db.migrations.runner import migrate
from db.service_role import ServiceRole, ServiceRoleError, scram_verifier
from pao.app.local.postgres import PostgresAddress
from tests.support.postgres import Database


async def test_the_role_logs_in_with_the_password_that_it_was_given(
    database: Database, postgres_address: PostgresAddress
) -> None:
    role = ServiceRole(postgres_address.passwords.service)
    for _ in range(2):
        await migrate(database.superuser_url, service_role=role)

    service = await asyncpg.connect(database.service_url)
    try:
        assert await service.fetchval("SELECT count(*) FROM requests") == 0
        stored = await service.fetchval(
            "SELECT rolcreaterole FROM pg_roles WHERE rolname = $1", "pao_service"
        )
        assert stored is False
    finally:
        await service.close()


async def test_an_owner_without_the_right_is_told_what_to_do(database: Database) -> None:
    with pytest.raises(MigrationError, match="CREATEROLE"):
        await migrate(database.owner_url, service_role=ServiceRole("another-password"))


async def test_a_server_without_iam_is_told_apart(database: Database) -> None:
    with pytest.raises(MigrationError, match="rds_iam"):
        await migrate(database.superuser_url, service_role=ServiceRole(None))


@pytest.mark.parametrize("password", ["", "pässword", "tab\tbed"])
def test_a_password_that_clients_read_differently_is_refused_and_not_repeated(
    password: str,
) -> None:
    with pytest.raises(ServiceRoleError) as caught:
        scram_verifier(password)
    assert not password or password not in str(caught.value)
