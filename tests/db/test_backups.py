"""A backup is whole or none, and is restored whole or not at all."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from db.backups import MANIFEST, BackupError, back_up, read_backup
from db.migrations.runner import migrate
from db.process_connections import ProcessName
from db.restores import restore
from db.session import Database as Opened
from db.session import PoolSettings
from pao.app.local.postgres_files import installed_programs
from tests.support.postgres import Database


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{installed_programs()}{os.pathsep}{os.environ['PATH']}")


async def run(database: Database, statement: str) -> Any:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def folders(root: Path) -> list[Path]:
    return sorted(root.iterdir())


MARK = "INSERT INTO upkeep (name, finished_at, result, totals) VALUES ('{}', now(), '{{}}', '{{}}')"
MARKS = "SELECT string_agg(name, ',' ORDER BY name) FROM upkeep"


async def test_a_restore_brings_back_what_was_there_with_its_rights(
    database: Database, tmp_path: Path
) -> None:
    await run(database, MARK.format("before"))
    made = await back_up(tmp_path, {"pao": database.owner_url}, version="1.2.3", keep=2)
    await run(database, "DELETE FROM upkeep")
    await run(database, MARK.format("after"))

    found = read_backup(made.folder)
    with pytest.raises(BackupError, match="pao is not empty"):
        await restore(found, {"pao": database.owner_url}, replace=False)
    assert await run(database, MARKS) == "after"
    await run(database, "CREATE TABLE of_a_later_version (id int)")
    await run(database, "ALTER TABLE of_a_later_version OWNER TO pao_owner")
    await restore(found, {"pao": database.owner_url}, replace=True)

    assert (found.version, found.at) == ("1.2.3", made.at)
    assert await run(database, MARKS) == "before,recovery"
    assert await run(database, "SELECT to_regclass('public.of_a_later_version')") is None
    assert await migrate(database.owner_url) == []
    service = await asyncpg.connect(database.service_url)
    try:
        assert await service.fetchval("SELECT count(*) FROM requests") == 0
    finally:
        await service.close()
    assert made.folder.stat().st_mode & 0o077 == 0


async def test_only_complete_backups_count_and_the_newest_stay(
    database: Database, tmp_path: Path
) -> None:
    databases = {"pao": database.owner_url}
    made = [await back_up(tmp_path, databases, version="1", keep=2) for _ in range(3)]
    assert folders(tmp_path) == [one.folder for one in made[1:]]

    absent = database.owner_url.replace(database.name, "absent")
    with pytest.raises(BackupError, match="absent") as caught:
        await back_up(tmp_path, {**databases, "temporal": absent}, version="1", keep=1)
    assert str(urlsplit(database.owner_url).password) not in str(caught.value)
    assert folders(tmp_path) == [one.folder for one in made[1:]]
    (made[2].folder / MANIFEST).unlink()
    with pytest.raises(BackupError, match="not a complete backup"):
        read_backup(made[2].folder)


async def test_what_is_no_backup_does_not_fill_the_disk(database: Database, tmp_path: Path) -> None:
    kept = [tmp_path / "notes", tmp_path / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S.%fZ}"]
    killed = tmp_path / "2026-01-31T023000.000001Z"
    for folder in (*kept, killed):
        folder.mkdir()
        (folder / "pao.dump").write_bytes(b"half")
    (kept[0] / MANIFEST).write_text("of something else")

    def on_a_full_disk(_: Path) -> None:
        Path("/dev/full").write_bytes(b"full")

    given: dict[str, Any] = {"databases": {"pao": database.owner_url}, "version": "1", "keep": 1}
    with pytest.raises(BackupError, match="No space left"):
        await back_up(tmp_path, **given, copies={"temporal.db": on_a_full_disk})
    assert folders(tmp_path) == sorted([*kept, killed])
    made = await back_up(tmp_path, **given)
    assert folders(tmp_path) == sorted([*kept, made.folder])


async def test_a_backup_is_complete_though_an_older_one_cannot_be_removed(
    database: Database, tmp_path: Path
) -> None:
    stubborn, old = (tmp_path / f"2026-01-0{day}T023000.000001Z" for day in (2, 1))
    # A folder in place of the file: whoever runs this may be root, who may remove any file.
    (stubborn / MANIFEST).mkdir(parents=True)
    old.mkdir()
    (old / MANIFEST).write_text("{}")
    made = await back_up(tmp_path, {"pao": database.owner_url}, version="1", keep=1)
    assert made.not_removed == {stubborn: "Is a directory"}
    assert folders(tmp_path) == [stubborn, made.folder]
    assert read_backup(made.folder).files == made.files


async def test_a_backup_that_cannot_be_looked_into_is_not_taken_for_an_abandoned_one(
    database: Database, tmp_path: Path
) -> None:
    closed = tmp_path / "2026-01-01T023000.000001Z"
    closed.mkdir()
    # A link to itself in place of a forbidden folder: whoever runs this may be root.
    (closed / MANIFEST).symlink_to(MANIFEST)
    made = await back_up(tmp_path, {"pao": database.owner_url}, version="1", keep=2)
    assert made.not_removed == {}
    assert folders(tmp_path) == [closed, made.folder]


async def test_a_damaged_file_is_found_before_anything_is_changed(
    database: Database, tmp_path: Path
) -> None:
    made = await back_up(tmp_path, {"pao": database.owner_url}, version="1", keep=2)
    file = made.dump("pao")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BackupError, match="missing or was changed"):
        read_backup(made.folder)


async def test_nothing_is_restored_below_a_running_process(
    database: Database, tmp_path: Path
) -> None:
    made = await back_up(tmp_path, {"pao": database.owner_url}, version="1", keep=2)
    await run(database, MARK.format("after"))
    name = str(ProcessName("pao-api", 16))
    process = Opened(database.service_url, pool=PoolSettings(application_name=name))
    await process.ping()
    try:
        with pytest.raises(BackupError, match="pao-api is running"):
            await restore(made, {"pao": database.owner_url}, replace=True)
    finally:
        await process.close()
    with pytest.raises(BackupError, match="holds no database temporal"):
        await restore(made, {"temporal": database.owner_url}, replace=True)
    assert await run(database, MARKS) == "after"


async def test_a_backup_that_cannot_be_read_to_its_end_leaves_everything_as_it_was(
    database: Database, tmp_path: Path
) -> None:
    made = await back_up(tmp_path, {"pao": database.owner_url}, version="1", keep=2)
    await run(database, MARK.format("after"))
    file = made.dump("pao")
    file.write_bytes(file.read_bytes()[: made.files[0].size // 2])
    with pytest.raises(BackupError, match="nothing was changed"):
        await restore(made, {"pao": database.owner_url}, replace=True)
    assert await run(database, MARKS) == "after"


async def test_a_backup_of_a_newer_version_is_refused(database: Database, tmp_path: Path) -> None:
    made = await back_up(tmp_path, {"pao": database.owner_url}, version="9.1", keep=2)
    newer = replace(made, migrations=(*made.migrations, "9999"))
    with pytest.raises(BackupError, match=r"PAO 9\.1, with migrations .* \(9999\)"):
        await restore(newer, {"pao": database.owner_url}, replace=True)
