"""What `pao up` configures its services with, and how it waits for them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pao.app.local.processes import ChildProcess, LocalError, Program
from pao.app.local.services import Service, extra_egress, worker_problem


def test_what_a_person_lists_may_be_reached_beside_the_stand_ins() -> None:
    usual = {"PAO_EGRESS_ALLOW": "127.0.0.1:8090,*"}
    assert extra_egress(usual, {}) == usual
    mine = extra_egress(usual, {"PAO_EGRESS_ALLOW": "127.0.0.1:9000"})
    assert mine == {"PAO_EGRESS_ALLOW": "127.0.0.1:8090,*,127.0.0.1:9000"}


ENVIRONMENT = {
    "PAO_MIGRATION_DATABASE_URL": "postgresql://owner:word@db/pao",
    "PAO_SECRET_ACCESS_KEY": "key-of-a-person",
    "GITHUB_TOKEN": "token-of-the-service",
}


@pytest.mark.parametrize(
    ("configured", "seen"), [(True, {"GITHUB_TOKEN", "OWN"}), (False, {"OWN"})]
)
def test_a_child_is_given_no_more_than_it_needs(
    monkeypatch: pytest.MonkeyPatch, seen: set[str], *, configured: bool
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    program = Program(
        name="child", command=["/usr/bin/env"], environment={"OWN": "1"}, configured=configured
    )
    child = ChildProcess(program)
    assert child.wait(20)
    names = {line.partition("=")[0] for line in child.drain()}
    child.stop()
    assert names & {*ENVIRONMENT, "OWN"} == seen


class NotReady(BaseHTTPRequestHandler):
    """A readiness page that names a part that is late."""

    def do_GET(self) -> None:
        body = json.dumps({"ready": False, "problems": ["no worker is polling the task queue"]})
        if self.path == "/shared/api/v1/health":
            error = "workers of another installation poll the same task queue"
            body = json.dumps({"components": {"worker": {"status": "degraded", "error": error}}})
        if self.path == "/alone/api/v1/health":
            body = json.dumps({"components": {"worker": {"status": "ok", "pollers": 1}}})
        self.send_response(200 if "health" in self.path else 503)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), NotReady)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_stack_that_shares_its_task_queue_is_told_so(page: str) -> None:
    assert worker_problem(f"{page}alone") is None
    assert worker_problem("http://127.0.0.1:9") is None
    said = worker_problem(f"{page}shared")
    assert said == "workers of another installation poll the same task queue"


def started(name: str, script: str) -> Service:
    service = Service(name, [], {})
    service.process = ChildProcess(Program(name=name, command=["/bin/sh", "-c", script]))
    return service


def test_a_start_that_takes_too_long_names_the_part_that_is_late(page: str) -> None:
    api, worker = started("api", "sleep 60"), started("worker", "echo loading; sleep 60")
    process = worker.process
    assert process is not None
    while not process.last_lines:
        process.wait(0.05)
    try:
        with pytest.raises(LocalError) as caught:
            api.wait_until_answers(page, needs=(worker,), seconds=0)
    finally:
        api.stop()
        worker.stop()
    assert "worker last said:\n  loading" in str(caught.value)
    assert str(caught.value).splitlines()[-1] == "no worker is polling the task queue"


def test_a_part_that_ends_while_another_waits_for_it_is_named_at_once(page: str) -> None:
    api, worker = started("api", "sleep 60"), started("worker", "exit 3")
    try:
        with pytest.raises(LocalError, match="worker ended with code 3"):
            api.wait_until_answers(page, needs=(worker,))
    finally:
        api.stop()
        worker.stop()
