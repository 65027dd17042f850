"""The three users of the local stack and their access keys, which last from start to start."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.auth.keys import create_key
from db.repositories.access_keys import AccessKeysRepository, NewAccessKey
from db.session import Database
from pao.app.local.home import Home, KeptKey, Secrets
from pao.runtime.crypto import SecretBox


@dataclass(frozen=True, slots=True)
class LocalUser:
    """Someone in whose place a person can act: ``role`` names the env file."""

    role: str
    name: str
    teams: tuple[str, ...]

    @property
    def email(self) -> str:
        """An address that reaches nobody."""
        return f"{self.name}@example.com"


USERS = (
    LocalUser("developer", "dana", ("team-orders",)),
    LocalUser("platform", "priya", ("team-platform", "team-database")),
    LocalUser("admin", "ada", ("pao-admins",)),
)
DEFAULT_ROLE = "developer"
CREATED_BY = "pao up"


async def issue_keys(database_url: str, home: Home, kept: Secrets) -> Mapping[str, KeptKey]:
    """Return a valid access key per user: the kept one, or a new one where that is gone."""
    box = SecretBox(kept.encryption_keys)
    database = Database(database_url)
    try:
        return {
            user.name: await _valid_key(database, user, kept.keys.get(user.name))
            or await _new_key(database, user, box, home)
            for user in USERS
        }
    finally:
        await database.close()


async def _valid_key(database: Database, user: LocalUser, kept: KeptKey | None) -> KeptKey | None:
    if kept is None:
        return None
    async with database.unit_of_work() as session:
        stored = await AccessKeysRepository(session).find(kept.access_key_id)
    if stored is None or stored.revoked_at is not None or stored.teams != user.teams:
        return None
    return kept


async def _new_key(database: Database, user: LocalUser, box: SecretBox, home: Home) -> KeptKey:
    made = create_key(box)
    async with database.unit_of_work() as session:
        await AccessKeysRepository(session).insert(
            NewAccessKey(
                access_key_id=made.access_key_id,
                sealed_secret=made.sealed_secret,
                user_id=user.name,
                email=user.email,
                teams=user.teams,
                created_by=CREATED_BY,
            )
        )
    key = KeptKey(made.access_key_id, made.secret)
    home.keep_key(user.name, key)
    return key
