"""A worker and JIRA are killed while four branches of one request run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.chaos.callers import CallRecords
from sandbox.chaos.result_check import check_results
from sandbox.chaos.stack import JIRA, WORKER, ChaosStack
from tests.support.requests import automatic, ticket
from tests.support.stack import wait_until
from tests.support.submissions import new_host

pytestmark = pytest.mark.outage

EARLY, LATE = ("one", "two"), ("three", "four")
BRANCHES = [*EARLY, *LATE]
LONG = 60.0


@pytest.fixture
def stack(temporal_program: Path, tmp_path: Path) -> Iterator[ChaosStack]:
    """A PAO that offers one item, of four branches and what follows all of them."""
    last = ticket("last", dependsOn=BRANCHES)
    document = automatic(*(ticket(name) for name in BRANCHES), last, parallel=True)
    catalog = tmp_path / "catalog" / "things"
    catalog.mkdir(parents=True)
    (catalog / "thing.yaml").write_text(yaml.safe_dump(document))
    environ = {
        "CATALOG_PATH": str(catalog.parent),
        "JIRA_SEARCH_LAG": "1s",
        "PAO_SUBMISSION_BUDGET": "1s",
        "PAO_BREAKER_FAILURES": "1000",
    }
    with ChaosStack(tmp_path / "home", temporal_program, environ=environ) as running:
        yield running


def in_hand(stack: ChaosStack, title: str) -> None:
    """Wait until JIRA has the calls of all four, and has done the work of two."""
    wait_until(lambda: not stack.faults())
    wait_until(lambda: len(stack.tickets(title)) == len(LATE))


def test_four_branches_whose_worker_is_killed_lose_nothing_and_make_nothing_twice(
    stack: ChaosStack,
) -> None:
    title = new_host()
    for name in BRANCHES:
        when = "before" if name in EARLY else "after"
        stack.add_creation_fault(f"{name}: {title}", kind="slow", seconds=7, when=when)
    with stack.client("dana") as dana:

        def shown(status: str) -> dict[str, Any] | None:
            found: dict[str, Any] = dana.get(f"/requests/{request_id}").json()
            return found if found["status"] == status and not found["retrying"] else None

        body = {"catalogItemId": "thing", "fields": {"title": title}}
        answer = dana.post("/requests", json=body)
        assert answer.status_code == 202, answer.text
        request_id = answer.json()["id"]
        in_hand(stack, title)
        before = shown("in_progress")
        assert before is not None
        running = {one["id"] for one in before["actions"] if one["status"] == "in_progress"}
        assert running == set(BRANCHES)
        stack.kill(WORKER)
        stack.kill(JIRA)
        stack.bring_all_up()

        failed = wait_until(lambda: shown("failed"), seconds=LONG)
        assert failed is not None
        assert {one["id"] for one in failed["errorContext"]["failedActions"]} == set(BRANCHES)
        assert all(one["outcomeUnknown"] for one in failed["actions"][:4])
        assert failed["actions"][4]["status"] == "pending"
        assert len(stack.tickets(title)) == len(LATE)

        dana.post(f"/requests/{request_id}/retry", json={"reason": "they are back"})
        done = wait_until(lambda: shown("completed"), seconds=LONG)
        assert done is not None
    adopted = {one["id"] for one in done["actions"] if one.get("adopted")}
    assert adopted == set(LATE)
    assert [one["attempt"] for one in done["actions"]] == [2, 2, 2, 2, 1]
    assert len(stack.tickets(title)) == 5
    wait_until(lambda: check_results(stack, CallRecords()).lines == [] or None, seconds=LONG)
