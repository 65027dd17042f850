"""Write access to the database alone opens no session of the pages."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from api.auth.claims import ClaimedUser
from api.auth.keys import create_key
from api.auth.principal import own_user
from api.sessions.service import BrowserSession, SessionService
from api.sessions.sign_in_methods import OIDC
from db.repositories.access_keys import AccessKeysRepository, NewAccessKey
from db.session import Database
from pao.runtime.crypto import SecretBox, generate_key
from tests.support.postgres import Database as Given

OLD, NEW = f"k1:{generate_key()}", f"k2:{generate_key()}"
BOX = SecretBox(OLD)
DANA = ClaimedUser(
    user_id="dana", email="dana@example.com", teams=("team-orders",), lacks_groups=False
)
DIGEST = hashlib.sha256(b"made up").digest()
KEY = create_key(BOX)

FORGED_SESSION = """
    INSERT INTO web_sessions (id, token_digest, user_id, teams, source, access_key_id, ends_at)
    VALUES (gen_random_uuid(), $1, 'ceo', '{pao-admins}', $2, $3, now() + interval '1 day')
"""
FORGED_CODE = "INSERT INTO web_sign_ins VALUES ($1, $2, now() + interval '1 minute')"
CHANGES = [
    "id = gen_random_uuid()",
    "user_id = 'ceo'",
    "email = 'ceo@example.com'",
    "email = NULL",
    "teams = '{pao-admins}'",
    "teams = '{}'",
    "source = 'alb'",
    "source = 'link', access_key_id = (SELECT access_key_id FROM access_keys)",
    "lacks_groups = true",
    "ends_at = ends_at + interval '1 microsecond'",
    "proof = NULL",
    "proof = ''",
    "proof = 'k1:' || repeat('0', 64)",
    "proof = '\N{BLACK STAR}'",
]


@pytest.fixture
async def superuser(database: Given) -> AsyncIterator[asyncpg.Connection]:
    """A connection that neither rights nor triggers restrict."""
    connection = await asyncpg.connect(database.superuser_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def sessions(db: Database) -> SessionService:
    """The sessions of a PAO that has issued one key, to Dana."""
    key = NewAccessKey(
        access_key_id=KEY.access_key_id,
        sealed_secret=KEY.sealed_secret,
        user_id="dana",
        teams=("team-orders",),
        created_by="a test",
    )
    async with db.unit_of_work() as session:
        await AccessKeysRepository(session).insert(key)
    return SessionService(db, BOX)


async def open_session(sessions: SessionService) -> tuple[str, BrowserSession]:
    """Open a session that a provider vouches for; return its token and who is signed in."""
    token = await sessions.open_for(DANA, source=OIDC, user_agent="tests")
    found = await sessions.find(token)
    assert found is not None
    return token, found


async def code_of(sessions: SessionService) -> str:
    caller = own_user("dana", email=None, teams=(), source="keys", access_key_id=KEY.access_key_id)
    return (await sessions.sign_in(caller)).code


@pytest.mark.parametrize(("source", "key"), [("oidc", None), ("alb", None), ("link", KEY)])
async def test_a_session_that_was_only_inserted_signs_nobody_in(
    sessions: SessionService, service: asyncpg.Connection, source: str, key: object
) -> None:
    key_id = KEY.access_key_id if key else None
    await service.execute(FORGED_SESSION, DIGEST, source, key_id)
    assert await sessions.find("made up") is None
    [forged] = await sessions.list(user_id="ceo")
    assert not await sessions.is_open(forged.id)


async def test_a_code_that_was_only_inserted_opens_nothing(
    sessions: SessionService, service: asyncpg.Connection
) -> None:
    await service.execute(FORGED_CODE, DIGEST, KEY.access_key_id)
    assert await sessions.find_code_owner("made up") is None
    assert await sessions.open("made up", user_agent="tests") is None


@pytest.mark.parametrize("change", CHANGES)
async def test_a_session_whose_row_was_changed_is_over(
    sessions: SessionService, superuser: asyncpg.Connection, change: str
) -> None:
    token, found = await open_session(sessions)
    await superuser.execute(f"UPDATE web_sessions SET {change}")  # noqa: S608 -- a constant
    assert await sessions.find(token) is None
    assert not await sessions.is_open(found.id)


@pytest.mark.parametrize(
    "change",
    ["access_key_id = 'PAOANOTHER'", "expires_at = expires_at + interval '1 s'", "proof = NULL"],
)
async def test_a_code_whose_row_was_changed_opens_nothing(
    sessions: SessionService, superuser: asyncpg.Connection, change: str
) -> None:
    await superuser.execute(
        "INSERT INTO access_keys (access_key_id, sealed_secret, user_id, created_by)"
        " SELECT 'PAOANOTHER', sealed_secret, 'ceo', created_by FROM access_keys"
    )
    code = await code_of(sessions)
    await superuser.execute(f"UPDATE web_sign_ins SET {change}")  # noqa: S608 -- a constant
    assert await sessions.find_code_owner(code) is None
    assert await sessions.open(code, user_agent="tests") is None


async def test_a_proof_of_one_session_is_none_of_another(
    sessions: SessionService, superuser: asyncpg.Connection
) -> None:
    token, found = await open_session(sessions)
    other = replace(DANA, user_id="ceo")
    theirs = await sessions.open_for(other, source=OIDC, user_agent="tests")
    await superuser.execute(
        "UPDATE web_sessions SET proof = (SELECT proof FROM web_sessions WHERE id = $1)"
        " WHERE id <> $1",
        found.id,
    )
    assert await sessions.find(theirs) is None
    assert await sessions.find(token) is not None


async def test_sessions_and_codes_last_while_their_encryption_key_is_configured(
    sessions: SessionService,
) -> None:
    token, found = await open_session(sessions)
    code = await code_of(sessions)
    rotated = replace(sessions, box=SecretBox(f"{NEW},{OLD}"))
    assert await rotated.find(token) == found
    assert await rotated.find_code_owner(code) is not None
    without = replace(sessions, box=SecretBox(NEW))
    assert await without.find(token) is None
    assert await without.find_code_owner(code) is None


@pytest.mark.parametrize("source", ["oidc", "keys"])
async def test_a_session_ends_with_its_source(sessions: SessionService, source: str) -> None:
    token: str | None = (await open_session(sessions))[0]
    if source == "keys":
        token = await sessions.open(await code_of(sessions), user_agent="tests")
    assert token is not None
    assert await sessions.find(token) is not None
    without = replace(sessions, accepts=lambda one: one != source)
    assert await without.find(token) is None
