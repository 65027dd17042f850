"""Pages of the request list: keyset pages that cost the same at any depth and any size.

A caller who is no admin sees a request for one of several reasons, and no index gives the union of
them in order. Each reason is one ordered range of ``request_audience``, so a page reads at most
``limit + 1`` rows from each of them and merges these few. An admin's page is one index range. So
is one of what waits, for any reader: these are few among all requests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    asc,
    bindparam,
    desc,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import Request, RequestAudience
from db.models.columns import MOMENT, WORDS
from db.repositories import approvers
from db.repositories.request_conditions import filter_conditions, lookup_conditions
from db.repositories.request_filters import RequestFilters, Sort
from db.repositories.request_references import ReferencesRepository
from db.repositories.request_visibility import (
    Visibility,
    is_failed,
    may_decide,
    may_see,
    waits_for,
)
from pao.core.states import RequestStatus

Query = Select[*tuple[Any, ...]]

# In these a request may wait for a decision: about what failed, or about an approval.
_DECIDABLE = (RequestStatus.FAILED.value, RequestStatus.IN_PROGRESS.value)


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page ended: the sort keys of its last row, created or waiting since ``at``."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """A request as lists show it, and whether the reader may decide about it now."""

    id: str
    parent_id: str | None
    catalog_item_id: str
    catalog_item_version: str
    catalog_item_name: str
    title: str | None
    owner_team: str | None
    user_id: str
    user_email: str | None
    status: RequestStatus
    retrying: bool
    correlation_id: str
    error: dict[str, Any] | None
    suggestion: dict[str, Any] | None
    waiting_since: datetime | None
    escalation_ticket_key: str | None
    may_decide: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One page; ``next_key`` is ``None`` on the last."""

    rows: tuple[RequestSummary, ...]
    next_key: PageKey | None


_COLUMNS = tuple(
    col(getattr(Request, one.name)) for one in fields(RequestSummary) if hasattr(Request, one.name)
)


class RequestPagesRepository:
    """Reads pages of the list of requests."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_page(
        self,
        filters: RequestFilters,
        visibility: Visibility,
        *,
        after: PageKey | None = None,
        limit: int = 50,
    ) -> RequestPage:
        """Read the page after ``after``: what the filters leave of what the caller may see.

        Rows inserted meanwhile are neither skipped nor shown twice.
        """
        mentioned = await self._mentioned(filters)
        query = page_query(filters, visibility, mentioned=mentioned, after=after, limit=limit + 1)
        rows = [_summary(row) for row in (await self._session.execute(query)).mappings()]
        if len(rows) <= limit:
            return RequestPage(tuple(rows), None)
        last = rows[limit - 1]
        at = last.waiting_since if filters.sort is Sort.WAITING else last.created_at
        return RequestPage(tuple(rows[:limit]), PageKey(at or last.created_at, last.id))

    async def count(self, filters: RequestFilters, visibility: Visibility, *, most: int) -> int:
        """Count what the filters leave of what the caller may see; stops at ``most``."""
        mentioned = await self._mentioned(filters)
        page = page_query(filters, visibility, mentioned=mentioned, limit=most).subquery()
        return await self._session.scalar(select(func.count()).select_from(page)) or 0

    async def _mentioned(self, filters: RequestFilters) -> tuple[UUID, ...]:
        if filters.text is None:
            return ()
        return tuple(await ReferencesRepository(self._session).mentioned(filters.text))


def page_query(
    filters: RequestFilters,
    visibility: Visibility,
    *,
    mentioned: Sequence[UUID] = (),
    after: PageKey | None = None,
    limit: int = 51,
) -> Query:
    """Return the query of one page; also for tests of its plan.

    ``mentioned`` are requests that a searched text names by a ticket or an id.
    """
    page = _Page(filters, visibility, tuple(mentioned), after, limit)
    if filters.sort is Sort.WAITING:
        return page.single(_visibility_conditions(filters, visibility))
    if filters.parent or filters.correlation_id or filters.external_reference:
        return page.single(_visibility_conditions(filters, visibility))
    if visibility.admin:
        return _admin_page(page)
    if filters.user_id == visibility.user_id and not filters.decidable:
        return page.single([])
    if filters.team in visibility.teams and not filters.decidable:
        return page.merged(page.by_viewer, [f"team:{filters.team}"])
    return page.merged(page.by_viewer, _viewers(filters, visibility))


def _admin_page(page: "_Page") -> Query:
    filters = page.filters
    if filters.team is not None:
        asked = page.visibility.asked if filters.decidable else []
        return page.merged(page.by_viewer, [f"team:{filters.team}", *asked])
    if filters.decidable:
        return page.single([_decidable_by_admin(page.visibility)])
    if len(filters.statuses) > 1:
        return page.merged(page.by_status, list(filters.statuses))
    return page.single([])


def _viewers(filters: RequestFilters, visibility: Visibility) -> list[str]:
    """Return why this caller may see a request; sharing a team is no right to decide."""
    viewers = [f"user:{visibility.user_id}", *(f"owner:{team}" for team in visibility.teams)]
    if not filters.decidable:
        viewers += [f"team:{team}" for team in visibility.teams]
    return viewers + visibility.asked


def _visibility_conditions(
    filters: RequestFilters, visibility: Visibility
) -> list[ColumnElement[bool]]:
    """Return the same reasons as a condition, for queries that leave few rows."""
    return [may_decide(visibility) if filters.decidable else may_see(visibility)]


def _decidable_by_admin(visibility: Visibility) -> ColumnElement[bool]:
    """Return what an admin decides about: every failure, and approvals where the admin is asked.

    The states are named as constants, so that the index of what is open is walked.
    """
    states: ColumnElement[Any] = bindparam("open", _DECIDABLE, expanding=True, literal_execute=True)
    return and_(
        col(Request.status).in_(states),
        may_decide(visibility),
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """One page to be read: from a single range of an index, or merged from several."""

    filters: RequestFilters
    visibility: Visibility
    mentioned: tuple[UUID, ...]
    after: PageKey | None
    limit: int

    def single(self, conditions: Sequence[ColumnElement[bool]]) -> Query:
        waiting = self.filters.sort is Sort.WAITING
        keys = (col(Request.waiting_since if waiting else Request.created_at), col(Request.id))
        query = self._select_summaries().where(*self._conditions(), *conditions, *self._span(*keys))
        return query.order_by(*self._order(*keys)).limit(self.limit)

    def _select_summaries(self) -> Query:
        suggestion = col(Request.error_context)["suggestedDecision"].label("suggestion")
        return select(*_COLUMNS, suggestion, may_decide(self.visibility).label("may_decide"))

    def merged(self, range_of: Callable[[ColumnElement[str]], Query], values: list[str]) -> Query:
        each = (
            func.unnest(literal(values, WORDS)).table_valued("value", name="each").render_derived()
        )
        one = range_of(each.c.value).limit(self.limit).lateral("one")
        keys = select(one.c.created_at, one.c.id).select_from(each).join(one, true()).distinct()
        keys = keys.order_by(*self._order(one.c.created_at, one.c.id)).limit(self.limit)
        page = keys.subquery("page")
        query = self._select_summaries().join(page, col(Request.id) == page.c.id)
        return query.order_by(*self._order(page.c.created_at, page.c.id))

    def by_viewer(self, viewer: ColumnElement[str]) -> Query:
        keys = (col(RequestAudience.created_at), col(RequestAudience.request_id))
        query: Query = (
            select(keys[0].label("created_at"), keys[1].label("id"))
            .join(
                Request,
                # The second condition lets Postgres walk either table in the order of the page.
                and_(col(Request.id) == keys[1], col(Request.created_at) == keys[0]),
            )
            .where(col(RequestAudience.viewer) == viewer)
        )
        if self.filters.decidable:
            asked = viewer.startswith(approvers.PREFIX)
            query = query.where(
                or_(and_(is_failed(), not_(asked)), and_(asked, waits_for(self.visibility)))
            )
        query = query.where(*self._conditions(), *self._span(*keys))
        return query.order_by(*self._order(*keys))

    def by_status(self, status: ColumnElement[str]) -> Query:
        keys = (col(Request.created_at), col(Request.id))
        query = select(*keys).where(type_coerce(col(Request.status), Text) == status)
        query = query.where(*self._conditions(), *self._span(*keys))
        return query.order_by(*self._order(*keys))

    def _conditions(self) -> list[ColumnElement[bool]]:
        return [*lookup_conditions(self.filters), *filter_conditions(self.filters, self.mentioned)]

    def _order(self, *keys: SQLColumnExpression[Any]) -> list[Any]:
        if self.filters.sort is Sort.WAITING:
            return [asc(key) for key in keys]
        return [desc(key) for key in keys]

    def _span(
        self, moment: SQLColumnExpression[Any], request_id: SQLColumnExpression[UUID]
    ) -> list[ColumnElement[bool]]:
        """Bound the keys of the page, on the columns of the index that is walked."""
        waiting = self.filters.sort is Sort.WAITING
        created_at = col(Request.created_at) if waiting else moment
        bounds: list[ColumnElement[bool]] = []
        if self.filters.since is not None:
            bounds.append(created_at >= self.filters.since)
        if self.filters.until is not None:
            bounds.append(created_at < self.filters.until)
        if self.after is None:
            return bounds
        keys = tuple_(moment, request_id)
        end = tuple_(literal(self.after.at, MOMENT), literal(UUID(self.after.id)))
        return [*bounds, keys > end if waiting else keys < end]


def _summary(row: RowMapping) -> RequestSummary:
    ids = {
        "id": str(row["id"]),
        "correlation_id": str(row["correlation_id"]),
        "parent_id": str(row["parent_id"]) if row["parent_id"] else None,
    }
    return RequestSummary(**{**row, **ids})
