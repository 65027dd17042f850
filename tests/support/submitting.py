"""Submissions for tests of the interfaces: a DNS record with a new host name."""

import secrets
from typing import Any

import httpx

from tests.support.stack import Stack

ITEM = "network-dns-record"


def new_host() -> str:
    """Return a host name that no other test uses, so that faults strike one request only."""
    return f"host-{secrets.token_hex(6)}.example.com"


def dns(host: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return the body of a submission; ``fields`` are added."""
    values = {"hostName": host or new_host(), "address": "10.0.0.1", **fields}
    return {"catalogItemId": ITEM, "fields": values}


def submit(
    client: httpx.Client, body: dict[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    """Submit, insist on 201 however busy the machine is, and return the document."""
    given = {"Prefer": "wait=20", **headers}
    answer = client.post("/requests", json=body or dns(), headers=given)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def completed(client: httpx.Client) -> dict[str, Any]:
    """Submit a request that completes."""
    document = submit(client)
    assert document["status"] == "completed", document["error"]
    return document


def failed(
    stack: Stack, client: httpx.Client, kind: str = "status", **fault: Any
) -> dict[str, Any]:
    """Submit a request whose ticket is refused once by JIRA with 400, or suffers another fault."""
    host = new_host()
    settings = {"status": 400} if kind == "status" else {}
    strike(stack, host, kind, **settings, **fault)
    document = submit(client, dns(host))
    assert document["status"] == "failed", document
    return document


def strike(stack: Stack, text: str, kind: str, **settings: Any) -> None:
    """Put a fault in force for creations of tickets whose summary contains ``text``."""
    match = {"method": "POST", "path": "/issue$", "summaryContains": text}
    stack.jira.fault(kind, match=match, **settings)


def tickets_of(stack: Stack, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tickets that carry a request's correlation id, escalations included."""
    wanted = document["correlationId"]
    return [ticket for ticket in stack.jira.tickets() if wanted in ticket["description"]]


def error(answer: httpx.Response) -> dict[str, Any]:
    """Return what is inside the envelope, after insisting on its shape."""
    document = answer.json()
    assert set(document) == {"error"}, document
    inside: dict[str, Any] = document["error"]
    assert set(inside) == {"code", "message", "details", "correlationId", "timestamp"}
    assert inside["correlationId"] == answer.headers["X-Correlation-ID"]
    return inside
