"""Submissions for tests of the interfaces: a DNS record with a new host name."""

import secrets
from typing import Any

import httpx

from tests.support.stack import Stack

ITEM = "network-dns-record"


def new_host() -> str:
    """Return a host name that no other test uses, so that a fault affects one request only."""
    return f"host-{secrets.token_hex(6)}.example.com"


def dns_body(host: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return the body of a submission; ``fields`` are added."""
    values = {"hostName": host or new_host(), "address": "10.0.0.1", **fields}
    return {"catalogItemId": ITEM, "fields": values}


def submit(
    client: httpx.Client, body: dict[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    """Submit, assert 201 even on a busy machine, and return the document."""
    given = {"Prefer": "wait=20", **headers}
    answer = client.post("/requests", json=body or dns_body(), headers=given)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def submit_completed(client: httpx.Client) -> dict[str, Any]:
    """Submit a request that completes."""
    document = submit(client)
    assert document["status"] == "completed", document["error"]
    return document


def submit_failed(
    stack: Stack, client: httpx.Client, kind: str = "status", **fault: Any
) -> dict[str, Any]:
    """Submit a request whose ticket JIRA refuses once with 400, or that meets another fault."""
    host = new_host()
    settings = {"status": 400} if kind == "status" else {}
    add_fault(stack, host, kind, **settings, **fault)
    document = submit(client, dns_body(host))
    assert document["status"] == "failed", document
    return document


def add_fault(stack: Stack, text: str, kind: str, **settings: Any) -> None:
    """Add a fault for creations of tickets whose summary contains ``text``."""
    match = {"method": "POST", "path": "/issue$", "summaryContains": text}
    stack.jira.fault(kind, match=match, **settings)


def tickets_of(stack: Stack, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tickets that carry a request's correlation id, escalations included."""
    wanted = document["correlationId"]
    return [ticket for ticket in stack.jira.tickets() if wanted in ticket["description"]]


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the content of an error response, after checking its shape."""
    document = answer.json()
    assert set(document) == {"error"}, document
    content: dict[str, Any] = document["error"]
    assert set(content) == {"code", "message", "details", "correlationId", "timestamp"}
    assert content["correlationId"] == answer.headers["X-Correlation-ID"]
    return content
