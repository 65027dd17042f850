"""Bundles over HTTP: one request, a request of its own for each component, one tree to read."""

import secrets
from typing import Any

import httpx

from tests.support.stack import Stack, wait_until
from tests.support.submitting import error, strike

BUNDLE = "bundle-webapp-standard"
COMPONENTS = ["app-db", "app-namespace", "app-name"]


def webapp(name: str | None = None, **fields: Any) -> dict[str, Any]:
    app = name or f"app-{secrets.token_hex(5)}"
    return {"catalogItemId": BUNDLE, "fields": {"appName": app, **fields}}


def submitted(client: httpx.Client, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = client.post("/requests", json=body, headers={"Prefer": "wait=20", **headers})
    assert answer.status_code in {200, 201}, answer.text
    document: dict[str, Any] = answer.json()
    return document


def get(client: httpx.Client, request_id: str) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"/requests/{request_id}").json()
    return document


def component(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["components"] if one["id"] == name)


def statuses(document: dict[str, Any]) -> list[str]:
    return [one["status"] for one in document["components"]]


def decide(client: httpx.Client, request_id: str, decision: str, **body: Any) -> httpx.Response:
    return client.post(f"/requests/{request_id}/{decision}", json={"reason": "a test", **body})


def reached(client: httpx.Client, request_id: str, status: str) -> dict[str, Any]:
    def there() -> dict[str, Any]:
        document = get(client, request_id)
        at_rest = document["status"] == status and not document["retrying"]
        return document if at_rest else {}

    return wait_until(there)


def broken(stack: Stack, client: httpx.Client, text: str, times: int = 1) -> dict[str, Any]:
    """Submit a bundle one of whose tickets is refused by JIRA."""
    app = f"app-{secrets.token_hex(5)}"
    strike(stack, text.format(app=app), "status", status=400, times=times)
    document = submitted(client, webapp(app))
    assert document["status"] == "failed", document
    return document


NAMESPACE = "Namespace {app} on"


def test_a_bundle_runs_its_components_in_order_and_hands_their_outputs_on(
    dana: httpx.Client,
) -> None:
    document = submitted(dana, webapp())

    assert document["status"] == "completed", document["error"]
    assert [one["id"] for one in document["components"]] == COMPONENTS
    assert statuses(document) == ["completed"] * 3
    keys = [one["actions"][0]["externalReference"] for one in document["components"]]
    name = get(dana, component(document, "app-name")["requestId"])
    assert name["fields"]["text"] == f"database {keys[0]}, namespace {keys[1]}"
    assert name["parentId"] == document["id"]


def test_a_failed_component_holds_its_dependents_until_it_is_mended_and_the_bundle_goes_on(
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
    assert namespace["requestId"] in error(refused)["message"]

    assert decide(dana, namespace["requestId"], "retry").status_code == 200
    mended = reached(dana, document["id"], "completed")
    assert statuses(mended) == ["completed"] * 3
    assert mended["error"] is None
