"""Tokens in place of a password: one for ten minutes, and 503 where there is none."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from db.availability import DatabaseProblem, DatabaseUnavailableError
from db.connections import connect
from pao.app import assembly
from pao.clients.database_tokens import DatabaseTokens
from pao.runtime.crypto import generate_key
from pao.settings import ConfigurationError, load_settings

PASSWORD_PLEASE = b"R" + struct.pack("!ii", 8, 3)
REFUSED = b"SFATAL\0C28P01\0Mno\0\0"


class Asked:
    """A server that asks for the password in clear, as Aurora does, and refuses every one."""

    def __init__(self) -> None:
        self.passwords: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        [size] = struct.unpack("!i", await reader.readexactly(4))
        await reader.readexactly(size - 4)
        writer.write(PASSWORD_PLEASE)
        head = await reader.readexactly(5)
        [size] = struct.unpack("!i", head[1:])
        self.passwords.append((await reader.readexactly(size - 4))[:-1].decode())
        writer.write(b"E" + struct.pack("!i", len(REFUSED) + 4) + REFUSED)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def asked() -> AsyncIterator[Asked]:
    found = Asked()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")


async def refused(url: str, tokens: DatabaseTokens) -> DatabaseProblem:
    with pytest.raises(DatabaseUnavailableError) as caught:
        await connect(url, timeout=60, password=tokens)
    return caught.value.problem


@pytest.mark.usefixtures("credentials")
async def test_a_token_is_for_one_user_at_one_server_and_is_used_for_ten_minutes() -> None:
    async with asked() as server:
        url = f"postgresql://pao_service@127.0.0.1:{server.port}/pao?sslmode=disable"
        tokens = DatabaseTokens("127.0.0.1", server.port, "pao_service", "eu-central-1")
        found = await asyncio.gather(*(refused(url, tokens) for _ in range(3)))

    assert found == [DatabaseProblem.LOGIN] * 3
    assert len(set(server.passwords)) == 1
    token = urlsplit(f"https://{server.passwords[0]}")
    assert (token.hostname, token.port) == ("127.0.0.1", server.port)
    query = parse_qs(token.query)
    assert (query["Action"], query["DBUser"]) == (["connect"], ["pao_service"])
    assert "eu-central-1/rds-db" in query["X-Amz-Credential"][0]
    assert tokens.age() < 600


async def test_without_credentials_the_database_is_unavailable_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    async with asked() as server:
        url = f"postgresql://pao_service@127.0.0.1:{server.port}/pao?sslmode=disable"
        tokens = DatabaseTokens("127.0.0.1", server.port, "pao_service", "eu-central-1")
        assert await refused(url, tokens) is DatabaseProblem.TOKEN
    assert server.passwords == []


ENVIRON = {
    "DATABASE_HOST": "db.example.com",
    "DATABASE_USER": "pao_service",
    "DB_IAM_AUTH": "true",
    "DATABASE_SSL_ROOT_CERT": __file__,
    "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
    "AWS_REGION": "eu-central-1",
}


def test_tokens_ask_for_a_server_that_proves_its_name() -> None:
    settings = load_settings(ENVIRON, process="keys")
    url = settings.database.url.get_secret_value()
    password = assembly.database_password(settings, url)

    assert "sslmode=verify-full" in url
    assert isinstance(password, DatabaseTokens)
    assert (password.host, password.port, password.user) == ("db.example.com", 5432, "pao_service")
    assert password.region == "eu-central-1"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"DATABASE_SSL_ROOT_CERT": ""}, "DATABASE_SSL_ROOT_CERT"),
        ({"DATABASE_PASSWORD": "x"}, "DATABASE_PASSWORD"),
        ({"DATABASE_HOST": "", "DATABASE_URL": "postgresql://a:b@db/pao"}, "DATABASE_URL"),
    ],
)
def test_tokens_go_with_no_password_and_need_to_know_whom_to_trust(
    changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(ENVIRON | changes, process="keys")
    assert [one.partition(":")[0] for one in caught.value.problems] == [problem]
