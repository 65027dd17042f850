"""Bad days: parts are killed, stopped and away while people submit and decide.

After each: no request is lost, no ticket is there twice, the mirror equals the workflow, and what
others asked for went on.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from chaos.judge import judge
from chaos.play import Records
from chaos.world import API, JIRA, POSTGRES, WORKER, World
from tests.support.stack import wait_until
from tests.support.submitting import dns, new_host

pytestmark = pytest.mark.outage

ENVIRONMENT = {"PAO_SUBMISSION_BUDGET": "1s", "PAO_BREAKER_FAILURES": "1000"}
LONG = 60.0


@pytest.fixture(scope="module")
def shared_world(
    temporal_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("outages") / "home"
    with World(folder, temporal_program, environ=ENVIRONMENT) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """A PAO that is whole before and after; what a test leaves behind is judged."""
    shared_world.bring_all_up()
    yield shared_world
    shared_world.bring_all_up()
    shared_world.lift_faults()
    wait_until(lambda: judge(shared_world, Records()).lines == [] or None, seconds=LONG)


@pytest.fixture
def dana(world: World) -> Iterator[httpx.Client]:
    with world.client("dana") as client:
        yield client


@pytest.fixture
def ada(world: World) -> Iterator[httpx.Client]:
    with world.client("ada") as client:
        yield client


def submit(client: httpx.Client, host: str, status: int, **headers: str) -> dict[str, Any]:
    answer = client.post("/requests", json=dns(host), headers=headers)
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    return document


def reached(client: httpx.Client, document: dict[str, Any], status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"/requests/{document['id']}").json()
        return found if found["status"] == status and not found["retrying"] else None

    found = wait_until(there, seconds=LONG)
    assert found is not None
    return found


def others_go_on(client: httpx.Client) -> None:
    answer = client.post("/requests", json=dns())
    assert answer.is_success, answer.text
    reached(client, answer.json(), "completed")


def retry(client: httpx.Client, document: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/requests/{document['id']}/retry", json={"reason": "it is back"})
    assert answer.is_success, answer.text
    return reached(client, document, "completed")


def health(world: World) -> dict[str, Any]:
    answer = httpx.get(f"{world.url}/api/v1/health", timeout=20, trust_env=False)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def readiness(world: World) -> int:
    url = f"{world.url}/api/v1/health/ready"
    return httpx.get(url, timeout=20, trust_env=False).status_code


def test_without_any_worker_a_request_waits_and_goes_on_when_one_comes(
    world: World, dana: httpx.Client
) -> None:
    host = new_host()
    world.kill(WORKER)
    document = submit(dana, host, 202)
    assert document["status"] == "submitted"
    assert world.tickets(host) == []
    world.bring_up(WORKER)
    reached(dana, document, "completed")
    assert len(world.tickets(host)) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_around_the_call_to_jira_leaves_one_ticket(
    world: World, dana: httpx.Client, ada: httpx.Client, when: str
) -> None:
    host = new_host()
    world.strike(host, kind="slow", seconds=3, when=when)
    document = submit(dana, host, 202)
    wait_until(lambda: not world.faults())
    if when == "after":
        wait_until(lambda: world.tickets(host))
    world.kill(WORKER)
    world.bring_up(WORKER)
    others_go_on(ada)
    failed = reached(dana, document, "failed")
    assert failed["error"]["outcomeUnknown"]
    wait_until(lambda: world.tickets(host))
    assert retry(dana, document)["actions"][0]["adopted"]
    assert len(world.tickets(host)) == 1


def test_an_api_killed_after_the_start_loses_nothing_and_repeats_its_answer(
    world: World, dana: httpx.Client, ada: httpx.Client
) -> None:
    host, key = new_host(), {"Idempotency-Key": new_host()}
    world.strike(host, kind="slow", seconds=1, when="before")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(dana.post, "/requests", json=dns(host), headers=key)
        wait_until(lambda: not world.faults())
        world.kill(API)
        assert isinstance(call.exception(), httpx.TransportError)
    world.bring_all_up()
    again = submit(dana, host, 200, **key)
    reached(dana, again, "completed")
    assert len(world.tickets(host)) == 1
    others_go_on(ada)


def test_postgres_away_in_the_middle_and_at_submission(
    world: World, dana: httpx.Client, ada: httpx.Client
) -> None:
    host, other = new_host(), new_host()
    world.strike(host, kind="slow", seconds=2, when="before")
    document = submit(dana, host, 202)
    wait_until(lambda: not world.faults())
    world.kill(POSTGRES)
    refused = ada.post("/requests", json=dns(other), headers={"Idempotency-Key": other})
    assert refused.status_code == 503, refused.text
    assert readiness(world) == 503
    told = health(world)
    assert (told["status"], told["components"]["database"]["status"]) == ("down", "down")
    wait_until(lambda: world.tickets(host))
    world.bring_up(POSTGRES)
    reached(dana, document, "completed")
    assert len(world.tickets(host)) == 1
    again = ada.post("/requests", json=dns(other), headers={"Idempotency-Key": other})
    reached(ada, again.json(), "completed")
    assert len(world.tickets(other)) == 1


def test_a_deploy_ends_the_old_worker_while_requests_run_and_none_of_them_fails(
    world: World, dana: httpx.Client
) -> None:
    hosts = [new_host() for _ in range(4)]
    for host in hosts:
        world.strike(host, kind="slow", seconds=1.5, when="before")
    documents = [submit(dana, host, 202) for host in hosts[:2]]
    world.add_worker("worker-new")
    documents += [submit(dana, host, 202) for host in hosts[2:]]
    world.end(WORKER)
    for document in documents:
        reached(dana, document, "completed")
    assert [len(world.tickets(host)) for host in hosts] == [1, 1, 1, 1]
    others_go_on(dana)
    world.bring_up(WORKER)
    world.end("worker-new")
    del world.parts["worker-new"]


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        ({"kind": "html-login"}, False),
        ({"kind": "html-login", "status": 302}, False),
        ({"kind": "not-json-201"}, True),
    ],
    ids=["a login page", "a redirect to one", "garbage"],
)
def test_a_jira_that_answers_nonsense_fails_the_request_and_a_retry_leaves_one_ticket(
    world: World, dana: httpx.Client, fault: dict[str, Any], unknown: object
) -> None:
    host = new_host()
    world.strike(host, **fault)
    answer = dana.post("/requests", json=dns(host))
    failed = reached(dana, answer.json(), "failed")
    assert failed["error"]["outcomeUnknown"] is unknown
    world.lift_faults()
    retry(dana, failed)
    assert len(world.tickets(host)) == 1


def test_a_jira_that_is_away_fails_requests_which_wait_and_health_says_so(
    world: World, dana: httpx.Client
) -> None:
    host = new_host()
    world.kill(JIRA)
    failed = reached(dana, dana.post("/requests", json=dns(host)).json(), "failed")
    assert failed["error"]["outcomeUnknown"] is False
    told = health(world)
    assert (told["status"], told["components"]["jira"]["default"]["status"]) == ("degraded", "down")
    world.bring_all_up()
    retry(dana, failed)
    assert len(world.tickets(host)) == 1
