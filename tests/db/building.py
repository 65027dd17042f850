"""Builders: requests, snapshots and the rows around them, each with sensible values."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from db.repositories.mirror import write_snapshot
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database
from pao.core.payloads.actions import ActionState
from pao.core.payloads.context import ItemSnapshot, RequestContext, Requester
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.mirror import AuditEvent, MirrorAnswer, Snapshot, StreamEvent
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.tickets import Escalation
from pao.core.states import ActionStatus, RequestStatus
from pao.core.timestamps import timestamp

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def start_plus(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def at(seconds: float) -> str:
    return timestamp(start_plus(seconds))


def new_request(  # noqa: PLR0913 -- a builder names every value that a test may care about
    *,
    user: str = "dana",
    teams: Sequence[str] = ("orders",),
    owner: str | None = "platform",
    item: str = "database-standard",
    created: float = 0.0,
    actions: Sequence[str] = ("ticket",),
    parent: str | None = None,
    fields: dict[str, Any] | None = None,
    correlation_id: str | None = None,
) -> NewRequest:
    return NewRequest(
        context=RequestContext(
            request_id=str(uuid4()),
            correlation_id=correlation_id or str(uuid4()),
            submitted_at=at(created),
            item=ItemSnapshot(
                id=item,
                version="1.2.0",
                name="Database",
                owner_team=owner,
                git_sha="abc123",
                definition={"metadata": {"id": item}},
            ),
            requester=Requester(id=user, email=f"{user}@example.org", teams=list(teams)),
            fields={"size": 100} if fields is None else fields,
        ),
        plan=[
            PlannedAction(
                id=action, index=index, type="jira-ticket", name=action.title(), config={"n": index}
            )
            for index, action in enumerate(actions)
        ],
        user_arn=f"arn:aws:iam::1:user/{user}",
        metadata={"tags": ["test"]},
        parent_id=parent,
    )


def action(
    status: ActionStatus = ActionStatus.IN_PROGRESS,
    *,
    id_: str = "ticket",
    index: int = 0,
    attempt: int = 1,
    **more: Any,
) -> ActionState:
    return ActionState(
        id=id_,
        index=index,
        type="jira-ticket",
        name=id_.title(),
        status=status,
        attempt=attempt,
        **more,
    )


def snapshot(
    request: NewRequest,
    status: RequestStatus = RequestStatus.IN_PROGRESS,
    *,
    seq: int = 1,
    seconds: float | None = None,
    run: str = "run-1",
    **more: Any,
) -> Snapshot:
    return Snapshot(
        request_id=request.context.request_id,
        run_id=run,
        mirror_at=at(float(seq) if seconds is None else seconds),
        mirror_seq=seq,
        status=status,
        fields=request.context.fields,
        **more,
    )


def audit(seq: int, event_type: str = "request.in_progress", **more: Any) -> AuditEvent:
    return AuditEvent(seq=seq, at=at(seq), event_type=event_type, actor="workflow", **more)


def entry(seq: int, kind: str = "state", **more: Any) -> StreamEvent:
    return StreamEvent(seq=seq, at=at(seq), kind=kind, data={"n": seq}, **more)


def decision(outcome: str = "open", id_: str = "d-1", **more: Any) -> DecisionRecord:
    return DecisionRecord(
        decision_id=id_,
        decision="retry",
        at=at(2),
        by="dana",
        via="api",
        accepted=outcome != "rejected",
        outcome=outcome,
        **more,
    )


async def store(database: Database, *requests: NewRequest) -> list[str]:
    async with database.unit_of_work() as session:
        repository = RequestsRepository(session)
        for request in requests:
            await repository.insert(request)
    return [request.context.request_id for request in requests]


async def stored(database: Database, **how: Any) -> NewRequest:
    request = new_request(**how)
    await store(database, request)
    return request


async def mirror(database: Database, given: Snapshot) -> MirrorAnswer:
    return (await write_snapshot(database, given)).answer


async def brought_to(
    database: Database, status: RequestStatus, *, request: NewRequest | None = None, **how: Any
) -> NewRequest:
    """Store a request and mirror it along the shortest way to the given state."""
    request = request or await stored(database, **how)
    for seq, step in enumerate(_WAYS[status], start=1):
        ticket = ESCALATION if step is RequestStatus.ESCALATED else None
        await mirror(database, snapshot(request, step, seq=seq, escalation=ticket))
    return request


async def count(connection: asyncpg.Connection, table: str) -> int:
    found: int = await connection.fetchval(
        f"SELECT count(*) FROM {table}"  # noqa: S608 -- the name is a test's own
    )
    return found


async def change_requests(connection: asyncpg.Connection, change: str) -> None:
    await connection.execute(
        f"UPDATE requests SET {change}"  # noqa: S608 -- the change is a test's own
    )


ESCALATION = Escalation(
    ticket_key="OPS-1",
    url="https://jira.example.org/browse/OPS-1",
    escalated_at=at(3),
    escalated_by="dana",
    reason="nobody answers",
)
_WAYS: dict[RequestStatus, tuple[RequestStatus, ...]] = {
    RequestStatus.SUBMITTED: (),
    RequestStatus.IN_PROGRESS: (RequestStatus.IN_PROGRESS,),
    RequestStatus.COMPLETED: (RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED),
    RequestStatus.FAILED: (RequestStatus.IN_PROGRESS, RequestStatus.FAILED),
    RequestStatus.ABORTED: (
        RequestStatus.IN_PROGRESS,
        RequestStatus.FAILED,
        RequestStatus.ABORTED,
    ),
    RequestStatus.ESCALATED: (
        RequestStatus.IN_PROGRESS,
        RequestStatus.FAILED,
        RequestStatus.ESCALATED,
    ),
}
