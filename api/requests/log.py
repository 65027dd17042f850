"""The execution log for readers: its end, earlier lines, a search, the whole.

The request is read first, which checks that the caller may see it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from api.pagination import Cursors, pagination
from api.requests import presentation as presenting
from api.requests import schemas
from api.requests.reading import StoredRequest
from db.repositories.events import StoredEvent
from db.repositories.request_log import LogRepository, LogScope
from db.session import Database

_BATCH = 1_000

Owner = tuple[str | None, str | None]
"""Of which component and action a line is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines are wanted; what is not given is not asked for."""

    components: frozenset[str | None] | None = None
    """Of which components; None among them is the request itself."""
    action: str | None = None
    text: str | None = None

    def scope(self, request_id: str) -> str:
        """Return what a cursor through these lines belongs to."""
        parts = sorted(one or "" for one in self.components or ())
        return f"logs:{request_id}:{parts}:{self.action!r}:{self.text!r}"


@dataclass(frozen=True, slots=True)
class LogSlice:
    """Lines in their order, and whether there are earlier and later ones of the kind."""

    lines: list[schemas.LogLine]
    earlier: bool
    later: bool = False


@dataclass(frozen=True, slots=True)
class LogService:
    """Reads the log of requests."""

    database: Database
    cursors: Cursors

    async def page(
        self, stored: StoredRequest, query: LogQuery, *, cursor: str | None, limit: int
    ) -> schemas.LogPage:
        """Return a page of the log from its beginning on."""
        names, cursor_scope = stored.component_ids, query.scope(str(stored.row.id))
        after = int(self.cursors.read(cursor_scope, cursor)[0]) if cursor else 0
        async with self.database.reading() as session:
            rows = await LogRepository(session).first(
                _scope(names, query), after=after, limit=limit + 1
            )
        page = rows[:limit]
        more = len(rows) > limit
        next_cursor = self.cursors.write(cursor_scope, [page[-1].id]) if more else None
        return schemas.LogPage(data=_log_lines(page, names), pagination=pagination(next_cursor))

    async def page_back(
        self,
        stored: StoredRequest,
        query: LogQuery,
        *,
        before: int | None,
        cursor: str | None,
        limit: int,
    ) -> schemas.LogPage:
        """Return the page that ends before a line, or with the last; the next one is earlier."""
        cursor_scope = f"back:{query.scope(str(stored.row.id))}"
        if cursor:
            before = int(self.cursors.read(cursor_scope, cursor)[0])
        log_slice = await self.last(stored, query, before=before, limit=limit)
        earlier = (
            self.cursors.write(cursor_scope, [log_slice.lines[0].sequence])
            if log_slice.earlier
            else None
        )
        return schemas.LogPage(data=log_slice.lines, pagination=pagination(earlier))

    async def last(
        self, stored: StoredRequest, query: LogQuery, *, before: int | None = None, limit: int
    ) -> LogSlice:
        """Return the last lines, or the last before a line."""
        names = stored.component_ids
        async with self.database.reading() as session:
            rows = await LogRepository(session).last(
                _scope(names, query), before=before, limit=limit + 1
            )
        return LogSlice(_log_lines(rows[-limit:], names), len(rows) > limit, before is not None)

    async def around(self, stored: StoredRequest, line: int, *, limit: int) -> LogSlice:
        """Return the lines around one."""
        names = stored.component_ids
        scope, half = _scope(names, LogQuery()), limit // 2
        async with self.database.reading() as session:
            repository = LogRepository(session)
            before = await repository.last(scope, before=line, limit=half + 1)
            after = await repository.first(scope, after=line - 1, limit=half + 1)
        rows = [*before[-half:], *after[:half]]
        return LogSlice(_log_lines(rows, names), len(before) > half, len(after) > half)

    async def count(self, stored: StoredRequest) -> dict[Owner, int]:
        """Return how many lines each action has written."""
        names = stored.component_ids
        async with self.database.reading() as session:
            found = await LogRepository(session).count([*names])
        return {(names[one], action): count for (one, action), count in found.items()}

    async def whole(self, stored: StoredRequest) -> AsyncIterator[schemas.LogLine]:
        """Yield every line, read in portions; memory stays bounded."""
        names = stored.component_ids
        scope, last = _scope(names, LogQuery()), 0
        while True:
            async with self.database.reading() as session:
                rows = await LogRepository(session).first(scope, after=last, limit=_BATCH)
            for line in _log_lines(rows, names):
                yield line
            if len(rows) < _BATCH:
                return
            last = rows[-1].id


def _scope(names: Mapping[str, str | None], query: LogQuery) -> LogScope:
    ids = [*names]
    if query.components is not None:
        ids = [one for one, component in names.items() if component in query.components]
    return LogScope(request_ids=tuple(ids), action_id=query.action, text=query.text)


def _log_lines(rows: list[StoredEvent], names: Mapping[str, str | None]) -> list[schemas.LogLine]:
    return [presenting.log_line(row, names[row.request_id]) for row in rows]
