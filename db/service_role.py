"""The service's own role: what API and worker connect as, with no more rights than they need."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field

import asyncpg

SERVICE_ROLE = "pao_service"
RDS_IAM = "rds_iam"
"""The role of RDS and Aurora whose members log in with tokens."""

_ITERATIONS = 4096
_SALT_BYTES = 16


class ServiceRoleError(Exception):
    """The role cannot be made; the message says what to do, and holds no password."""


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """How the role logs in: with a password, or with tokens of RDS where it is None."""

    password: str | None = field(repr=False)


async def make_service_role(connection: asyncpg.Connection, wanted: ServiceRole) -> None:
    """Create the role, or bring its login up to date; raises ``ServiceRoleError``.

    The server gets a verifier, never the password: statements may be logged.
    """
    try:
        exists = await connection.fetchval(
            "SELECT 1 FROM pg_roles WHERE rolname = $1", SERVICE_ROLE
        )
        if exists is None:
            await connection.execute(f"CREATE ROLE {SERVICE_ROLE} NOLOGIN")
        login = f"ALTER ROLE {SERVICE_ROLE} LOGIN NOCREATEDB NOCREATEROLE"
        if wanted.password is not None:
            login += f" PASSWORD '{scram_verifier(wanted.password)}'"
        await connection.execute(login)
        if wanted.password is None:
            await connection.execute(f"GRANT {RDS_IAM} TO {SERVICE_ROLE}")
        database = await connection.fetchval("SELECT quote_ident(current_database())")
        await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {SERVICE_ROLE}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise ServiceRoleError(
            f"The owner may not create the role {SERVICE_ROLE} ({error}): give it CREATEROLE, or"
            " make the role yourself (deploy/postgres/roles.sql) and leave --service-role out."
        ) from error
    except asyncpg.UndefinedObjectError as error:
        raise ServiceRoleError(
            f"This server has no role {RDS_IAM}, so it accepts no tokens: unset DB_IAM_AUTH."
        ) from error


def scram_verifier(password: str) -> str:
    """Return what Postgres stores of a password (SCRAM-SHA-256, RFC 5803).

    Raises ``ServiceRoleError`` for one with other than printable ASCII characters, which clients
    normalize in different ways.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise ServiceRoleError(
            "The service's password must consist of printable ASCII characters: set another one."
        )
    salt = os.urandom(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (base64.b64encode(one).decode() for one in (salt, stored, server))
    salt_text, stored_text, server_text = parts
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored_text}:{server_text}"
