"""Helpers for outage tests: submit, wait for a status, retry, check health."""

from typing import Any

import httpx

from sandbox.chaos.stack import ChaosStack
from tests.support.stack import wait_until
from tests.support.submissions import dns_body

LONG = 120.0


def submit(client: httpx.Client, host: str, status: int, **headers: str) -> dict[str, Any]:
    answer = client.post("/requests", json=dns_body(host), headers=headers)
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    return document


def wait_for_status(client: httpx.Client, document: dict[str, Any], status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"/requests/{document['id']}").json()
        return found if found["status"] == status and not found["retrying"] else None

    found = wait_until(there, seconds=LONG)
    assert found is not None
    return found


def assert_others_continue(client: httpx.Client) -> None:
    answer = client.post("/requests", json=dns_body())
    assert answer.is_success, answer.text
    wait_for_status(client, answer.json(), "completed")


def retry(client: httpx.Client, document: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/requests/{document['id']}/retry", json={"reason": "it is back"})
    assert answer.is_success, answer.text
    return wait_for_status(client, document, "completed")


def health(stack: ChaosStack) -> dict[str, Any]:
    answer = httpx.get(f"{stack.url}/api/v1/health", timeout=60, trust_env=False)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def readiness(stack: ChaosStack) -> int:
    url = f"{stack.url}/api/v1/health/ready"
    return httpx.get(url, timeout=60, trust_env=False).status_code
