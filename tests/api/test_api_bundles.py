"""Bundles over HTTP: one request, a request of its own for each component, one tree to read."""

import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import ADA, DANA
from tests.support.postgres import cloned_database
from tests.support.stack import SAMPLES, Stack, running_stack, wait_until
from tests.support.submissions import add_fault, error_of

BUNDLE = "bundle-webapp-standard"
COMPONENTS = ["app-db", "app-namespace", "app-name"]


def webapp(name: str | None = None, **fields: Any) -> dict[str, Any]:
    app = name or f"app-{secrets.token_hex(5)}"
    return {"catalogItemId": BUNDLE, "fields": {"appName": app, **fields}}


def submit_and_wait(client: httpx.Client, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Submit and wait until it has settled; a busy machine may take longer than an answer waits."""
    answer = client.post("/requests", json=body, headers={"Prefer": "wait=20", **headers})
    assert answer.status_code in {200, 201, 202}, answer.text
    document: dict[str, Any] = answer.json()

    def there() -> dict[str, Any]:
        found = get(client, document["id"])
        return {} if found["status"] in {"submitted", "in_progress"} else found

    return wait_until(there) if answer.status_code == httpx.codes.ACCEPTED else document


def get(client: httpx.Client, request_id: str) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"/requests/{request_id}").json()
    return document


def component(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["components"] if one["id"] == name)


def statuses(document: dict[str, Any]) -> list[str]:
    return [one["status"] for one in document["components"]]


def decide(client: httpx.Client, request_id: str, decision: str, **body: Any) -> httpx.Response:
    return client.post(f"/requests/{request_id}/{decision}", json={"reason": "a test", **body})


def wait_for_status(client: httpx.Client, request_id: str, status: str) -> dict[str, Any]:
    def there() -> dict[str, Any]:
        document = get(client, request_id)
        at_rest = document["status"] == status and not document["retrying"]
        return document if at_rest else {}

    return wait_until(there)


def broken(stack: Stack, client: httpx.Client, text: str, times: int = 1) -> dict[str, Any]:
    """Submit a bundle one of whose tickets is refused by JIRA."""
    app = f"app-{secrets.token_hex(5)}"
    add_fault(stack, text.format(app=app), "status", status=400, times=times)
    document = submit_and_wait(client, webapp(app))
    assert document["status"] == "failed", document
    return document


NAMESPACE = "Namespace {app} on"


def test_a_bundle_runs_its_components_in_order_and_hands_their_outputs_on(
    dana: httpx.Client,
) -> None:
    document = submit_and_wait(dana, webapp())

    assert document["status"] == "completed", document["error"]
    assert [one["id"] for one in document["components"]] == COMPONENTS
    assert statuses(document) == ["completed"] * 3
    keys = [one["actions"][0]["externalReference"] for one in document["components"]]
    name = get(dana, component(document, "app-name")["requestId"])
    assert name["fields"]["text"] == f"database {keys[0]}, namespace {keys[1]}"
    assert name["parentId"] == document["id"]


def test_a_failed_component_holds_its_dependents_until_it_is_fixed_and_the_bundle_goes_on(
    stack: Stack, dana: httpx.Client
) -> None:
    document = broken(stack, dana, NAMESPACE)

    assert statuses(document) == ["completed", "failed", "submitted"]
    namespace = component(document, "app-namespace")
    full = get(dana, document["id"])
    assert full["errorContext"]["failedComponents"][0]["requestId"] == namespace["requestId"]
    resources = full["errorContext"]["partialResources"]
    assert [one["component"] for one in resources] == ["app-db"]

    refused = decide(dana, document["id"], "retry")
    assert refused.status_code == 409
    assert namespace["requestId"] in error_of(refused)["message"]

    early = decide(dana, component(document, "app-name")["requestId"], "abort")
    assert "has not started" in error_of(early)["message"]

    assert decide(dana, namespace["requestId"], "retry").status_code == 200
    fixed = wait_for_status(dana, document["id"], "completed")
    assert statuses(fixed) == ["completed"] * 3
    assert fixed["error"] is None


def test_the_tickets_of_dependent_components_are_linked_once(
    stack: Stack, dana: httpx.Client
) -> None:
    app = f"app-{secrets.token_hex(5)}"
    stack.jira.fault("status", status=503, match={"method": "POST", "path": "/issueLink"})
    document = submit_and_wait(dana, webapp(app))

    assert document["status"] == "failed"
    assert statuses(document) == ["completed"] * 3
    [link] = document["actions"]
    assert (link["id"], link["status"]) == ("bundle.links", "failed")

    assert decide(dana, document["id"], "retry").status_code == 200
    done = wait_for_status(dana, document["id"], "completed")
    keys = [one["actions"][0]["externalReference"] for one in done["components"]]
    links = [ticket["links"] for ticket in stack.jira.tickets() if ticket["key"] in keys]
    assert [len(one) for one in links] == [1, 2, 1]


def test_an_aborted_component_keeps_its_dependents_back_and_the_bundle_is_ended_by_a_human(
    stack: Stack, dana: httpx.Client
) -> None:
    document = broken(stack, dana, NAMESPACE)
    namespace = component(document, "app-namespace")["requestId"]

    assert decide(dana, namespace, "abort").status_code == 200

    def told() -> bool:
        context = get(dana, document["id"])["errorContext"]
        return bool(context["failedComponents"][0]["status"] == "aborted")

    wait_until(told)
    held = get(dana, document["id"])
    assert (held["status"], statuses(held)) == ("failed", ["completed", "aborted", "submitted"])
    assert held["possibleDecisions"] == ["abort", "escalate"]
    assert decide(dana, namespace, "retry").status_code == 409
    assert decide(dana, document["id"], "retry").status_code == 409

    ended = decide(dana, document["id"], "abort")
    assert ended.status_code == 200, ended.text
    assert statuses(ended.json()) == ["completed", "aborted", "aborted"]
    name = get(dana, component(document, "app-name")["requestId"])
    assert name["actions"][0]["status"] == "pending"
    assert name["decisions"][0]["by"] == "dana"


def test_what_the_components_of_an_aborted_bundle_have_left_is_marked_on_the_bundle(
    stack: Stack, dana: httpx.Client
) -> None:
    document = broken(stack, dana, NAMESPACE)
    decide(dana, document["id"], "abort")
    ended = wait_for_status(dana, document["id"], "aborted")
    made = ended["errorContext"]["cleanup"]
    [entry] = [one for one in made if one["component"] == "app-db"]
    assert component(ended, "app-db")["status"] == "completed"

    path = f"/requests/{document['id']}/cleanup/{entry['entryId']}"
    answer = dana.post(path, json={"note": "closed the ticket"})

    assert answer.status_code == 200, answer.text
    done = {one["entryId"]: one["done"] for one in answer.json()["errorContext"]["cleanup"]}
    assert done.pop(entry["entryId"])["note"] == "closed the ticket"
    assert set(done.values()) <= {None}
    trail = "select request_id::text from audit_logs where reason = 'closed the ticket'"
    assert [row["request_id"] for row in stack.rows(trail)] == [entry["requestId"]]


def test_a_component_that_fails_twice_is_escalated_with_its_bundle_by_one_ticket(
    stack: Stack, dana: httpx.Client
) -> None:
    document = broken(stack, dana, NAMESPACE, times=2)
    namespace = component(document, "app-namespace")["requestId"]
    decide(dana, namespace, "retry")
    again = wait_for_status(dana, namespace, "failed")
    assert again["actions"][0]["attempt"] == 2
    wait_for_status(dana, document["id"], "failed")

    ended = decide(dana, document["id"], "escalate")
    assert ended.status_code == 200, ended.text
    tree = ended.json()
    assert statuses(tree) == ["completed", "escalated", "escalated"]
    key = tree["escalation"]["ticketKey"]
    child = get(dana, namespace)
    assert child["escalation"]["ticketKey"] == key
    [ticket] = [one for one in stack.jira.tickets() if one["key"] == key]
    for told in ("h2. Components", '"bundle"', '"failure"', namespace):
        assert told in ticket["description"]


def test_twenty_parallel_submissions_with_one_key_make_one_bundle(
    dana: httpx.Client,
) -> None:
    body, headers = webapp(), {"Idempotency-Key": secrets.token_hex(8), "Prefer": "wait=20"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: dana.post("/requests", json=body, headers=headers), range(20))
        )

    assert {answer.status_code for answer in answers} <= {200, 201, 202}
    [request_id] = {answer.json()["id"] for answer in answers}
    correlation = dana.get(f"/requests/{request_id}").json()["correlationId"]
    for parent in (request_id, request_id[:8], correlation):
        children = dana.get("/requests", params={"parent": parent}).json()["data"]
        assert {one["parentId"] for one in children} == {request_id}
    assert dana.get(f"/requests/{correlation}").json()["id"] == request_id
    assert len(children) == len(COMPONENTS)
    correlation = wait_for_status(dana, request_id, "completed")["correlationId"]
    listed = dana.get("/requests", params={"correlationId": correlation}).json()["data"]
    assert [one["id"] for one in listed] == [request_id]


def test_a_terminated_bundle_waits_in_failed_learns_what_came_meanwhile_and_goes_on(
    stack: Stack, dana: httpx.Client
) -> None:
    document = broken(stack, dana, NAMESPACE)
    namespace = component(document, "app-namespace")["requestId"]
    handle = stack.temporal.get_workflow_handle(f"request-{document['id']}")
    run = stack.run(handle.describe()).run_id
    stack.run(handle.terminate(reason="a test"))
    decide(dana, namespace, "retry")
    wait_for_status(dana, namespace, "completed")

    def fixed() -> bool:
        stack.run(
            stack.temporal.execute_workflow(
                "ReconcileWorkflow",
                id=f"reconcile-{secrets.token_hex(4)}",
                task_queue=stack.task_queue,
            )
        )
        return bool(stack.run(handle.describe()).run_id != run)

    wait_until(fixed)
    wait_until(
        lambda: "terminated" in (get(dana, document["id"])["error"] or {}).get("message", "")
    )
    assert statuses(get(dana, document["id"])) == ["completed", "completed", "submitted"]
    assert decide(dana, document["id"], "retry").status_code == 200
    assert statuses(wait_for_status(dana, document["id"], "completed")) == ["completed"] * 3


def test_status_log_and_dry_run_show_the_whole_tree(stack: Stack, dana: httpx.Client) -> None:
    document = broken(stack, dana, NAMESPACE)

    status = dana.get(f"/requests/{document['id']}/status").json()
    assert [one["status"] for one in status["components"]] == statuses(document)
    assert [one["component"] for one in status["tickets"]] == ["app-db"]
    assert {one.get("component") for one in status["currentActions"]} == {"app-namespace"}
    lines = dana.get(f"/requests/{document['id']}/logs", params={"limit": 200}).json()["data"]
    assert {one.get("component") for one in lines} == {None, "app-db", "app-namespace"}

    shown = dana.post("/validate/request", json=webapp("orders")).json()
    assert component(shown, "app-db")["fields"]["instanceName"] == "orders-db"
    assert shown["components"][2]["waiting"] == ["text"]
    assert shown["components"][0]["actions"][0]["complete"] is True


def test_what_a_component_does_not_take_is_refused_before_anything_is_stored(
    dana: httpx.Client,
) -> None:
    answer = dana.post("/requests", json=webapp(storageSize=25))

    assert answer.status_code == 422
    assert error_of(answer)["details"][0]["field"] == "fields.storageSize"


def test_a_change_of_the_catalog_after_submission_does_not_reach_a_component(
    postgres_address: PostgresAddress, temporal_address: str, tmp_path: Path
) -> None:
    catalog = tmp_path / "files"
    shutil.copytree(SAMPLES, catalog)
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, tmp_path, catalog=catalog) as own,
    ):
        client = own.caller(DANA)
        document = broken(own, client, NAMESPACE)
        file = catalog / "network" / "network-dns-record.yaml"
        text = file.read_text()
        file.write_text(text.replace("project: NET", "project: DB").replace("1.1.0", "1.2.0"))
        assert own.caller(ADA).post("/catalog/refresh").status_code == 200
        decide(client, component(document, "app-namespace")["requestId"], "retry")
        done = wait_for_status(client, document["id"], "completed")

    name = component(done, "app-name")
    assert name["catalogItemVersion"] == "1.1.0"
    assert name["actions"][0]["externalReference"].startswith("NET-")


def test_who_may_not_request_a_component_may_not_request_the_bundle(
    postgres_address: PostgresAddress, temporal_address: str, tmp_path: Path
) -> None:
    catalog = tmp_path / "files"
    shutil.copytree(SAMPLES, catalog)
    file = catalog / "network" / "network-dns-record.yaml"
    teams = "  access: {allowedTeams: [team-network]}\n  tags: [dns, network]"
    file.write_text(file.read_text().replace("  tags: [dns, network]", teams))
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database, temporal_address, tmp_path, catalog=catalog, with_worker=False
        ) as own,
    ):
        refused = own.caller(DANA).post("/requests", json=webapp())
        stored = own.rows("SELECT count(*) AS n FROM requests")

    assert refused.status_code == 403
    assert "team-network" in error_of(refused)["message"]
    assert stored == [{"n": 0}]
