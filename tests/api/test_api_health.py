"""Health, readiness, version and metrics: open to probes, honest when a part is away."""

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.stack import SAMPLE_COUNT, Stack, wait_until
from tests.support.submitting import completed, dns, failed


@pytest.fixture
def probe(stack: Stack) -> httpx.Client:
    return stack.anybody()


@pytest.fixture
def jira_away(stack: Stack) -> Iterator[Stack]:
    port = stack.jira.port
    stack.jira.stop()
    yield stack
    stack.jira.start(port=port)


def test_everything_is_well(stack: Stack, probe: httpx.Client) -> None:
    document = wait_until(
        lambda: (found := probe.get("/health").json())["status"] == "ok" and found
    )
    parts = document["components"]
    assert parts["database"]["status"] == "ok"
    assert parts["database"]["latencyMs"] > 0
    assert parts["temporal"]["status"] == "ok"
    assert parts["worker"]["pollers"] >= 1
    assert parts["jira"]["default"]["status"] == "ok"
    assert parts["catalog"]["items"] == SAMPLE_COUNT
    assert parts["catalog"]["stale"] == 0
    assert parts["mirror"]["lagSeconds"] < 60
    tasks = {"catalog-refresh", "catalog-changes", "request-notifications"}
    assert tasks <= parts["tasks"].keys()
    assert {one["restarts"] for one in parts["tasks"].values()} == {0}
    assert probe.get("/health/ready").json() == {"ready": True, "problems": []}
    assert stack.settings.jira.api_token is not None
    assert stack.settings.jira.api_token.get_secret_value() not in str(document)


def test_a_target_that_is_left_alone_shows_with_its_next_try(
    stack: Stack, probe: httpx.Client
) -> None:
    stack.rows(
        "INSERT INTO circuit_breakers (target, failures, last_error, retry_at) "
        "VALUES ('api.example.com', 5, 'It answered 503.', now() + interval '1 hour') "
        "RETURNING target"
    )
    document = probe.get("/health").json()
    shown = document["components"]["breakers"]["api.example.com"]
    assert document["status"] == "degraded"
    assert (shown["state"], shown["failures"]) == ("open", 5)
    assert shown["lastError"] == "It answered 503."
    assert shown["nextTryAt"].endswith("Z")
    stack.rows("DELETE FROM circuit_breakers RETURNING target")
    assert probe.get("/health").json()["components"]["breakers"] == {}


def test_an_absent_jira_degrades_and_does_not_stop_submissions_from_being_taken(
    jira_away: Stack,
) -> None:
    probe, dana = jira_away.anybody(), jira_away.caller()
    health = probe.get("/health")
    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["components"]["jira"]["default"]["status"] == "down"
    assert probe.get("/health/ready").status_code == 200

    document = dana.post("/requests", json=dns()).json()
    assert document["status"] == "failed"
    assert document["error"]["code"] == "EXTERNAL_SERVICE_ERROR"
    assert document["error"]["outcomeUnknown"] is False
    assert document["error"]["retryable"] is True
    refused = dana.post(f"/requests/{document['id']}/escalate", json={"reason": "x"})
    assert refused.status_code == 502
    assert dana.get(f"/requests/{document['id']}").json()["status"] == "failed"


def test_a_live_status_says_why_it_is_not_live(stack: Stack, dana: httpx.Client) -> None:
    document = completed(dana)
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
    completed(dana)
    document = failed(stack, dana)
    for _ in range(2):
        dana.post(f"/requests/{document['id']}/abort", json={"reason": "x"})
    after = read()
    for name in (good, bad, decided, refused):
        assert after[name] == before.get(name, 0) + 1, name
    assert after[("pao_catalog_items",)] == SAMPLE_COUNT


def test_metrics_tell_what_is_stored_and_what_waits(
    stack: Stack, dana: httpx.Client, probe: httpx.Client
) -> None:
    completed(dana)

    def read() -> dict[str, float]:
        text = probe.get("/metrics").text
        return {
            f"{sample.name} {' '.join(sorted(sample.labels.values()))}".strip(): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    stack.services.measures.forget()
    told = read()
    [stored] = stack.rows(
        "select count(*) from requests where status = 'completed'"
        " and catalog_item_id = 'network-dns-record'"
    )
    assert told["pao_requests completed network-dns-record"] == stored["count"]
    assert told["pao_mirror_lag_seconds"] == 0
    queue = stack.task_queue
    assert told[f"pao_task_queue_pollers {queue} workflow"] == 1
    assert told[f"pao_task_queue_backlog activity {queue}"] == 0
    for other in (f"{queue}-slow", f"{queue}-waits"):
        assert told[f"pao_task_queue_backlog activity {other}"] == 0
        assert told[f"pao_task_queue_pollers activity {other}"] == 1
        # Nobody polls these for workflows: a 0 there would look like an outage.
        assert not [name for name in told if other in name and "workflow" in name]


def test_metrics_have_no_label_that_callers_choose(dana: httpx.Client, probe: httpx.Client) -> None:
    strange = "strange-path-of-a-caller"
    dana.get(f"/{strange}")
    dana.get(f"/requests/{strange}")
    dana.post("/requests", json={"catalogItemId": strange})
    dana.request(strange.upper(), "/catalog")
    text = probe.get("/metrics").text
    assert strange not in text
    assert strange.upper() not in text
    assert 'route="/requests/{request_id}"' in text


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/version", "/metrics"])
def test_probes_need_no_signature_and_tell_no_address(
    stack: Stack, probe: httpx.Client, path: str
) -> None:
    answer = probe.get(path)
    assert answer.status_code == 200
    assert stack.database.service_url not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
