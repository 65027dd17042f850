"""`/waiting`: what waits for a decision of the reader, the longest first; and many retries at once.

Rows never move by themselves: new requests are counted, and shown on demand.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.principal import Principal
from api.requests.bulk_decisions import MOST, BulkDecision
from api.requests.filters import RequestFilters, Sort
from api.requests.schemas import RequestSummary
from api.routes.query_values import aware
from api.services import Caller, Services, ServicesDep
from api.web import times
from api.web.forms import Posted, text_of
from api.web.pages.decision.posted import reason_of
from api.web.rendering import page
from api.web.targets import name_of
from api.web.words import CAUSES, _, ngettext
from pao.core.components import BUNDLE_ACTION_TYPES
from pao.core.errors import ErrorCode, PaoError
from pao.core.failure_classes import Cause
from pao.core.states import Decision, RequestStatus

router = APIRouter()

PER_PAGE = 50
READ_AT_ONCE = 10
FEWEST = 2
"""From this many similar failures on, retrying them together is offered."""
MINE, TEAMS, ALL = "mine", "teams", "all"
Whose = Annotated[str, Query(max_length=20)]
ActionType = Annotated[str, Query(alias="type", max_length=200)]
_NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class OutageFailures:
    """Requests that failed because one kind of target did not answer."""

    type: str
    sentence: str
    href: str


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The result for one request of a bulk decision, and its state now."""

    id: str
    title: str
    status: str
    retrying: bool
    said: str


@router.get("/waiting")
async def waiting(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    who: Whose = "",
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show what waits: failed requests and open approvals."""
    now, filters = times.now(), _filters(services, caller, who)
    waiting_page = await services.listing.page(
        caller, filters, cursor=cursor, limit=PER_PAGE, counted=True
    )
    failed = [one for one in waiting_page.data if one.status == RequestStatus.FAILED]
    next_cursor = waiting_page.pagination.next_cursor
    return page(
        request,
        "pages/waiting/waiting.html",
        who=_whose(services, caller, who),
        choices=_choices(services, caller),
        count=waiting_page.count or 0,
        failed=failed,
        approvals=[one for one in waiting_page.data if one not in failed],
        outages=await _outages(services, caller, who),
        causes=CAUSES,
        deciders={one.id: _deciders(services, one) for one in failed},
        since=now.isoformat(),
        after=_address(who=who, cursor=next_cursor) if next_cursor else None,
    )


def _deciders(services: Services, row: RequestSummary) -> str:
    """Return who may decide about a failed request, besides admins."""
    item = services.catalog.state.index.rows.get(row.catalog_item_id)
    owner = item.owner if item else None
    if owner is None:
        return _("%(who)s may decide.") % {"who": row.user.id}
    return _("%(who)s and %(team)s may decide.") % {"who": row.user.id, "team": owner}


@router.get("/waiting/new")
async def count_new(
    request: Request, services: ServicesDep, caller: Caller, since: datetime, who: Whose = ""
) -> Response:
    """Show how many requests have started to wait since the page was made; 204 for none."""
    filters = _filters(services, caller, who, after=aware("since", since))
    waiting_page = await services.listing.page(caller, filters, cursor=None, limit=1, counted=True)
    if not waiting_page.count:
        return Response(status_code=_NO_CONTENT)
    words = ngettext("%(n)s new", "%(n)s new", waiting_page.count) % {"n": waiting_page.count}
    return page(request, "pages/waiting/new.html", said=words, href=_address(who=who))


@router.get("/waiting/retry")
async def choose(
    request: Request, services: ServicesDep, caller: Caller, kind: ActionType, who: Whose = ""
) -> Response:
    """Show what would be retried together, to be confirmed with one reason."""
    rows = await _failures_of_type(services, caller, who, kind)
    return _retry_page(request, rows, kind, who, chosen=[one.id for one in rows])


@router.post("/waiting/retry")
async def begin(
    request: Request, services: ServicesDep, caller: Caller, posted: Posted
) -> Response:
    """Retry the chosen requests, then show what became of each."""
    kind, who = text_of(posted, "type"), text_of(posted, "who")
    chosen = [str(one) for one in posted.getlist("request")]
    reason, problems = reason_of(posted)
    if not chosen:
        problems.append(_("Choose at least one request."))
    try:
        key, ids = str(UUID(text_of(posted, "key"))), [str(UUID(one)) for one in chosen]
    except ValueError:
        raise PaoError(ErrorCode.NOT_FOUND, "") from None
    if problems:
        rows = await _failures_of_type(services, caller, who, kind)
        return _retry_page(request, rows, kind, who, chosen=ids, reason=reason, problems=problems)
    bulk = await services.bulk_decisions.begin(
        caller, decision_id=key, cause=Cause.TARGET_DOWN.value, reason=reason, requests=ids
    )
    await _run(services, caller, bulk)
    return RedirectResponse(f"/waiting/retries/{key}", 303)


@router.get("/waiting/arrived")
async def retry_received(
    request: Request, services: ServicesDep, caller: Caller, key: UUID
) -> Response:
    """Show whether a bulk decision was received, by its key."""
    try:
        bulk = await services.bulk_decisions.get(caller, str(key))
    except PaoError as error:
        if error.code != ErrorCode.NOT_FOUND:
            raise
        bulk = None
    return page(request, "pages/waiting/arrived.html", bulk=bulk)


@router.get("/waiting/retries/{decision_id}")
async def results(
    request: Request, services: ServicesDep, caller: Caller, decision_id: UUID
) -> Response:
    """Show what became of each request of a bulk decision."""
    bulk = await services.bulk_decisions.get(caller, str(decision_id))
    outcomes: list[BulkResult] = []
    for start in range(0, len(bulk.requests), READ_AT_ONCE):
        some = bulk.requests[start : start + READ_AT_ONCE]
        outcomes += await asyncio.gather(
            *(_bulk_result(services, caller, bulk, one) for one in some)
        )
    refused = sum(bool(one) for one in bulk.results.values())
    return page(
        request,
        "pages/waiting/results.html",
        bulk=bulk,
        outcomes=outcomes,
        taken=len(bulk.results) - refused,
        refused=refused,
        left=len(bulk.left),
    )


@router.post("/waiting/retries/{decision_id}")
async def resume(services: ServicesDep, caller: Caller, decision_id: UUID) -> Response:
    """Continue with what is left of a bulk decision."""
    bulk = await services.bulk_decisions.get(caller, str(decision_id))
    await _run(services, caller, bulk)
    return RedirectResponse(f"/waiting/retries/{decision_id}", 303)


async def _run(services: Services, caller: Principal, bulk: BulkDecision) -> None:
    done = await services.bulk_decisions.run(caller, bulk)
    for request_id in bulk.left:
        if (result := done.results.get(request_id)) is not None:
            outcome = "refused" if result else "open"
            services.metrics.decisions.labels(Decision.RETRY, outcome).inc()


def _whose(services: Services, caller: Principal, who: str) -> str:
    choices = [name for name, _label in _choices(services, caller)]
    return who if who in choices else choices[-1]


def _choices(services: Services, caller: Principal) -> list[tuple[str, str]]:
    """Return whose requests one may look at; admins decide about those of everybody."""
    choices = [(MINE, _("Mine")), (TEAMS, _("Mine and my teams'"))]
    return [*choices, (ALL, _("All"))] if services.access.is_admin(caller) else choices


def _filters(
    services: Services,
    caller: Principal,
    who: str,
    *,
    causes: tuple[Cause, ...] = (),
    after: datetime | None = None,
) -> RequestFilters:
    chosen = _whose(services, caller, who)
    return RequestFilters(
        decidable=True,
        sort=Sort.WAITING,
        user_id=caller.id if chosen == MINE else None,
        as_admin=chosen == ALL,
        causes=causes,
        waiting_after=after,
    )


async def _target_failures(services: Services, caller: Principal, who: str) -> list[RequestSummary]:
    """Return what failed because a target did not respond, where a retry is suggested."""
    filters = _filters(services, caller, who, causes=(Cause.TARGET_DOWN,))
    failed_page = await services.listing.page(caller, filters, cursor=None, limit=MOST)
    return [
        one
        for one in failed_page.data
        if one.status == RequestStatus.FAILED
        and one.waiting_action is not None
        and one.waiting_action.type not in BUNDLE_ACTION_TYPES
        and one.suggestion is not None
        and one.suggestion.decision == Decision.RETRY
    ]


async def _outages(services: Services, caller: Principal, who: str) -> list[OutageFailures]:
    types = Counter(
        one.waiting_action.type
        for one in await _target_failures(services, caller, who)
        if one.waiting_action is not None
    )
    return [
        OutageFailures(
            kind,
            _("%(n)s failed because %(target)s did not answer")
            % {"n": count, "target": name_of(kind)},
            "/waiting/retry?" + urlencode({"type": kind, "who": who}),
        )
        for kind, count in types.items()
        if count >= FEWEST
    ]


async def _failures_of_type(
    services: Services, caller: Principal, who: str, kind: str
) -> list[RequestSummary]:
    down = await _target_failures(services, caller, who)
    return [one for one in down if one.waiting_action and one.waiting_action.type == kind]


def _retry_page(
    request: Request,
    rows: list[RequestSummary],
    kind: str,
    who: str,
    *,
    chosen: list[str],
    reason: str = "",
    problems: list[str] | None = None,
) -> Response:
    return page(
        request,
        "pages/waiting/retry.html",
        status=422 if problems else 200,
        rows=rows,
        target=name_of(kind),
        kind=kind,
        who=who,
        chosen=chosen,
        reason=reason,
        problems=problems or [],
        key=str(uuid4()),
    )


async def _bulk_result(
    services: Services, caller: Principal, bulk: BulkDecision, request_id: str
) -> BulkResult:
    result = bulk.results.get(request_id)
    words = _("Not tried yet") if result is None else result or _("Retried")
    try:
        stored = await services.reading.get(caller, request_id)
    except PaoError:
        return BulkResult(request_id, request_id[:8], "", retrying=False, said=words)
    document = services.reading.present(stored)
    return BulkResult(request_id, document.title, document.status, document.retrying, words)


def _address(*, who: str, cursor: str | None = None) -> str:
    chosen = {name: value for name, value in (("who", who), ("cursor", cursor)) if value}
    return f"/waiting?{urlencode(chosen)}" if chosen else "/waiting"
