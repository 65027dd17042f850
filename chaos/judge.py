"""What became of every request: Postgres, Temporal and the stand-in's tickets, side by side."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from activities.escalation import ACTION_ID as ESCALATION
from chaos.play import Records
from chaos.world import World
from pao.clients.inspection import Inspector, Life, NoAnswer, Standing
from pao.clients.temporal import TemporalTarget, connect
from pao.core.names import mark
from pao.core.payloads import Snapshot
from pao.core.states import TERMINAL, RequestStatus

QUEUE = "pao"
MARK = re.compile("pao-[0-9a-f]{12}")


@dataclass(slots=True)
class Findings:
    """What must be empty at the end, one line each."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disagreeing: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def lines(self) -> list[str]:
        """All of it, with its kind in front."""
        kinds = {"lost": self.lost, "doubled": self.doubled, "disagreeing": self.disagreeing}
        return [f"{kind}: {line}" for kind, lines in kinds.items() for line in lines]


def rows(world: World) -> list[dict[str, Any]]:
    """Read every request with its actions."""
    return asyncio.run(_rows(world))


def unsettled(world: World) -> list[str]:
    """Name the requests that are still under way."""
    return [
        str(row["id"])
        for row in rows(world)
        if row["status"] in {RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS} or row["retrying"]
    ]


def judge(world: World, records: Records) -> Findings:
    """Compare everything; the world stands still by now."""
    findings = Findings(doubled=list(records.doubled))
    stored = rows(world)
    known = {str(row["id"]) for row in stored}
    for key, request_id in records.requests.items():
        if request_id not in known:
            findings.lost.append(f"{request_id} was accepted for {key} and is not stored")
    findings.statuses.update(row["status"] for row in stored)
    findings.lost += [f"{request_id} never settled" for request_id in unsettled(world)]
    findings.lost += [
        f"{row['id']} was retried and is failed still: {row['error']}"
        for row in stored
        if row["status"] == RequestStatus.FAILED
    ]
    tickets = httpx.get(f"{world.jira_url}/sandbox/tickets", trust_env=False).json()["tickets"]
    _compare_tickets(stored, tickets, findings)
    asyncio.run(_compare_workflows(world, stored, findings))
    return findings


def _compare_tickets(
    stored: Sequence[dict[str, Any]], tickets: Sequence[dict[str, Any]], findings: Findings
) -> None:
    marked = Counter(label for one in tickets for label in one["labels"] if MARK.fullmatch(label))
    findings.doubled += [
        f"{count} tickets carry {label}" for label, count in marked.items() if count > 1
    ]
    expected: set[str] = set()
    for row in stored:
        for action in row["actions"]:
            label = mark(str(row["id"]), action["action_id"])
            expected.add(label)
            if action["status"] == "completed" and not marked[label]:
                findings.lost.append(f"{row['id']} is completed and has no ticket")
        label = mark(str(row["id"]), ESCALATION)
        expected.add(label)
        if row["status"] == RequestStatus.ESCALATED and not marked[label]:
            findings.lost.append(f"{row['id']} is escalated and has no ticket")
    strays = [label for label in marked if label not in expected]
    findings.doubled += [f"a ticket carries {label}, of no request" for label in strays]


async def _compare_workflows(
    world: World, stored: Sequence[dict[str, Any]], findings: Findings
) -> None:
    client = await connect(TemporalTarget(address=world.temporal_address))
    inspector = Inspector(client, task_queue=QUEUE)
    for row in stored:
        request_id = str(row["id"])
        try:
            standing = await inspector.standing(request_id)
            told = await inspector.snapshot(request_id, standing.run_id or "")
        except NoAnswer as error:
            findings.disagreeing.append(f"{request_id}: its workflow does not answer: {error}")
            continue
        findings.disagreeing += [
            f"{request_id}: {what}" for what in _differences(row, standing, told)
        ]


def _differences(row: dict[str, Any], standing: Standing, told: Snapshot) -> list[str]:
    found = []
    finished = RequestStatus(row["status"]) in TERMINAL
    if finished != (standing.life == Life.COMPLETED):
        found.append(f"{row['status']} in Postgres, and its workflow is {standing.life}")
    if (row["status"], row["retrying"]) != (told.status, told.retrying):
        found.append(f"{row['status']} in Postgres, {told.status} in its workflow")
    if row["run_id"] != standing.run_id:
        found.append("Postgres shows another run")
    mirrored = {one["action_id"]: one for one in row["actions"]}
    for state in told.actions:
        one = mirrored[state.id]
        mine = (one["status"], one["attempt"], one["external_reference"])
        theirs = (state.status.value, state.attempt, state.external_reference)
        if mine != theirs:
            found.append(f"{state.id} is {mine} in Postgres, {theirs} in its workflow")
    return found


async def _rows(world: World) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(world.postgres.service_url)
    try:
        actions: dict[Any, list[dict[str, Any]]] = {}
        for one in await connection.fetch("SELECT * FROM request_actions"):
            actions.setdefault(one["request_id"], []).append(dict(one))
        found = await connection.fetch(
            "SELECT id, status, retrying, run_id, error->>'message' AS error FROM requests"
            " ORDER BY created_at"
        )
    finally:
        await connection.close()
    return [{**dict(row), "actions": actions.get(row["id"], [])} for row in found]
