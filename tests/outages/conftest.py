"""A PAO in processes of its own, which the tests of this folder share and break."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.chaos.judge import judge, known
from sandbox.chaos.play import Records
from sandbox.chaos.world import PARTS, World
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
def shared_world(
    temporal_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("outages") / "home"
    with World(folder, temporal_program, environ=ENVIRONMENT) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """A PAO that is whole before and after; what this test alone leaves behind is judged."""
    make_whole(shared_world)
    before = known(shared_world)
    yield shared_world
    make_whole(shared_world)
    wait_until(
        lambda: judge(shared_world, Records(), before=before).lines == [] or None, seconds=LONG
    )


def make_whole(world: World) -> None:
    """Have everything run and nothing more, whatever a test has left."""
    for name in world.parts.keys() - set(PARTS):
        world.remove(name)
    world.bring_all_up()
    world.lift_faults()


@pytest.fixture
def dana(world: World) -> Iterator[httpx.Client]:
    with world.client("dana") as client:
        yield client


@pytest.fixture
def ada(world: World) -> Iterator[httpx.Client]:
    with world.client("ada") as client:
        yield client
