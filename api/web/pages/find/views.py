"""`/find`: pages, services and one's own requests by a few letters; the palette shows the same."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.catalog.index import CatalogQuery
from api.requests.filters import RequestFilters
from api.services import Caller, Services, ServicesDep
from api.web.rendering import is_partial, navigation, page
from api.web.words import STATES, _, ngettext
from pao.core.errors import ErrorCode, PaoError

router = APIRouter()

MOST_SERVICES, MOST_REQUESTS = 8, 5
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class FindResult:
    """Something with an address."""

    name: str
    about: str
    href: str


@dataclass(frozen=True, slots=True)
class ResultGroup:
    """The results of one kind."""

    title: str
    found: list[FindResult]


@router.get("/find")
async def find(request: Request, services: ServicesDep, caller: Caller, q: Word = "") -> Response:
    """Show what a few letters may mean; htmx and the palette get the results alone."""
    words = q.replace("\x00", "").strip()
    kinds = [
        ResultGroup(_("Services"), _services(services, words)),
        ResultGroup(_("Requests"), await _requests(services, caller, words)),
        ResultGroup(
            _("Pages"),
            [
                FindResult(one.label, "", one.href)
                for one in navigation(request, caller)
                if words.casefold() in one.label.casefold()
            ],
        ),
    ]
    count = sum(len(one.found) for one in kinds)
    return page(
        request,
        f"pages/find/{'results' if is_partial(request) else 'find'}.html",
        headers={"Vary": "HX-Request-Type"},
        q=q,
        kinds=[one for one in kinds if one.found],
        told=ngettext("%(n)s result", "%(n)s results", count) % {"n": count},
    )


def _services(services: Services, words: str) -> list[FindResult]:
    if not words:
        return []
    rows = services.catalog.state.index.find(CatalogQuery(q=words)).rows
    return [
        FindResult(row.name, row.owner or "", f"/catalog/{row.id}")
        for _rank, row in rows[:MOST_SERVICES]
    ]


async def _requests(services: Services, caller: Caller, words: str) -> list[FindResult]:
    """Return the request that is named exactly, of any requester, and the reader's own ones."""
    filters = RequestFilters(user_id=caller.id, text=words or None)
    requests_page = await services.listing.page(caller, filters, cursor=None, limit=MOST_REQUESTS)
    found = {
        one.id: FindResult(one.title, STATES[one.status], f"/requests/{one.id}")
        for one in requests_page.data
    }
    request_id = await _find_reference(services, caller, words) if words else None
    if request_id is None or request_id in found:
        return list(found.values())
    return [FindResult(words, _("Request"), f"/requests/{request_id}"), *found.values()]


async def _find_reference(services: Services, caller: Caller, words: str) -> str | None:
    try:
        return await services.references.resolve(caller, words)
    except PaoError as error:
        if error.code not in {ErrorCode.REQUEST_NOT_FOUND, ErrorCode.AMBIGUOUS_REFERENCE}:
            raise
        return None
