import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import select
from sqlmodel import col

from db.models import AuditLog
from db.repositories.access_keys import AccessKeysRepository, NewAccessKey
from db.repositories.catalog import CatalogRepository, StoredItem
from db.repositories.replays import ReplaysRepository
from db.session import Database
from tests.db.building import count

SOON = timedelta(minutes=10)


def new_key(access_key_id: str = "PAO1", user: str = "dana") -> NewAccessKey:
    return NewAccessKey(
        access_key_id=access_key_id,
        sealed_secret="pao:enc:sealed",
        user_id=user,
        email="dana@example.org",
        teams=("orders", "billing"),
        created_by="root",
    )


async def test_a_key_is_found_as_it_was_stored(db: Database) -> None:
    async with db.unit_of_work() as session:
        await AccessKeysRepository(session).insert(new_key())
    async with db.unit_of_work() as session:
        found = await AccessKeysRepository(session).find("PAO1")
        unknown = await AccessKeysRepository(session).find("PAO2")
    assert unknown is None
    assert found is not None
    assert (found.user_id, found.email, found.teams) == (
        "dana",
        "dana@example.org",
        ("orders", "billing"),
    )
    assert (found.sealed_secret, found.revoked_at) == ("pao:enc:sealed", None)
    assert "sealed" not in repr(found)
    assert "sealed" not in repr(new_key())


async def test_a_revoked_key_stays_and_says_so(db: Database) -> None:
    async with db.unit_of_work() as session:
        keys = AccessKeysRepository(session)
        await keys.insert(new_key())
        assert await keys.revoke("PAO1", revoked_by="ada")
        assert not await keys.revoke("PAO1", revoked_by="ada")
        assert not await keys.revoke("PAO2", revoked_by="ada")
    async with db.unit_of_work() as session:
        found = await AccessKeysRepository(session).find("PAO1")
    assert found is not None
    assert found.revoked_at is not None


async def test_issuing_and_revoking_stand_in_the_audit_trail(db: Database) -> None:
    async with db.unit_of_work() as session:
        keys = AccessKeysRepository(session)
        await keys.insert(new_key())
        await keys.revoke("PAO1", revoked_by="ada")
        await keys.revoke("PAO1", revoked_by="again")
    async with db.unit_of_work() as session:
        rows = await session.scalars(select(AuditLog).order_by(col(AuditLog.id)))
        told = [(row.event_type, row.actor, row.event_data["accessKeyId"]) for row in rows]
    assert [line[0] for line in told] == ["key.created", "key.revoked"]
    assert told[1] == ("key.revoked", "ada", "PAO1")


async def test_keys_are_listed_for_all_or_for_one_user(db: Database) -> None:
    async with db.unit_of_work() as session:
        keys = AccessKeysRepository(session)
        await keys.insert(new_key("PAO1", "dana"))
        await keys.insert(new_key("PAO2", "eric"))
    async with db.unit_of_work() as session:
        keys = AccessKeysRepository(session)
        assert [key.access_key_id for key in await keys.list()] == ["PAO1", "PAO2"]
        assert [key.access_key_id for key in await keys.list(user_id="eric")] == ["PAO2"]


async def test_a_use_is_noted_unless_it_was_a_moment_ago(db: Database) -> None:
    async with db.unit_of_work() as session:
        await AccessKeysRepository(session).insert(new_key())
    seen = []
    for within in (timedelta(minutes=5), timedelta(minutes=5), timedelta(0)):
        async with db.unit_of_work() as session:
            await AccessKeysRepository(session).note_use("PAO1", unless_within=within)
        async with db.unit_of_work() as session:
            found = await AccessKeysRepository(session).find("PAO1")
            seen.append(found.last_used_at if found else None)
    assert seen[0] is not None
    assert seen[1] == seen[0]
    assert seen[2] is not None
    assert seen[2] > seen[0]


async def claim(db: Database, holder: bytes, *, valid: timedelta = SOON) -> bool:
    async with db.unit_of_work() as session:
        held, _ = await ReplaysRepository(session).claim(
            b"digest", holder=holder, expires_at=datetime.now(UTC) + valid
        )
    return held == holder


async def test_a_signature_belongs_to_its_first_holder(db: Database) -> None:
    assert await claim(db, b"first")
    assert not await claim(db, b"second")
    assert await claim(db, b"first")


async def test_of_twenty_holders_at_once_one_gets_the_signature(db: Database) -> None:
    answers = await asyncio.gather(*(claim(db, bytes([number])) for number in range(20)))
    assert answers.count(True) == 1


async def test_an_expired_signature_counts_as_absent(db: Database) -> None:
    assert await claim(db, b"first", valid=-SOON)
    assert await claim(db, b"second")
    assert not await claim(db, b"first")


async def test_expired_signatures_are_forgotten_bit_by_bit(
    db: Database, owner: asyncpg.Connection
) -> None:
    now = datetime.now(UTC)
    async with db.unit_of_work() as session:
        replays = ReplaysRepository(session)
        for number in range(3):
            await replays.claim(bytes([number]), holder=b"h", expires_at=now - SOON)
        await replays.claim(b"valid", holder=b"h", expires_at=now + SOON)
    async with db.unit_of_work() as session:
        replays = ReplaysRepository(session)
        assert [await replays.remove_expired(batch=2) for _ in range(3)] == [2, 1, 0]
    assert await count(owner, "replay_signatures") == 1


def item(id_: str, version: str = "1.0.0", *, stale: bool = False) -> StoredItem:
    return StoredItem(
        id=id_,
        kind="CatalogItem",
        version=version,
        name=id_.title(),
        category="databases",
        owner_team="platform",
        definition={"metadata": {"id": id_}},
        file_path=f"catalog/{id_}.yaml",
        sha="abc",
        stale=stale,
    )


async def test_the_last_good_catalog_is_kept(db: Database) -> None:
    async with db.unit_of_work() as session:
        catalog = CatalogRepository(session)
        await catalog.upsert_all([])
        await catalog.upsert_all([item("b"), item("a")])
    async with db.unit_of_work() as session:
        catalog = CatalogRepository(session)
        await catalog.upsert_all([item("b", "2.0.0", stale=True)])
    async with db.unit_of_work() as session:
        catalog = CatalogRepository(session)
        assert await catalog.get("a") == item("a")
        assert await catalog.get("b") == item("b", "2.0.0", stale=True)
        assert await catalog.get("c") is None
        [outline] = await catalog.outlines(["b"])
        assert (outline.id, outline.version, outline.metadata) == ("b", "2.0.0", {"id": "b"})


async def test_items_that_are_gone_are_removed(db: Database) -> None:
    async with db.unit_of_work() as session:
        catalog = CatalogRepository(session)
        await catalog.upsert_all([item("a"), item("b"), item("c")])
        await catalog.remove({"a", "c"}, generation=1)
        assert list(await catalog.served_files()) == ["b"]
        assert await catalog.get("a") is None
        assert [outline.id for outline in await catalog.outlines()] == ["b"]
        assert list(await catalog.definitions(["a", "b"])) == ["b"]
        await catalog.upsert_all([replace(item("a"), generation=2)])
        assert sorted(await catalog.served_files()) == ["a", "b"]


async def test_two_pods_may_store_the_same_catalog_at_once(db: Database) -> None:
    items = [item(f"item-{number}") for number in range(50)]

    async def save(order: list[StoredItem]) -> None:
        async with db.unit_of_work() as session:
            await CatalogRepository(session).upsert_all(order)

    await asyncio.gather(*(save(items if n % 2 else items[::-1]) for n in range(6)))
    async with db.unit_of_work() as session:
        assert len(await CatalogRepository(session).served_files()) == 50
