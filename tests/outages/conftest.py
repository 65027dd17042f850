"""A PAO in processes of its own, which the tests of this folder share and break."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.chaos.callers import CallRecords
from sandbox.chaos.result_check import check_results, known_ids
from sandbox.chaos.stack import PARTS, ChaosStack
from tests.support.outages import LONG
from tests.support.stack import wait_until

ENVIRONMENT = {
    # The stand-in's search does not lag here; a retry within the lag would only be told to wait.
    "JIRA_SEARCH_LAG": "1s",
    "PAO_SUBMISSION_BUDGET": "1s",
    "PAO_BREAKER_FAILURES": "1000",
    "WORKER_SWEEP_AFTER": "1s",
}


@pytest.fixture(scope="package")
def shared_stack(
    temporal_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ChaosStack]:
    folder = tmp_path_factory.mktemp("outages") / "home"
    with ChaosStack(folder, temporal_program, environ=ENVIRONMENT) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: ChaosStack) -> Iterator[ChaosStack]:
    """A complete stack before and after; only what this test leaves behind is checked."""
    start_all_parts(shared_stack)
    before = known_ids(shared_stack)
    yield shared_stack
    start_all_parts(shared_stack)
    wait_until(
        lambda: check_results(shared_stack, CallRecords(), before=before).lines == [] or None,
        seconds=LONG,
    )


def start_all_parts(stack: ChaosStack) -> None:
    """Run every part and no other, whatever a test has left."""
    for name in stack.parts.keys() - set(PARTS):
        stack.remove(name)
    stack.bring_all_up()
    stack.clear_faults()


@pytest.fixture
def dana(stack: ChaosStack) -> Iterator[httpx.Client]:
    with stack.client("dana") as client:
        yield client


@pytest.fixture
def ada(stack: ChaosStack) -> Iterator[httpx.Client]:
    with stack.client("ada") as client:
        yield client
