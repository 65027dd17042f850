"""The stream of a request: state changes, actions, decisions and log lines, in one order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import RequestEvent
from db.repositories.mirror_sql import CHANNEL

# Under the request's row lock, as every writer of its stream: ids are in the order of commits. A
# request that has ended takes no more lines, and no line is added twice.
_LOCK = text("SELECT status FROM requests WHERE id = :id FOR UPDATE").bindparams(
    bindparam("id", type_=PG_UUID())
)
_APPEND = text(
    """
    WITH line AS (
        SELECT given.*, row_number() OVER (ORDER BY given.position) AS number
        FROM jsonb_to_recordset(:lines) AS given (
            position integer, identity text, at timestamptz, data jsonb
        )
        WHERE NOT EXISTS (
            SELECT FROM request_events AS known
            WHERE known.request_id = :id AND known.run_id = :run_id
                AND known.identity = given.identity
        )
    ),
    last AS (
        SELECT coalesce(max(seq), 0) AS seq FROM request_events
        WHERE request_id = :id AND run_id = :run_id
    ),
    written AS (
        INSERT INTO request_events (request_id, run_id, seq, kind, at, data, identity)
        SELECT :id, :run_id, last.seq + line.number, 'log', line.at, line.data, line.identity
        FROM line, last ORDER BY line.position
        ON CONFLICT DO NOTHING
    )
    SELECT pg_notify(:channel, CAST(:id AS text))::text
    """
).bindparams(bindparam("lines", type_=JSONB()), bindparam("id", type_=PG_UUID()))


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One entry of a request's stream; a reader resumes after its ``id``."""

    id: int
    kind: str
    at: datetime
    data: dict[str, Any]
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line of the execution log; ``identity`` is unique among those of its writer."""

    position: int
    identity: str
    at: str
    data: dict[str, Any]


class EventsRepository:
    """Reads streams, which are written with the state itself (mirror.py), and adds log lines."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(
        self,
        request_id: str,
        *,
        after_id: int = 0,
        limit: int = 200,
        kinds: Collection[str] = (),
    ) -> list[StoredEvent]:
        """Read at most ``limit`` entries after ``after_id``, of the given kinds or of all.

        A reader that continues after the last id misses nothing: ids are in the order of commits.
        """
        query = (
            select(
                col(RequestEvent.id),
                col(RequestEvent.kind),
                col(RequestEvent.at),
                col(RequestEvent.data),
            )
            .where(
                col(RequestEvent.request_id) == UUID(request_id),
                col(RequestEvent.id) > after_id,
            )
            .order_by(col(RequestEvent.id))
            .limit(limit)
        )
        if kinds:
            query = query.where(col(RequestEvent.kind).in_(kinds))
        return [StoredEvent(*row) for row in await self._session.execute(query)]

    async def page_of(
        self, after: Mapping[str, int], *, limit: int = 200, kinds: Collection[str] = ()
    ) -> list[StoredEvent]:
        """Read the entries of several requests, of each those after its id, all in one order.

        Ids are in the order of commits only within one request: a reader keeps one id per request.
        """
        places = [
            and_(col(RequestEvent.request_id) == UUID(request_id), col(RequestEvent.id) > last)
            for request_id, last in after.items()
        ]
        query = (
            select(
                col(RequestEvent.id),
                col(RequestEvent.kind),
                col(RequestEvent.at),
                col(RequestEvent.data),
                col(RequestEvent.request_id),
            )
            .where(or_(*places))
            .order_by(col(RequestEvent.id))
            .limit(limit)
        )
        if kinds:
            query = query.where(col(RequestEvent.kind).in_(kinds))
        rows = await self._session.execute(query)
        return [StoredEvent(row[0], row[1], row[2], row[3], str(row[4])) for row in rows]

    async def append_lines(self, request_id: str, writer: str, lines: Sequence[NewLine]) -> None:
        """Append lines that a running action has logged, in order, each once.

        ``writer`` takes the place of the run id of the ledger's entries, so that numbers never
        collide. An unknown request takes no lines.
        """
        values = {"id": UUID(request_id)}
        if (await self._session.execute(_LOCK, values)).first() is None:
            return
        given = [asdict(line) for line in lines]
        await self._session.execute(
            _APPEND, values | {"run_id": writer, "lines": given, "channel": CHANNEL}
        )
