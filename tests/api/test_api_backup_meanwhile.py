"""A backup is made while requests come in: restored, it lacks none that was answered before."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from activities.mirror_rebuild import Rebuilder, Rebuilt
from activities.reconciler import Reconciler, Turns
from db.backups import Backup, back_up, read_backup
from db.restores import restore
from pao.app import assembly
from pao.app.local.postgres_files import installed_programs
from pao.clients.inspection import Inspector
from pao.clients.temporal import RequestWorkflows
from tests.support.callers import DANA
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submitting import failed, submit, tickets_of

AT_ONCE = 2
# Nothing changes any more, so nothing is left to settle.
SETTLED = Turns(settling=timedelta(seconds=-5))


@pytest.fixture
def stack(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    with running_stack(database, temporal_address, tmp_path) as running:
        yield running


@contextmanager
def submissions(client: httpx.Client) -> Iterator[list[str]]:
    """Submit as long as the block runs; the list grows by the id of each that was answered."""
    answered: list[str] = []
    enough = threading.Event()

    def go_on() -> None:
        while not enough.is_set():
            answered.append(submit(client)["id"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [pool.submit(go_on) for _ in range(AT_ONCE)]
        try:
            yield answered
        finally:
            enough.set()
            for one in runs:
                one.result()


def backed_up(database: Database, root: Path) -> Backup:
    databases = {"pao": database.owner_url}
    work = back_up(root, databases, version="1", keep=1, programs=installed_programs())
    return read_backup(asyncio.run(work).folder)


def set_back(database: Database, made: Backup) -> None:
    databases = {"pao": database.owner_url}
    asyncio.run(restore(made, databases, replace=True, programs=installed_programs()))


def rebuilt(stack: Stack) -> Rebuilt:
    """Rebuild as an operator does, and do the turn of the reconciler that comes every minute."""

    async def work() -> Rebuilt:
        database = assembly.database(stack.settings, application_name="tests")
        workflows = RequestWorkflows(stack.temporal, task_queue=stack.task_queue)
        inspector = Inspector(stack.temporal, task_queue=stack.task_queue)
        try:
            done = await Rebuilder(database, inspector).rebuild()
            await Reconciler(database, workflows, inspector, turns=SETTLED).reconcile()
        finally:
            await database.close()
        return done

    return stack.run(work())


def test_a_backup_made_meanwhile_lacks_nothing_that_was_answered_before_it_began(
    stack: Stack, tmp_path: Path
) -> None:
    dana = stack.caller(DANA)
    waiting = failed(stack, dana)["id"]
    with submissions(dana) as answered:
        wait_until(lambda: len(answered) >= AT_ONCE)
        before = {waiting, *answered}
        made = backed_up(stack.database, tmp_path / "backups")
        during = len(answered)
        wait_until(lambda: len(answered) > during + AT_ONCE)

    stack.stop_api()
    stack.stop_worker()
    set_back(stack.database, made)
    states = {str(row["id"]): row["status"] for row in stack.rows("SELECT * FROM requests")}
    assert before <= states.keys()
    assert {states[one] for one in before - {waiting}} == {"completed"}
    # What came meanwhile is there as it stood then, or lacking: Temporal knows it.
    assert not states.keys() >= set(answered)
    stack.start_worker()
    wait_until(lambda: not rebuilt(stack).unanswered and is_whole(stack, answered))

    stack.start_api()
    for one in answered:
        document = dana.get(f"/requests/{one}").json()
        assert document["status"] == "completed"
        assert len(tickets_of(stack, document)) == 1
    assert dana.get(f"/requests/{waiting}").json()["status"] == "failed"


def is_whole(stack: Stack, answered: list[str]) -> bool:
    """Return whether each request is there, and has ended."""
    ended = stack.rows("SELECT id FROM requests WHERE status = 'completed'")
    return set(answered) <= {str(row["id"]) for row in ended}
