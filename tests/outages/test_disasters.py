"""What is lost is made good from what is left: Postgres set back, alone and with Temporal.

That Temporal alone is lost is in test_outages_temporal.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from db.backups import Backup, back_up, read_backup
from db.restores import restore
from pao.app.local.postgres_files import installed_programs
from sandbox.chaos.stack import API, TEMPORAL, WORKER, ChaosStack
from tests.support.outages import (
    LONG,
    assert_others_continue,
    health,
    retry,
    submit,
    wait_for_status,
)
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host

pytestmark = pytest.mark.outage


def backed_up(stack: ChaosStack, root: Path) -> Backup:
    return asyncio.run(
        back_up(
            root,
            {"pao": stack.postgres.owner_url},
            version="1",
            keep=1,
            programs=installed_programs(),
        )
    )


def set_back(stack: ChaosStack, made: Backup) -> None:
    databases = {"pao": stack.postgres.owner_url}
    found = read_backup(made.folder)
    asyncio.run(restore(found, databases, replace=True, programs=installed_programs()))


def rebuilt(stack: ChaosStack) -> dict[str, Any]:
    """Rebuild as an operator does, until the worker that has just been started answers."""

    def done() -> dict[str, Any] | None:
        ended = subprocess.run(
            [sys.executable, "-m", "pao", "db", "rebuild", "-o", "json"],
            env=stack.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, Any] = json.loads(ended.stdout)
        return None if found["unanswered"] else found

    found = wait_until(done, seconds=LONG)
    assert found is not None
    return found


def problems(stack: ChaosStack, scope: str = "") -> list[str]:
    """Return why the API is not ready, once it answers."""

    def asked() -> list[str] | None:
        url = f"{stack.url}/api/v1/health/ready{scope}"
        try:
            document = httpx.get(url, timeout=60, trust_env=False).json()
        except httpx.TransportError:
            return None
        found: list[str] = document["problems"]
        return found

    found = wait_until(lambda: (asked(),) if asked() is not None else None, seconds=LONG)
    assert found is not None
    return found[0] or []


def failed(stack: ChaosStack, client: httpx.Client, host: str) -> dict[str, Any]:
    stack.add_creation_fault(host, kind="status", status=400)
    document = wait_for_status(
        client, client.post("/requests", json=dns_body(host)).json(), "failed"
    )
    stack.clear_faults()
    return document


def test_a_postgres_that_is_set_back_is_told_everything_again(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client, tmp_path: Path
) -> None:
    before, decided, after, ended = (new_host() for _ in range(4))
    waiting, retried = failed(stack, dana, before), failed(stack, dana, decided)
    made = backed_up(stack, tmp_path)
    retry(dana, retried)
    late = failed(stack, dana, after)
    key = {"Idempotency-Key": ended}
    done = wait_for_status(dana, submit(dana, ended, 201, **key, Prefer="wait=20"), "completed")

    stack.end(API)
    stack.end(WORKER)
    set_back(stack, made)
    stack.bring_up(API)
    assert ["restored from a backup" in one for one in problems(stack, "?scope=process")] == [True]
    assert any("pao db rebuild" in one for one in problems(stack))
    stack.bring_up(WORKER)
    assert "pao db rebuild" in health(stack)["components"]["mirror"]["error"]
    assert rebuilt(stack)["made"] == 1
    wait_until(stack.is_ready, seconds=LONG)

    # What was decided and made since the backup stands; a repeat is one.
    wait_for_status(dana, retried, "completed")
    again = submit(dana, ended, 200, **key)
    assert (again["id"], again["status"]) == (done["id"], "completed")
    for request in (waiting, late):
        retry(dana, request)
    assert [len(stack.tickets(host)) for host in (before, decided, after, ended)] == [1] * 4
    assert_others_continue(ada)


def test_both_set_back_wait_for_a_person_and_what_exists_is_adopted(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client, tmp_path: Path
) -> None:
    untouched, decided = new_host(), new_host()
    requests = [failed(stack, dana, host) for host in (untouched, decided)]
    made = backed_up(stack, tmp_path)
    stack.end(TEMPORAL)
    copy = shutil.copytree(stack.home.folder, tmp_path / "copy", ignore=_all_but_temporal)
    stack.bring_up(TEMPORAL)
    wait_until(stack.is_ready, seconds=LONG)
    # The ticket of this retry is of the time that is lost.
    retry(dana, requests[1])

    for part in (API, WORKER, TEMPORAL):
        stack.end(part)
    set_back(stack, made)
    stack.lose_history()
    shutil.copytree(copy, stack.home.folder, dirs_exist_ok=True)
    for part in (TEMPORAL, WORKER, API):
        stack.bring_up(part)
    rebuilt(stack)
    wait_until(stack.is_ready, seconds=LONG)

    for request, host, before in zip(requests, (untouched, decided), (0, 1), strict=True):
        assert dana.get(f"/requests/{request['id']}").json()["status"] == "failed"
        assert len(stack.tickets(host)) == before
        retry(dana, request)
        assert len(stack.tickets(host)) == 1
    assert_others_continue(ada)


def _all_but_temporal(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith("temporal.db")]
