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

from activities.mirror_rebuild import Rebuilder, RebuildResult
from activities.reconciler import Reconciler, RunLimits
from db.backups import Backup, back_up, read_backup
from db.restores import restore
from pao.app import assembly
from pao.app.local.postgres_files import installed_programs
from pao.clients.inspection import WorkflowInspector
from pao.clients.temporal import RequestWorkflows
from tests.support.callers import DANA
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import submit, submit_failed, tickets_of

AT_ONCE = 2
Answer = tuple[str, str]
"""The id of a request, and the state that was answered."""
# Nothing changes any more, so nothing is left to settle.
SETTLED = RunLimits(quiet=timedelta(seconds=-5))


@pytest.fixture
def stack(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    with running_stack(database, temporal_address, tmp_path) as running:
        yield running


@contextmanager
def submissions(client: httpx.Client) -> Iterator[list[Answer]]:
    """Submit as long as the block runs; the list grows by each that was answered."""
    answered: list[Answer] = []
    enough = threading.Event()

    def go_on() -> None:
        while not enough.is_set():
            document = submit(client)
            answered.append((document["id"], document["status"]))

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


def rebuilt(stack: Stack) -> RebuildResult:
    """Rebuild as an operator does, and do the turn of the reconciler that comes every minute."""

    async def work() -> RebuildResult:
        database = assembly.database(stack.settings, application_name="tests")
        workflows = RequestWorkflows(stack.temporal, task_queue=stack.task_queue)
        inspector = WorkflowInspector(stack.temporal, task_queue=stack.task_queue)
        try:
            done = await Rebuilder(database, inspector).rebuild()
            await Reconciler(database, workflows, inspector, limits=SETTLED).reconcile()
        finally:
            await database.close()
        return done

    return stack.run(work())


def test_a_backup_made_meanwhile_lacks_nothing_that_was_answered_before_it_began(
    stack: Stack, tmp_path: Path
) -> None:
    dana = stack.caller(DANA)
    waiting = submit_failed(stack, dana)
    with submissions(dana) as answered:
        wait_until(lambda: len(answered) >= AT_ONCE)
        before = [(waiting["id"], "failed"), *answered]
        made = backed_up(stack.database, tmp_path / "backups")
        during = len(answered)
        wait_until(lambda: len(answered) > during + AT_ONCE)

    stack.stop_api()
    stack.stop_worker()
    set_back(stack.database, made)
    then = states(stack)
    assert {one: then.get(one) for one, _ in before} == dict(before)
    # What came meanwhile is there as it stood then, or lacking: Temporal knows it.
    assert not then.keys() >= dict(answered).keys()
    stack.start_worker()
    wait_until(
        lambda: not rebuilt(stack).unanswered and dict(answered).items() <= states(stack).items()
    )

    stack.start_api()
    for one, status in answered:
        document = dana.get(f"/requests/{one}").json()
        assert document["status"] == status
        # On a busy machine JIRA may have been too slow for one.
        assert len(tickets_of(stack, document)) == 1 or status == "failed"
    assert dana.get(f"/requests/{waiting['id']}").json()["status"] == "failed"


def states(stack: Stack) -> dict[str, str]:
    """Return the state of each request that Postgres has."""
    rows = stack.rows("SELECT id, status FROM requests")
    return {str(row["id"]): row["status"] for row in rows}
