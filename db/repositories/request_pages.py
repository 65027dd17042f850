"""Pages of the request list: keyset pages that cost the same at any depth and any size.

A caller who is no admin sees a request for one of several reasons, and no index gives the union of
them in order. Each reason is one ordered range of ``request_audience``, so a page reads at most
``limit + 1`` rows from each of them and merges these few. An admin's page is one index range.
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

from db.models import Request, RequestAction, RequestAudience
from db.models.columns import MOMENT, WORDS
from db.repositories import approvers
from db.repositories.request_filters import RequestFilters, Sort, Visibility
from pao.core.states import RequestStatus

Query = Select[*tuple[Any, ...]]

# In these a request may wait for a decision: about what failed, or about an approval.
_DECIDABLE = (RequestStatus.FAILED.value, RequestStatus.IN_PROGRESS.value)


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page ended: the sort keys of its last row."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """A request as lists show it."""

    id: str
    parent_id: str | None
    catalog_item_id: str
    catalog_item_version: str
    catalog_item_name: str
    owner_team: str | None
    user_id: str
    user_email: str | None
    status: RequestStatus
    retrying: bool
    correlation_id: str
    error: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One page; ``next_key`` is ``None`` on the last."""

    rows: tuple[RequestSummary, ...]
    next_key: PageKey | None


_SHOWN = tuple(col(getattr(Request, one.name)) for one in fields(RequestSummary))


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
        query = page_query(filters, visibility, after=after, limit=limit + 1)
        rows = [_summary(row) for row in (await self._session.execute(query)).mappings()]
        if len(rows) <= limit:
            return RequestPage(tuple(rows), None)
        last = rows[limit - 1]
        return RequestPage(tuple(rows[:limit]), PageKey(last.created_at, last.id))


def page_query(
    filters: RequestFilters,
    visibility: Visibility,
    *,
    after: PageKey | None = None,
    limit: int = 51,
) -> Query:
    """Build the query of one page; also for those who want to see its plan."""
    page = _Page(filters, visibility, after, limit)
    if filters.parent or filters.correlation_id or filters.external_reference:
        return page.single(_visible(filters, visibility))
    if visibility.admin:
        return _page_of_admin(page)
    if filters.user_id == visibility.user_id and not filters.decidable:
        return page.single([])
    if filters.team in visibility.teams and not filters.decidable:
        return page.merged(page.by_viewer, [f"team:{filters.team}"])
    return page.merged(page.by_viewer, _viewers(filters, visibility))


def _page_of_admin(page: "_Page") -> Query:
    filters = page.filters
    if filters.team is not None:
        asked = page.visibility.asked if filters.decidable else []
        return page.merged(page.by_viewer, [f"team:{filters.team}", *asked])
    if filters.decidable:
        return page.single([_for_admin(page.visibility)])
    if len(filters.statuses) > 1:
        return page.merged(page.by_status, list(filters.statuses))
    return page.single([])


def _viewers(filters: RequestFilters, visibility: Visibility) -> list[str]:
    """Return why this caller may see a request; sharing a team is no right to decide."""
    viewers = [f"user:{visibility.user_id}", *(f"owner:{team}" for team in visibility.teams)]
    if not filters.decidable:
        viewers += [f"team:{team}" for team in visibility.teams]
    return viewers + visibility.asked


def _visible(filters: RequestFilters, visibility: Visibility) -> list[ColumnElement[bool]]:
    """Return the same reasons as a condition, for where few rows are left to be judged."""
    if visibility.admin:
        return [_for_admin(visibility)] if filters.decidable else []
    reasons = [
        col(Request.user_id) == visibility.user_id,
        col(Request.owner_team).in_(visibility.teams),
    ]
    if filters.decidable:
        return [or_(and_(_failed(), or_(*reasons)), _waits_for(visibility))]
    reasons += [_teams_overlap(visibility.teams), approvers.is_among(visibility.asked)]
    return [or_(*reasons)]


def _failed() -> ColumnElement[bool]:
    return and_(col(Request.status) == RequestStatus.FAILED, col(Request.retrying).is_(False))


def _for_admin(visibility: Visibility) -> ColumnElement[bool]:
    """Return what an admin decides about: every failure, and approvals where the admin is asked.

    The states are named as constants, so that the index of what is open is walked.
    """
    states: ColumnElement[Any] = bindparam("open", _DECIDABLE, expanding=True, literal_execute=True)
    return and_(
        col(Request.status).in_(states),
        or_(_failed(), _waits_for(visibility)),
    )


def _waits_for(visibility: Visibility) -> ColumnElement[bool]:
    return approvers.waits_for(visibility.user_id, visibility.email, visibility.teams)


def _teams_overlap(teams: Sequence[str]) -> ColumnElement[bool]:
    return col(Request.user_teams).op("&&", is_comparison=True)(literal(list(teams), WORDS))


@dataclass(frozen=True, slots=True)
class _Page:
    """One page to be read: from a single range of an index, or merged from several."""

    filters: RequestFilters
    visibility: Visibility
    after: PageKey | None
    limit: int

    def single(self, conditions: Sequence[ColumnElement[bool]]) -> Query:
        keys = (col(Request.created_at), col(Request.id))
        query = select(*_SHOWN).where(*self._conditions(), *conditions, *self._span(*keys))
        return query.order_by(*self._order(*keys)).limit(self.limit)

    def merged(self, range_of: Callable[[ColumnElement[str]], Query], values: list[str]) -> Query:
        each = (
            func.unnest(literal(values, WORDS)).table_valued("value", name="each").render_derived()
        )
        one = range_of(each.c.value).limit(self.limit).lateral("one")
        found = select(one.c.created_at, one.c.id).select_from(each).join(one, true()).distinct()
        found = found.order_by(*self._order(one.c.created_at, one.c.id)).limit(self.limit)
        page = found.subquery("page")
        query = select(*_SHOWN).join(page, col(Request.id) == page.c.id)
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
                or_(and_(_failed(), not_(asked)), and_(asked, _waits_for(self.visibility)))
            )
        query = query.where(*self._conditions(), *self._span(*keys))
        return query.order_by(*self._order(*keys))

    def by_status(self, status: ColumnElement[str]) -> Query:
        keys = (col(Request.created_at), col(Request.id))
        query = select(*keys).where(type_coerce(col(Request.status), Text) == status)
        query = query.where(*self._conditions(), *self._span(*keys))
        return query.order_by(*self._order(*keys))

    def _conditions(self) -> list[ColumnElement[bool]]:
        return [*_lookups(self.filters), *_narrowing(self.filters)]

    def _order(self, *keys: SQLColumnExpression[Any]) -> list[Any]:
        if self.filters.sort is Sort.WAITING:
            return [asc(key) for key in keys]
        return [desc(key) for key in keys]

    def _span(
        self, created_at: SQLColumnExpression[datetime], request_id: SQLColumnExpression[UUID]
    ) -> list[ColumnElement[bool]]:
        """Bound the keys of the page, on the columns of the index that is walked."""
        found: list[ColumnElement[bool]] = []
        if self.filters.since is not None:
            found.append(created_at >= self.filters.since)
        if self.filters.until is not None:
            found.append(created_at < self.filters.until)
        if self.after is None:
            return found
        keys = tuple_(created_at, request_id)
        end = tuple_(literal(self.after.created_at, MOMENT), literal(UUID(self.after.id)))
        return [*found, keys > end if self.filters.sort is Sort.WAITING else keys < end]


def _lookups(filters: RequestFilters) -> list[ColumnElement[bool]]:
    """Return the conditions that leave few rows by themselves, or else the parents only."""
    found: list[ColumnElement[bool]] = []
    if filters.parent:
        found.append(col(Request.parent_id) == UUID(filters.parent))
    if filters.correlation_id:
        found.append(col(Request.correlation_id) == UUID(filters.correlation_id))
    if filters.external_reference:
        found.append(_has_reference(filters.external_reference))
    if not filters.parent and not filters.external_reference:
        found.append(col(Request.parent_id).is_(None))
    return found


def _has_reference(reference: str) -> ColumnElement[bool]:
    actions = select(col(RequestAction.request_id)).where(
        col(RequestAction.external_reference) == reference
    )
    return col(Request.id).in_(actions)


def _narrowing(filters: RequestFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.statuses:
        found.append(col(Request.status).in_(filters.statuses))
    if filters.sort is Sort.WAITING and not filters.decidable:
        found.append(col(Request.status) == RequestStatus.FAILED)
    if filters.catalog_item_id is not None:
        found.append(col(Request.catalog_item_id) == filters.catalog_item_id)
    if filters.user_id is not None:
        found.append(col(Request.user_id) == filters.user_id)
    if filters.team is not None:
        found.append(_teams_overlap([filters.team]))
    return found


def _summary(row: RowMapping) -> RequestSummary:
    ids = {
        "id": str(row["id"]),
        "correlation_id": str(row["correlation_id"]),
        "parent_id": str(row["parent_id"]) if row["parent_id"] else None,
    }
    return RequestSummary(**{**row, **ids})
