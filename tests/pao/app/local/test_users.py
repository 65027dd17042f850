from pathlib import Path

from db.repositories.access_keys import AccessKeysRepository
from db.session import Database as ServiceDatabase
from pao.app.local.home import Home
from pao.app.local.users import USERS, issue_keys
from tests.support.postgres import Database


async def test_every_user_gets_a_key_with_their_teams(database: Database, tmp_path: Path) -> None:
    home = Home(tmp_path)
    keys = await issue_keys(database.service_url, home, home.read_secrets())

    service = ServiceDatabase(database.service_url)
    async with service.unit_of_work() as session:
        stored = {key.user_id: key for key in await AccessKeysRepository(session).list()}
    await service.close()
    assert {user.name: user.teams for user in USERS} == {
        name: key.teams for name, key in stored.items()
    }
    assert stored["dana"].access_key_id == keys["dana"].access_key_id


async def test_a_later_start_hands_out_the_same_keys(database: Database, tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = await issue_keys(database.service_url, home, home.read_secrets())

    assert await issue_keys(database.service_url, home, home.read_secrets()) == first


async def test_a_revoked_key_is_replaced(database: Database, tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = await issue_keys(database.service_url, home, home.read_secrets())
    service = ServiceDatabase(database.service_url)
    async with service.unit_of_work() as session:
        await AccessKeysRepository(session).revoke(first["dana"].access_key_id, revoked_by="ada")
    await service.close()

    again = await issue_keys(database.service_url, home, home.read_secrets())

    assert again["dana"] != first["dana"]
    assert again["ada"] == first["ada"]
    assert home.read_secrets().keys == again
