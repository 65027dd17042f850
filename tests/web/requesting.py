"""Requests that tests of the pages begin with, submitted by the API."""

from typing import Any

from tests.support.callers import DANA, Person
from tests.support.stack import Stack, wait_until


def submit(stack: Stack, item: str, requester: Person = DANA, /, **fields: Any) -> dict[str, Any]:
    body = {"catalogItemId": item, "fields": fields}
    answer = stack.caller(requester).post("/requests", json=body)
    assert answer.status_code in {201, 202}, answer.text
    return dict(answer.json())


def dns(stack: Stack, name: str) -> dict[str, Any]:
    return submit(stack, "network-dns-record", hostName=name, address="10.0.0.7")


def wait_until_failed(stack: Stack, made: dict[str, Any]) -> dict[str, Any]:
    """Wait until a request has failed, however long that takes; return it as it is then."""

    def found() -> dict[str, Any] | None:
        document: dict[str, Any] = stack.caller(DANA).get(f"/requests/{made['id']}").json()
        return document if document["status"] == "failed" else None

    document = wait_until(found)
    assert document is not None
    return document


def final(stack: Stack, request_id: str) -> dict[str, Any]:
    """Wait until a request has ended, and return it."""

    def ended() -> dict[str, Any] | None:
        document: dict[str, Any] = stack.caller(DANA).get(f"/requests/{request_id}").json()
        return document if document["status"] in {"completed", "aborted", "escalated"} else None

    found = wait_until(ended)
    assert found is not None
    return found


def submit_for_approval(stack: Stack, requester: Person = DANA) -> str:
    """Submit a request that waits for an approval; return its id once people are asked."""
    item, purpose = "access-production-account", "to see how it is watched"
    made = submit(stack, item, requester, purpose=purpose)

    def waits() -> bool:
        document = stack.caller(requester).get(f"/requests/{made['id']}").json()
        return any(one["status"] == "waiting" for one in document["actions"])

    wait_until(waits)
    return str(made["id"])
