"""The REST calls that find tickets or read many of them at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.jira.jql import JqlError, JqlQuery, parse_jql
from sandbox.jira.rest_base import JiraApi, JiraResponseError, read_object
from sandbox.jira.settings import LATE_INDEX, ApiVersion
from sandbox.jira.shapes import View
from sandbox.jira.store import StoredTicket

_PAGE = 50
_GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at "
    "https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_BULK = 100


def search_routes(api: JiraApi) -> list[Route]:
    """Return the routes, for its API version."""
    root = api.root
    return [
        Route(f"{root}/search", api.endpoint(_old_search), methods=["GET", "POST"]),
        Route(f"{root}/search/jql", api.endpoint(_new_search), methods=["GET", "POST"]),
        Route(f"{root}/issue/bulkfetch", api.endpoint(_bulk_fetch), methods=["POST"]),
    ]


async def _old_search(request: Request, view: View) -> Response:
    if view.version is ApiVersion.V3:
        raise JiraResponseError(410, _GONE)
    asked = await _parameters(request)
    start, limit = _number(asked.get("startAt"), 0), _number(asked.get("maxResults"), _PAGE)
    tickets, total = _search(request, view, _query(asked, view), limit=limit, offset=start)
    wanted = wanted_fields(asked.get("fields"))
    issues = [view.issue(ticket, wanted) for ticket in tickets]
    return JSONResponse({"startAt": start, "maxResults": limit, "total": total, "issues": issues})


async def _new_search(request: Request, view: View) -> Response:
    if view.version is ApiVersion.V2:
        raise JiraResponseError(404, "null for uri: /rest/api/2/search/jql")
    asked = await _parameters(request)
    if not str(asked.get("jql") or "").strip():
        raise JiraResponseError(400, "Unbounded JQL queries are not allowed here.")
    start, limit = _number(asked.get("nextPageToken"), 0), _number(asked.get("maxResults"), _PAGE)
    tickets, total = _search(request, view, _query(asked, view), limit=limit, offset=start)
    answer: dict[str, Any] = {"issues": [_hit(view, ticket, asked) for ticket in tickets]}
    following = start + len(tickets)
    answer["isLast"] = following >= total
    if not answer["isLast"]:
        answer["nextPageToken"] = str(following)
    return JSONResponse(answer)


def _hit(view: View, ticket: StoredTicket, asked: dict[str, Any]) -> dict[str, Any]:
    """Return a hit of Cloud's new search, which holds nothing but the id unless asked for more."""
    if asked.get("fields") is None:
        return {"id": str(ticket.id)}
    return view.issue(ticket, wanted_fields(asked["fields"]))


def _search(
    request: Request, view: View, query: JqlQuery, *, limit: int, offset: int
) -> tuple[list[StoredTicket], int]:
    lag = request.scope.get(LATE_INDEX, view.settings.search_lag_seconds)
    indexed = datetime.now(UTC) - timedelta(seconds=lag)
    return view.store.search(query, before=indexed, limit=limit, offset=offset)


async def _parameters(request: Request) -> dict[str, Any]:
    if request.method == "POST":
        return await read_object(request)
    return dict(request.query_params)


def _query(asked: dict[str, Any], view: View) -> JqlQuery:
    try:
        query = parse_jql(str(asked.get("jql") or ""))
    except JqlError as exc:
        raise JiraResponseError(400, str(exc)) from None
    if str(asked.get("validateQuery", "true")).lower() != "false":
        _refuse_unknown(query, view)
    return query


def _refuse_unknown(query: JqlQuery, view: View) -> None:
    """Refuse the whole query where it names a ticket that does not exist, as JIRA does."""
    unknown = [key for key in query.keys if view.store.get(key) is None]
    if unknown:
        texts = [f"An issue with key '{key}' does not exist for field 'key'." for key in unknown]
        raise JiraResponseError(400, *texts)


def _number(given: Any, default: int) -> int:
    text = str(given) if given is not None else ""
    return min(int(text), 1000) if text.isdecimal() and len(text) < 10 else default  # noqa: PLR2004 -- ten digits are no page


async def _bulk_fetch(request: Request, view: View) -> Response:
    if view.version is ApiVersion.V2:
        raise JiraResponseError(404, "null for uri: /rest/api/2/issue/bulkfetch")
    asked = await read_object(request)
    keys = asked.get("issueIdsOrKeys")
    if not isinstance(keys, list) or not 0 < len(keys) <= _BULK:
        raise JiraResponseError(400, f"Between 1 and {_BULK} issue ids or keys are wanted.")
    found = [(str(key), view.store.get(str(key))) for key in keys]
    wanted = wanted_fields(asked.get("fields"))
    missing = [key for key, ticket in found if ticket is None]
    return JSONResponse(
        {
            "issues": [view.issue(ticket, wanted) for _, ticket in found if ticket],
            "issueErrors": [{"id": key, "errorMessage": "Issue not found"} for key in missing],
        }
    )


def wanted_fields(fields: Any) -> frozenset[str] | None:
    """Return the names of the fields that are asked for; None: all."""
    if fields is None:
        return None
    names = fields.split(",") if isinstance(fields, str) else [str(name) for name in fields]
    return None if {"*all", "*navigable"} & set(names) else frozenset(names)
