"""The callers during a chaos run, which repeat each call until it is answered."""

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from sandbox.chaos.stack import ChaosStack

ITEM = "network-dns-record"
ANSWERED = {200, 201, 202}
# Longer than the stack may take to start: a call without an answer by then is a finding.
TIME_LIMIT = 120.0
KINDS = ("none", "none", "none", "refused", "cut", "slow", "unavailable", "created-anyway")
FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"kind": "status", "status": 400},
    "unavailable": {"kind": "status", "status": 503},
    "created-anyway": {"kind": "status-after", "status": 503},
    "cut": {"kind": "cut-after"},
    "slow": {"kind": "slow", "seconds": 1.5, "when": "before"},
}
SEARCH_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 400},
    {"kind": "status", "status": 502},
    {"kind": "cut-before"},
    {"kind": "html-login", "status": 302},
)


@dataclass(slots=True)
class CallRecords:
    """The responses that callers got; safe to share between threads."""

    requests: dict[str, str] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    decisions: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, key: str, request_id: str) -> None:
        """Record the request of an idempotency key; two for one key are a finding."""
        with self.lock:
            before = self.requests.setdefault(key, request_id)
            if before != request_id:
                self.doubled.append(f"key {key}: {before} and {request_id}")


def submit(stack: ChaosStack, records: CallRecords, key: str, *, kind: str) -> None:
    """Submit one request, with or without a fault for its ticket, until it is answered twice."""
    host = f"host-{key}.example.com"
    body = {"catalogItemId": ITEM, "fields": {"hostName": host, "address": "10.0.0.1"}}
    if kind in FAULTS:
        _add_fault(stack, host, kind)
    for _ in range(2):
        answer = _call_until_answered(stack, "/requests", body, key)
        if answer is None:
            with records.lock:
                records.unanswered.append(f"submission {key}")
            return
        if answer.status_code not in ANSWERED:
            with records.lock:
                records.wrong.append(f"submission {key}: {answer.status_code} {answer.text[:300]}")
            return
        records.record(key, answer.json()["id"])


def decide(
    stack: ChaosStack, records: CallRecords, request_id: str, *, kind: str, key: str
) -> None:
    """Decide about one request; a refusal counts as an answer: somebody else may have decided."""
    answer = _call_until_answered(stack, f"/requests/{request_id}/{kind}", {"reason": "chaos"}, key)
    with records.lock:
        records.decisions += 1
        if answer is None:
            records.unanswered.append(f"{kind} {request_id}")
        elif answer.status_code not in {*ANSWERED, 409, 502}:
            records.wrong.append(f"{kind} {request_id}: {answer.status_code} {answer.text[:300]}")


def fail_searches(stack: ChaosStack, fault: dict[str, Any], *, times: int) -> None:
    """Make the next searches fail; if the stand-in is down, they fail anyway."""
    with contextlib.suppress(httpx.HTTPError):
        stack.add_search_fault(**fault, times=times)


def _add_fault(stack: ChaosStack, host: str, kind: str) -> None:
    """Add a fault; if the stand-in is down, the request is made without one."""
    with contextlib.suppress(httpx.HTTPError):
        stack.add_creation_fault(host, **FAULTS[kind])


def _call_until_answered(
    stack: ChaosStack, path: str, body: dict[str, Any], key: str
) -> httpx.Response | None:
    """Repeat a call with its key until it is answered; None after the time limit."""
    ends = time.monotonic() + TIME_LIMIT
    with stack.client(timeout=10.0) as client:
        while time.monotonic() < ends:
            try:
                answer = client.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in {500, 503, 504, 429}:
                return answer
            if answer is not None and answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
                return answer
            time.sleep(0.2 + random.random() / 5)  # noqa: S311 -- spreads callers out
    return None
