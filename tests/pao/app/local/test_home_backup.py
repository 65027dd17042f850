"""A state folder of `pao up` is backed up while it is used, and restored to an empty one."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from db.backups import BackupError, read_backup
from db.migrations.runner import migrate
from pao.app.local.home import Home
from pao.app.local.home_backup import back_up_home, restore_home
from pao.app.local.ports import free_ports
from pao.app.local.postgres import FOR_TESTS, EmbeddedPostgres, PostgresAddress
from pao.app.local.postgres_files import delete_files
from pao.app.local.restored import is_restored

ID = "SELECT id::text FROM installation"


def installation(url: str) -> str:
    async def ask() -> str:
        connection = await asyncpg.connect(url)
        try:
            return str(await connection.fetchval(ID))
        finally:
            await connection.close()

    return asyncio.run(ask())


def started(home: Home) -> tuple[EmbeddedPostgres, PostgresAddress]:
    [port] = free_ports(1)
    server = EmbeddedPostgres(home.postgres, port=port, settings=FOR_TESTS)
    return server, server.start()


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Home, Home]]:
    made = Home(tmp_path / "used"), Home(tmp_path / "empty")
    yield made
    for one in made:
        delete_files(one.postgres)


def no_broken_database_is_copied(home: Home, root: Path) -> None:
    broken = home.jira / "world.db"
    broken.write_bytes(b"SQLite format 3\0" + b"x" * 200)
    with pytest.raises(BackupError, match=r"world\.db cannot be copied"):
        back_up_home(home, root, version="1", keep=2)
    broken.unlink()


def test_a_home_in_use_is_backed_up_and_restored_with_its_secrets_and_workflows(
    homes: tuple[Home, Home], tmp_path: Path
) -> None:
    used, empty = homes
    used.folder.mkdir(mode=0o700)
    secrets = used.read_secrets()
    server, address = started(used)
    workflows = sqlite3.connect(used.temporal_database)
    try:
        asyncio.run(migrate(address.owner_url))
        # As Temporal does: what was written last is not in the file itself yet.
        workflows.execute("PRAGMA journal_mode = wal")
        workflows.execute("CREATE TABLE executions (id text)")
        workflows.execute("INSERT INTO executions VALUES ('request-1')")
        workflows.commit()
        used.jira.mkdir()
        (used.jira / "note.txt").write_text("of the stand-in")
        states = used.terraform / "module-1" / "workspaces" / "pao-1"
        states.mkdir(parents=True)
        (states / "terraform.tfstate").write_text('{"serial": 4}')
        (states / ".terraform.tfstate.lock.info").write_text("{}")
        known = installation(address.owner_url)
        no_broken_database_is_copied(used, tmp_path / "backups")
        made = back_up_home(used, tmp_path / "backups", version="1", keep=2)
    finally:
        workflows.close()
        server.stop()

    names = sorted(one.name for one in made.files)
    assert names == ["jira/note.txt", "pao.dump", "secrets.json", "temporal.db", "terraform.tar"]
    with used.lock(), pytest.raises(BackupError, match="already running"):
        restore_home(read_backup(made.folder), used, replace=True)
    with pytest.raises(BackupError, match="not empty"):
        restore_home(read_backup(made.folder), used, replace=False)
    gone = replace(read_backup(made.folder), folder=tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        restore_home(gone, used, replace=True)
    assert used.read_secrets() == secrets
    assert (used.postgres / "passwords.json").is_file()
    restore_home(read_backup(made.folder), empty, replace=False)

    assert empty.read_secrets() == secrets
    assert (empty.jira / "note.txt").read_text() == "of the stand-in"
    restored = {one.name: one.read_text() for one in empty.terraform.rglob("*") if one.is_file()}
    assert restored == {"terraform.tfstate": '{"serial": 4}'}
    copy = sqlite3.connect(empty.temporal_database)
    assert copy.execute("SELECT id FROM executions").fetchall() == [("request-1",)]
    copy.close()
    server, address = started(empty)
    try:
        assert installation(address.service_url) == known
        assert asyncio.run(is_restored(address.service_url))
    finally:
        server.stop()


def test_what_is_no_state_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(BackupError, match="not a state folder"):
        back_up_home(Home(tmp_path / "other"), tmp_path / "backups", version="1", keep=2)
    shutil.rmtree(tmp_path / "other")
