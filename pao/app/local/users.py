"""The three users of the local stack and their access keys, which survive restarts."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.auth.keys import create_key
from db.repositories.access_keys import AccessKeysRepository, NewAccessKey
from db.session import Database
from pao.app.local.home import Home, LocalKey, Secrets
from pao.runtime.crypto import SecretBox


@dataclass(frozen=True, slots=True)
class LocalUser:
    """A user as whom a person can act; ``role`` names the env file."""

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


async def issue_keys(database_url: str, home: Home, stored: Secrets) -> Mapping[str, LocalKey]:
    """Return a valid access key per user: the stored one, or a new one if it is not valid."""
    box = SecretBox(stored.encryption_keys)
    database = Database(database_url)
    try:
        return {
            user.name: await _valid_key(database, user, stored.keys.get(user.name))
            or await _new_key(database, user, box, home)
            for user in USERS
        }
    finally:
        await database.close()


async def _valid_key(
    database: Database, user: LocalUser, stored: LocalKey | None
) -> LocalKey | None:
    if stored is None:
        return None
    async with database.unit_of_work() as session:
        row = await AccessKeysRepository(session).find(stored.access_key_id)
    if row is None or row.revoked_at is not None or row.teams != user.teams:
        return None
    return stored


async def _new_key(database: Database, user: LocalUser, box: SecretBox, home: Home) -> LocalKey:
    new_key = create_key(box)
    async with database.unit_of_work() as session:
        await AccessKeysRepository(session).insert(
            NewAccessKey(
                access_key_id=new_key.access_key_id,
                sealed_secret=new_key.sealed_secret,
                user_id=user.name,
                email=user.email,
                teams=user.teams,
                created_by=CREATED_BY,
            )
        )
    key = LocalKey(new_key.access_key_id, new_key.secret)
    home.store_key(user.name, key)
    return key
