"""Checks every request's result: compares Postgres, Temporal and the stand-in's tickets."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from activities.escalation import ACTION_ID as ESCALATION
from pao.clients.inspection import (
    WorkflowInspector,
    WorkflowPresence,
    WorkflowState,
    WorkflowUnansweredError,
)
from pao.clients.temporal_connection import TemporalTarget, connect
from pao.core.names import mark
from pao.core.payloads.mirror import Snapshot
from pao.core.states import TERMINAL, RequestStatus
from sandbox.chaos.callers import CallRecords
from sandbox.chaos.stack import QUEUE, ChaosStack

MARK = re.compile("pao-[0-9a-f]{12}")
NOTHING: frozenset[str] = frozenset()
GIVEN_UP = frozenset({RequestStatus.ABORTED, RequestStatus.ESCALATED})


@dataclass(slots=True)
class Findings:
    """What went wrong, one line each; empty after a good run."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disagreeing: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def lines(self) -> list[str]:
        """All lines, each with its kind in front."""
        kinds = {
            "lost": self.lost,
            "doubled": self.doubled,
            "disagreeing": self.disagreeing,
            "forgotten": self.forgotten,
        }
        return [f"{kind}: {line}" for kind, lines in kinds.items() for line in lines]


def read_requests(stack: ChaosStack) -> list[dict[str, Any]]:
    """Return every request with its actions."""
    return asyncio.run(_rows(stack))


def unsettled_requests(stack: ChaosStack) -> list[str]:
    """Return the requests that are not settled yet."""
    return [
        str(row["id"])
        for row in read_requests(stack)
        if row["status"] in {RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS} or row["retrying"]
    ]


def known_ids(stack: ChaosStack) -> frozenset[str]:
    """Return the ids of all requests so far, and the marks that their tickets have or may get."""
    found = set(_count_marks(stack, NOTHING))
    for row in read_requests(stack):
        found |= {str(row["id"]), *_marks(row)}
    return frozenset(found)


def check_results(
    stack: ChaosStack, records: CallRecords, *, before: AbstractSet[str] = NOTHING
) -> Findings:
    """Compare everything; nothing may be under way any more.

    What is in ``before``, as ``known_ids`` returns it, is not checked.
    """
    findings = Findings(doubled=list(records.doubled))
    stored = [row for row in read_requests(stack) if str(row["id"]) not in before]
    ids = {str(row["id"]) for row in stored}
    for key, request_id in records.requests.items():
        if request_id not in ids:
            findings.lost.append(f"{request_id} was accepted for {key} and is not stored")
    findings.statuses.update(row["status"] for row in stored)
    under_way = [request_id for request_id in unsettled_requests(stack) if request_id in ids]
    findings.lost += [f"{request_id} never settled" for request_id in under_way]
    findings.lost += [
        f"{row['id']} was retried and is failed still: {row['error']}"
        for row in stored
        if row["status"] == RequestStatus.FAILED
    ]
    _compare_tickets(stored, _count_marks(stack, before), findings)
    asyncio.run(_compare_workflows(stack, stored, findings))
    return findings


def _tickets(stack: ChaosStack) -> list[dict[str, Any]]:
    answer = httpx.get(f"{stack.jira_url}/sandbox/tickets", trust_env=False)
    return list(answer.json()["tickets"])


def _count_marks(stack: ChaosStack, before: AbstractSet[str]) -> Counter[str]:
    """Count the tickets per mark."""
    labels = (label for one in _tickets(stack) for label in one["labels"])
    return Counter(label for label in labels if MARK.fullmatch(label) and label not in before)


def _marks(row: dict[str, Any]) -> set[str]:
    """Return the marks of every effect that a request may have."""
    effects = [*(action["action_id"] for action in row["actions"]), ESCALATION]
    return {mark(str(row["id"]), effect) for effect in effects}


def _compare_tickets(
    stored: Sequence[dict[str, Any]], marked: Counter[str], findings: Findings
) -> None:
    findings.doubled += [
        f"{count} tickets carry {label}" for label, count in marked.items() if count > 1
    ]
    expected: set[str] = set()
    for row in stored:
        expected |= _marks(row)
        for action in row["actions"]:
            label = mark(str(row["id"]), action["action_id"])
            if action["status"] == "completed" and not marked[label]:
                findings.lost.append(f"{row['id']} is completed and has no ticket")
            if row["status"] in GIVEN_UP and marked[label] and not _is_reported(row, action):
                findings.forgotten.append(f"{row['id']}: {label} exists, and nobody was informed")
        label = mark(str(row["id"]), ESCALATION)
        if row["status"] == RequestStatus.ESCALATED and not marked[label]:
            findings.lost.append(f"{row['id']} is escalated and has no ticket")
    strays = [label for label in marked if label not in expected]
    findings.doubled += [f"a ticket carries {label}, of no request" for label in strays]


def _is_reported(row: dict[str, Any], action: dict[str, Any]) -> bool:
    """Return whether a person was informed that an abandoned action may have left something."""
    context = json.loads(row["error_context"] or "{}")
    left = [*context.get("partialResources", []), *context.get("cleanup", [])]
    named = any(one["action"] == action["action_id"] for one in left)
    return named or bool((context.get("error") or {}).get("outcomeUnknown"))


async def _compare_workflows(
    stack: ChaosStack, stored: Sequence[dict[str, Any]], findings: Findings
) -> None:
    client = await connect(TemporalTarget(address=stack.temporal_address))
    inspector = WorkflowInspector(client, task_queue=QUEUE)
    for row in stored:
        request_id = str(row["id"])
        try:
            workflow = await inspector.state(request_id)
            snapshot = await inspector.snapshot(request_id, workflow.run_id or "")
        except WorkflowUnansweredError as error:
            findings.disagreeing.append(f"{request_id}: its workflow does not answer: {error}")
            continue
        findings.disagreeing += [
            f"{request_id}: {what}" for what in _differences(row, workflow, snapshot)
        ]


def _differences(row: dict[str, Any], workflow: WorkflowState, snapshot: Snapshot) -> list[str]:
    found = []
    finished = RequestStatus(row["status"]) in TERMINAL
    if finished != (workflow.presence == WorkflowPresence.COMPLETED):
        found.append(f"{row['status']} in Postgres, and its workflow is {workflow.presence}")
    if (row["status"], row["retrying"]) != (snapshot.status, snapshot.retrying):
        found.append(f"{row['status']} in Postgres, {snapshot.status} in its workflow")
    if row["run_id"] != workflow.run_id:
        found.append("Postgres shows another run")
    mirrored = {one["action_id"]: one for one in row["actions"]}
    for state in snapshot.actions:
        one = mirrored[state.id]
        mine = (one["status"], one["attempt"], one["external_reference"])
        theirs = (state.status.value, state.attempt, state.external_reference)
        if mine != theirs:
            found.append(f"{state.id} is {mine} in Postgres, {theirs} in its workflow")
    return found


async def _rows(stack: ChaosStack) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(stack.postgres.service_url)
    try:
        actions: dict[Any, list[dict[str, Any]]] = {}
        for one in await connection.fetch("SELECT * FROM request_actions"):
            actions.setdefault(one["request_id"], []).append(dict(one))
        found = await connection.fetch(
            "SELECT id, status, retrying, run_id, error->>'message' AS error, error_context"
            " FROM requests ORDER BY created_at"
        )
    finally:
        await connection.close()
    return [{**dict(row), "actions": actions.get(row["id"], [])} for row in found]
