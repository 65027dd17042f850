"""The REST calls on tickets: create, read, search, move, comment, link."""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pao.local.jira_sandbox.jql import JqlError, Query, parse_jql
from pao.local.jira_sandbox.rest_base import Desk, JiraAnswer, read_object
from pao.local.jira_sandbox.shapes import View, link_type
from pao.local.jira_sandbox.store import Ticket
from pao.local.jira_sandbox.validation import (
    InvalidAdfError,
    check_fields,
    check_rich_text,
    project_of,
)
from pao.local.jira_sandbox.world import STATUSES, ApiVersion

_PAGE = 50
_GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at "
    "https://developer.atlassian.com/changelog/#CHANGE-2046"
)


def ticket_routes(desk: Desk) -> list[Route]:
    """Return the routes on tickets, in the desk's version."""
    root = desk.root
    return [
        Route(f"{root}/issue", desk.endpoint(_create), methods=["POST"]),
        Route(f"{root}/issue/{{key}}", desk.endpoint(_get), methods=["GET"]),
        Route(f"{root}/issue/{{key}}/transitions", desk.endpoint(_moves), methods=["GET"]),
        Route(f"{root}/issue/{{key}}/transitions", desk.endpoint(_move), methods=["POST"]),
        Route(f"{root}/issue/{{key}}/comment", desk.endpoint(_comments), methods=["GET"]),
        Route(f"{root}/issue/{{key}}/comment", desk.endpoint(_comment), methods=["POST"]),
        Route(f"{root}/issueLink", desk.endpoint(_link), methods=["POST"]),
        Route(f"{root}/search", desk.endpoint(_old_search), methods=["GET", "POST"]),
        Route(f"{root}/search/jql", desk.endpoint(_new_search), methods=["GET", "POST"]),
    ]


async def _create(request: Request, view: View) -> Response:
    fields = (await read_object(request)).get("fields")
    sent = {k: v for k, v in fields.items() if v is not None} if isinstance(fields, dict) else {}
    try:
        errors = check_fields(sent, view.version, view.settings)
    except InvalidAdfError:
        raise JiraAnswer(400, "INVALID_INPUT") from None
    if errors:
        raise JiraAnswer(400, errors=errors)
    project = project_of(sent["project"], view.settings)
    correlation_id = request.headers.get("X-Correlation-ID")
    ticket = view.store.create(str(project), sent, correlation_id=correlation_id)
    return JSONResponse(view.reference(ticket), 201)


async def _get(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    return JSONResponse(view.issue(ticket, _wanted(request.query_params.get("fields"))))


async def _moves(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    moves = [
        {"id": status.transition_id, "name": status.name, "to": status.document()}
        for status in STATUSES
        if status.name != ticket.status
    ]
    return JSONResponse({"expand": "transitions", "transitions": moves})


async def _move(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    wanted = (await read_object(request)).get("transition")
    given = str(wanted.get("id", "")) if isinstance(wanted, dict) else ""
    for status in STATUSES:
        if status.transition_id == given and status.name != ticket.status:
            view.store.move(ticket.key, status)
            return Response(status_code=204)
    raise JiraAnswer(400, f"Transition id '{given}' is not valid for this issue.")


async def _comments(request: Request, view: View) -> Response:
    return JSONResponse(view.comments(_ticket(view, request.path_params["key"])))


async def _comment(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    body = (await read_object(request)).get("body")
    try:
        wrong = check_rich_text(body, view.version)
    except InvalidAdfError:
        raise JiraAnswer(400, "INVALID_INPUT") from None
    if wrong or not body:
        raise JiraAnswer(400, errors={"comment": wrong or "Comment body can not be empty!"})
    return JSONResponse(view.comment(view.store.comment(ticket, body)), 201)


async def _link(request: Request, view: View) -> Response:
    document = await read_object(request)
    kind = link_type(str(_part(document, "type").get("name", "")))
    if kind is None:
        raise JiraAnswer(404, "No issue link type with that name found.")
    inward = _ticket(view, str(_part(document, "inwardIssue").get("key", "")))
    outward = _ticket(view, str(_part(document, "outwardIssue").get("key", "")))
    view.store.link(kind["name"], inward=inward.key, outward=outward.key)
    return Response(status_code=201)


async def _old_search(request: Request, view: View) -> Response:
    if view.version is ApiVersion.V3:
        raise JiraAnswer(410, _GONE)
    asked = await _asked(request)
    start, limit = _number(asked.get("startAt"), 0), _number(asked.get("maxResults"), _PAGE)
    tickets, total = _found(view, _query(asked), limit=limit, offset=start)
    wanted = _wanted(asked.get("fields"))
    issues = [view.issue(ticket, wanted) for ticket in tickets]
    return JSONResponse({"startAt": start, "maxResults": limit, "total": total, "issues": issues})


async def _new_search(request: Request, view: View) -> Response:
    if view.version is ApiVersion.V2:
        raise JiraAnswer(404, "null for uri: /rest/api/2/search/jql")
    asked = await _asked(request)
    if not str(asked.get("jql") or "").strip():
        raise JiraAnswer(400, "Unbounded JQL queries are not allowed here.")
    start, limit = _number(asked.get("nextPageToken"), 0), _number(asked.get("maxResults"), _PAGE)
    tickets, total = _found(view, _query(asked), limit=limit, offset=start)
    answer: dict[str, Any] = {"issues": [_hit(view, ticket, asked) for ticket in tickets]}
    following = start + len(tickets)
    answer["isLast"] = following >= total
    if not answer["isLast"]:
        answer["nextPageToken"] = str(following)
    return JSONResponse(answer)


def _hit(view: View, ticket: Ticket, asked: dict[str, Any]) -> dict[str, Any]:
    """Return a hit of Cloud's new search, which holds nothing but the id unless asked for more."""
    if asked.get("fields") is None:
        return {"id": str(ticket.id)}
    return view.issue(ticket, _wanted(asked["fields"]))


def _found(view: View, query: Query, *, limit: int, offset: int) -> tuple[list[Ticket], int]:
    indexed = datetime.now(UTC) - timedelta(seconds=view.settings.search_lag_seconds)
    return view.store.search(query, before=indexed, limit=limit, offset=offset)


async def _asked(request: Request) -> dict[str, Any]:
    if request.method == "POST":
        return await read_object(request)
    return dict(request.query_params)


def _query(asked: dict[str, Any]) -> Query:
    try:
        return parse_jql(str(asked.get("jql") or ""))
    except JqlError as exc:
        raise JiraAnswer(400, str(exc)) from None


def _number(given: Any, default: int) -> int:
    text = str(given) if given is not None else ""
    return min(int(text), 1000) if text.isdecimal() and len(text) < 10 else default  # noqa: PLR2004 -- ten digits are no page


def _wanted(fields: Any) -> frozenset[str] | None:
    if fields is None:
        return None
    names = fields.split(",") if isinstance(fields, str) else [str(name) for name in fields]
    return None if {"*all", "*navigable"} & set(names) else frozenset(names)


def _ticket(view: View, key: str) -> Ticket:
    ticket = view.store.get(key)
    if ticket is None:
        raise JiraAnswer(404, "Issue does not exist or you do not have permission to see it.")
    return ticket


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}
