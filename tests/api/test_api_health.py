"""Health, readiness, version and metrics: open to probes, honest when a part is away."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pao.runtime.version import VERSION
from tests.support.postgres import Database
from tests.support.raw_servers import raw_server
from tests.support.stack import SAMPLE_COUNT, Stack, running_stack, wait_until
from tests.support.submissions import dns_body, submit_completed, submit_failed


@pytest.fixture
def probe(stack: Stack) -> httpx.Client:
    return stack.anybody()


@pytest.fixture
def jira_away(stack: Stack) -> Iterator[Stack]:
    port = stack.jira.port
    stack.jira.stop()
    stack.services.health.forget()
    yield stack
    stack.jira.start(port=port)
    stack.services.health.forget()


def test_everything_is_well(stack: Stack, probe: httpx.Client) -> None:
    seen: list[dict[str, Any]] = []

    def well() -> bool:
        seen.append(probe.get("/health").json())
        return bool(seen[-1]["status"] == "ok")

    try:
        wait_until(well)
    except AssertionError:
        pytest.fail(f"not well: {seen[-1]}")
    document = seen[-1]
    parts = document["components"]
    assert parts["database"]["status"] == "ok"
    assert parts["database"]["latencyMs"] > 0
    assert parts["temporal"]["status"] == "ok"
    assert parts["worker"]["pollers"] >= 1
    assert parts["jira"]["default"]["status"] == "ok"
    assert parts["catalog"]["items"] == SAMPLE_COUNT
    assert parts["catalog"]["stale"] == 0
    assert parts["mirror"]["lagSeconds"] < 60
    tasks = {"catalog-changes", "request-notifications"}
    assert tasks <= parts["tasks"].keys()
    assert {one["restarts"] for one in parts["tasks"].values()} == {0}
    assert probe.get("/health/ready").json() == {"ready": True, "problems": []}
    assert stack.settings.jira.api_token is not None
    assert stack.settings.jira.api_token.get_secret_value() not in str(document)


@contextmanager
def failing_targets(stack: Stack, *rows: tuple[str, str, bool]) -> Iterator[None]:
    """Have breakers be open: of which target, for which item, and named or not."""
    for target, item, named in rows:
        stack.rows(
            "INSERT INTO breakers (target, item, named, failures, last_error, retry_at) "
            "VALUES ($1, $2, $3, 5, 'It answered 503.', now() + interval '1 hour') "
            "RETURNING target",
            target,
            item,
            named,
        )
    stack.services.measures.forget()
    yield
    stack.rows("DELETE FROM breakers RETURNING target")
    stack.services.measures.forget()


def test_a_target_that_is_left_alone_shows_with_its_next_try(
    stack: Stack, probe: httpx.Client
) -> None:
    with failing_targets(stack, ("api.example.com", "", True)):
        document = probe.get("/health").json()
    shown = document["components"]["breakers"]["api.example.com"]
    assert document["status"] == "degraded"
    assert (shown["state"], shown["failures"]) == ("open", 5)
    assert shown["lastError"] == "It answered 503."
    assert shown["nextTryAt"].endswith("Z")
    assert probe.get("/health").json()["components"]["breakers"] == {}


def test_items_that_are_kept_from_a_target_are_counted(stack: Stack, probe: httpx.Client) -> None:
    rows = (("api.example.com", "one-item", True), ("api.example.com", "other-item", True))
    with failing_targets(stack, *rows):
        shown = probe.get("/health").json()["components"]["breakers"]
    assert (shown["api.example.com"]["state"], shown["api.example.com"]["itemsLeftAlone"]) == (
        "open",
        2,
    )


def test_hosts_that_requesters_typed_are_counted_and_never_shown(
    stack: Stack, probe: httpx.Client
) -> None:
    rows = [(f"typed-{number}.example.com", "one-item", False) for number in range(3)]
    with failing_targets(stack, *rows):
        health, metrics = probe.get("/health"), probe.get("/metrics")
    assert "typed-" not in health.text + metrics.text
    assert health.json()["components"]["breakers"]["other"]["leftAlone"] == 3
    assert 'pao_circuit_breaker_open{target="other"} 3.0' in metrics.text


def test_breakers_that_cannot_be_read_are_no_longer_measured(
    stack: Stack, probe: httpx.Client
) -> None:
    with failing_targets(stack, ("api.example.com", "", True)):
        assert 'pao_circuit_breaker_open{target="api.example.com"}' in probe.get("/metrics").text
        stack.services.measures.forget()
        stack.rows("REVOKE SELECT ON breakers FROM pao_service")
        try:
            told = probe.get("/metrics").text
        finally:
            stack.rows("GRANT SELECT ON breakers TO pao_service")
    assert "pao_circuit_breaker_open{" not in told


def test_health_asks_a_silent_jira_once_and_readiness_never(
    database: Database, temporal_address: str, tmp_path: Path
) -> None:
    def silent(_connection: socket.socket, _request: bytes) -> None:
        jira.over.wait()

    with (
        raw_server(silent) as jira,
        running_stack(
            database, temporal_address, tmp_path, environ={"JIRA_BASE_URL": jira.url}
        ) as stack,
    ):
        anybody = stack.anybody()
        wait_until(lambda: anybody.get("/health/ready").status_code == 200)
        assert jira.count == 0
        first = anybody.get("/health").json()["components"]["jira"]["default"]
        assert first == {"status": "checking", "latencyMs": None, "checkedAt": None}
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: anybody.get("/health"), range(16)))
        assert {one.status_code for one in answers} == {200}
        assert jira.count == 1


def test_an_absent_jira_degrades_and_does_not_stop_submissions_from_being_taken(
    jira_away: Stack,
) -> None:
    probe, dana = jira_away.anybody(), jira_away.caller()
    document = wait_until(
        lambda: (found := probe.get("/health").json())["status"] == "degraded" and found
    )
    assert document["components"]["jira"]["default"]["status"] == "down"
    assert probe.get("/health/ready").status_code == 200

    document = dana.post("/requests", json=dns_body()).json()
    assert document["status"] == "failed"
    assert document["error"]["code"] == "EXTERNAL_SERVICE_ERROR"
    assert document["error"]["outcomeUnknown"] is False
    assert document["error"]["retryable"] is True
    refused = dana.post(f"/requests/{document['id']}/escalate", json={"reason": "x"})
    assert refused.status_code == 502
    assert dana.get(f"/requests/{document['id']}").json()["status"] == "failed"


def test_a_live_status_says_why_it_is_not_live(stack: Stack, dana: httpx.Client) -> None:
    document = submit_completed(dana)
    port = stack.jira.port
    stack.jira.stop()
    try:
        [ticket] = dana.get(f"/requests/{document['id']}/status").json()["tickets"]
    finally:
        stack.jira.start(port=port)
    assert ticket["live"] is False
    assert ticket["error"]
    [ticket] = dana.get(f"/requests/{document['id']}/status").json()["tickets"]
    assert ticket["live"] is True


def test_the_version_is_told(probe: httpx.Client) -> None:
    document = probe.get("/version").json()
    assert {"version", "gitSha", "buildTime", "schemaVersion"} <= set(document)


def test_metrics_are_prometheus_text_and_count(
    stack: Stack, dana: httpx.Client, probe: httpx.Client
) -> None:
    def read() -> dict[tuple[str, ...], float]:
        answer = probe.get("/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain")
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    good = ("pao_requests_submitted_total", "completed", "network-dns-record")
    bad = ("pao_requests_submitted_total", "failed", "network-dns-record")
    decided = ("pao_decisions_total", "abort", "done")
    refused = ("pao_decisions_total", "abort", "refused")
    before = read()
    submit_completed(dana)
    document = submit_failed(stack, dana)
    for _ in range(2):
        dana.post(f"/requests/{document['id']}/abort", json={"reason": "x"})

    def counted() -> dict[tuple[str, ...], float]:
        after = read()
        return {
            name: after.get(name, 0) - before.get(name, 0) for name in (good, bad, decided, refused)
        }

    wait_until(lambda: set(counted().values()) == {1.0})
    assert read()[("pao_catalog_items",)] == SAMPLE_COUNT


def test_metrics_count_who_was_let_in_and_who_was_not(
    stack: Stack, dana: httpx.Client, probe: httpx.Client
) -> None:
    def read(line: str) -> float:
        found = re.search(rf"^{re.escape(line)} (\S+)$", probe.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    called = 'pao_identifications_total{outcome="%s",source="%s"}'
    signed_in = 'pao_sign_ins_total{outcome="%s",way="link"}'
    lines = [
        called % ("accepted", "keys"),
        called % ("missing", "none"),
        called % ("malformed", "keys"),
        signed_in % "opened",
        signed_in % "code",
    ]
    before = [read(line) for line in lines]
    code = str(dana.post("/web-sign-ins").json()["url"]).rpartition("#")[2]
    probe.get("/requests")
    probe.get("/requests", headers={"Authorization": "AWS4-HMAC-SHA256 nonsense"})
    form = {"code": code, "confirmed": "yes", "to": "/"}
    for _ in range(2):
        probe.post(f"{stack.url}/signin", data=form, headers={"Origin": stack.url})
    assert [read(line) - one for line, one in zip(lines, before, strict=True)] == [1.0] * 5


def test_metrics_tell_what_is_stored_and_what_waits(
    stack: Stack, dana: httpx.Client, probe: httpx.Client
) -> None:
    submit_completed(dana)

    def read() -> dict[str, float]:
        text = probe.get("/metrics").text
        return {
            f"{sample.name} {' '.join(sorted(sample.labels.values()))}".strip(): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    queue = stack.task_queue
    queues = (queue, f"{queue}-slow", f"{queue}-waits")

    def at_rest() -> dict[str, float]:
        """Ask until Temporal's own figures, which lag, tell of nothing that waits."""
        stack.services.measures.forget()
        found = read()
        waiting = [found[f"pao_task_queue_backlog activity {one}"] for one in queues]
        polled = [found[f"pao_task_queue_pollers activity {one}"] for one in queues]
        return found if not any(waiting) and min(polled) >= 1 else {}

    told = wait_until(at_rest)
    assert told["pao_database_connections in_use"] >= 0
    assert told["pao_database_connections_max"] == 20
    assert told["pao_database_waiting"] == 0
    assert told["process_resident_memory_bytes"] > 0
    assert not [name for name in told if name.partition(" ")[0].endswith("_created")]
    [build] = [name for name in told if name.startswith("pao_build_info")]
    assert VERSION in build
    [stored] = stack.rows(
        "select count(*) from requests where status = 'completed'"
        " and catalog_item_id = 'network-dns-record'"
    )
    assert told["pao_requests completed network-dns-record"] == stored["count"]
    assert told["pao_mirror_lag_seconds"] == 0
    assert told[f"pao_task_queue_pollers {queue} workflow"] == 1
    for other in queues[1:]:
        assert told[f"pao_task_queue_pollers activity {other}"] == 1
        # Nobody polls these for workflows: a 0 there would look like an outage.
        assert not [name for name in told if other in name and "workflow" in name]


def test_metrics_tell_how_long_the_oldest_request_has_waited_for_a_person(
    stack: Stack, dana: httpx.Client, probe: httpx.Client
) -> None:
    def waited() -> float:
        stack.services.measures.forget()
        [line] = [
            line
            for line in probe.get("/metrics").text.splitlines()
            if line.startswith("pao_oldest_waiting_seconds ")
        ]
        return float(line.split()[1])

    submit_failed(stack, dana)

    [oldest] = stack.rows("SELECT min(waiting_since) AS since FROM requests")
    age = (datetime.now(UTC) - oldest["since"]).total_seconds()
    assert age <= waited() < age + 60


def test_metrics_have_no_label_that_callers_choose(dana: httpx.Client, probe: httpx.Client) -> None:
    strange = "strange-path-of-a-caller"
    dana.get(f"/{strange}")
    dana.get(f"/requests/{strange}")
    dana.post("/requests", json={"catalogItemId": strange})
    dana.request(strange.upper(), "/catalog")
    # One that is known to HTTP, and to nobody here.
    dana.request("MKCOL", "/catalog")

    def counted() -> str:
        """Read them once the calls are in them: they are counted when they have been answered."""
        found = probe.get("/metrics").text
        wanted = ('route="/requests/{request_id}"', 'method="other"')
        return found if all(one in found for one in wanted) else ""

    text = wait_until(counted)
    assert strange not in text
    assert strange.upper() not in text
    assert "MKCOL" not in text


@pytest.mark.parametrize(
    "path", ["/health", "/health/live", "/health/ready", "/version", "/metrics"]
)
def test_probes_need_no_signature_and_tell_no_address(
    stack: Stack, probe: httpx.Client, path: str
) -> None:
    answer = probe.get(path)
    assert answer.status_code == 200
    assert stack.database.service_url not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
