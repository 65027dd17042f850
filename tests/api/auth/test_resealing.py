"""Access keys and drafts go on with a new encryption key, and the old one can leave."""

from uuid import uuid4

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from api.auth.keys import create_key, secret_context
from api.drafts.service import draft_context
from api.keys.resealing import ResealReport, reseal
from db.availability import DatabaseUnavailableError
from db.repositories.access_keys import AccessKeysRepository, NewAccessKey
from db.repositories.requests import NewRequest, RequestsRepository
from db.repositories.sealed import SealedRepository, SealedRequests
from db.session import Database as Opened
from pao.runtime.crypto import SecretBox, generate_key
from tests.support.postgres import Database
from tests.support.requests import new_request

OLD, NEW = f"k1:{generate_key()}", f"k2:{generate_key()}"


async def reseal_all(url: str, keys: str) -> ResealReport:
    owner = Opened(url)
    try:
        return await reseal(owner, SecretBox(keys), by="a test")
    finally:
        await owner.close()


async def test_everything_of_the_service_is_sealed_anew_and_requests_are_counted(
    database: Database,
) -> None:
    old = SecretBox(OLD)
    key, draft = create_key(old), uuid4()
    request = new_request(box=old, token="a-token-of-somebody")
    service = Opened(database.service_url)
    async with service.unit_of_work() as session:
        await AccessKeysRepository(session).insert(
            NewAccessKey(
                access_key_id=key.access_key_id,
                sealed_secret=key.sealed_secret,
                user_id="dana",
                created_by="a test",
            )
        )
        await RequestsRepository(session).insert(
            NewRequest(context=request.context, plan=request.plan)
        )
    owner = Opened(database.owner_url)
    async with owner.unit_of_work() as session:
        statement = text(
            "INSERT INTO web_drafts (id, user_id, catalog_item_id, item_version, sealed)"
            " VALUES (:id, 'dana', 'thing', '1.0.0', :sealed)"
        ).bindparams(bindparam("sealed", type_=JSONB))
        token = old.seal("typed", context=draft_context(str(draft), "p"))
        await session.execute(statement, {"id": draft, "sealed": {"p": token}})

    done = await reseal_all(database.owner_url, f"{NEW},{OLD}")

    assert (done.active, done.access_keys, done.drafts, done.unreadable) == ("k2", 1, 1, [])
    assert done.held == {"k1": SealedRequests(open=1, finished=0)}
    new = SecretBox(NEW)
    async with service.reading() as session:
        stored = await AccessKeysRepository(session).find(key.access_key_id)
        [(_, sealed)] = await SealedRepository(session).drafts()
    assert stored is not None
    context = secret_context(key.access_key_id)
    assert new.open(stored.sealed_secret, context=context) == key.secret
    assert new.open(sealed["p"], context=draft_context(str(draft), "p")) == "typed"

    again = await reseal_all(database.owner_url, f"{NEW},{OLD}")
    assert (again.access_keys, again.drafts) == (0, 0)
    await service.close()
    await owner.close()


async def test_what_no_key_opens_is_named_and_the_rest_is_done(database: Database) -> None:
    keys = [create_key(SecretBox(OLD)), create_key(SecretBox(f"k0:{generate_key()}"))]
    service = Opened(database.service_url)
    async with service.unit_of_work() as session:
        for key in keys:
            await AccessKeysRepository(session).insert(
                NewAccessKey(
                    access_key_id=key.access_key_id,
                    sealed_secret=key.sealed_secret,
                    user_id="dana",
                    created_by="a test",
                )
            )
    done = await reseal_all(database.owner_url, f"{NEW},{OLD}")

    assert done.access_keys == 1
    [problem] = done.unreadable
    assert keys[1].access_key_id in problem
    assert "k0" in problem
    # The service itself may not: not even with the setting that the owner uses.
    with pytest.raises(DatabaseUnavailableError):
        async with service.unit_of_work() as session:
            await SealedRepository(session).replace_access_key(
                keys[1].access_key_id, before=keys[1].sealed_secret, sealed="another"
            )
    await service.close()
