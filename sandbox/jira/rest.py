"""The REST calls on one ticket: create, read, move, comment, link, attach."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.jira.rest_base import JiraApi, JiraResponseError, read_object
from sandbox.jira.rest_search import wanted_fields
from sandbox.jira.settings import STATUSES
from sandbox.jira.shapes import View, link_type
from sandbox.jira.store import StoredTicket
from sandbox.jira.uploads import read_files
from sandbox.jira.validation import (
    InvalidAdfError,
    check_fields,
    check_rich_text,
    project_of,
)

_ATTACHMENT_LIMIT = 10 * 1024 * 1024


def ticket_routes(api: JiraApi) -> list[Route]:
    """Return the routes on tickets, for its API version."""
    root = api.root
    return [
        Route(f"{root}/issue", api.endpoint(_create), methods=["POST"]),
        Route(f"{root}/issue/{{key}}", api.endpoint(_get), methods=["GET"]),
        Route(f"{root}/issue/{{key}}", api.endpoint(_edit), methods=["PUT"]),
        Route(f"{root}/issue/{{key}}/transitions", api.endpoint(_moves), methods=["GET"]),
        Route(f"{root}/issue/{{key}}/transitions", api.endpoint(_move), methods=["POST"]),
        Route(f"{root}/issue/{{key}}/comment", api.endpoint(_comments), methods=["GET"]),
        Route(f"{root}/issue/{{key}}/comment", api.endpoint(_comment), methods=["POST"]),
        Route(f"{root}/issueLink", api.endpoint(_link), methods=["POST"]),
        Route(f"{root}/issue/{{key}}/attachments", api.endpoint(_attach), methods=["POST"]),
    ]


async def _create(request: Request, view: View) -> Response:
    fields = (await read_object(request)).get("fields")
    sent = {k: v for k, v in fields.items() if v is not None} if isinstance(fields, dict) else {}
    try:
        errors = check_fields(sent, view.version, view.settings)
    except InvalidAdfError:
        raise JiraResponseError(400, "INVALID_INPUT") from None
    if errors:
        raise JiraResponseError(400, errors=errors)
    project = project_of(sent["project"], view.settings)
    correlation_id = request.headers.get("X-Correlation-ID")
    ticket = view.store.create(str(project), sent, correlation_id=correlation_id)
    return JSONResponse(view.reference(ticket), 201)


async def _get(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    return JSONResponse(view.issue(ticket, wanted_fields(request.query_params.get("fields"))))


async def _edit(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    sent = (await read_object(request)).get("fields")
    if not isinstance(sent, dict) or not sent:
        raise JiraResponseError(400, "INVALID_INPUT")
    if "project" in sent:
        raise JiraResponseError(400, errors={"project": "Field 'project' cannot be set."})
    wanted = {name: value for name, value in {**ticket.fields, **sent}.items() if value is not None}
    try:
        errors = check_fields(wanted, view.version, view.settings)
    except InvalidAdfError:
        raise JiraResponseError(400, "INVALID_INPUT") from None
    if errors:
        raise JiraResponseError(400, errors=errors)
    view.store.edit(ticket, wanted)
    return Response(status_code=204)


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
    raise JiraResponseError(400, f"Transition id '{given}' is not valid for this issue.")


async def _comments(request: Request, view: View) -> Response:
    return JSONResponse(view.comments(_ticket(view, request.path_params["key"])))


async def _comment(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    body = (await read_object(request)).get("body")
    try:
        wrong = check_rich_text(body, view.version)
    except InvalidAdfError:
        raise JiraResponseError(400, "INVALID_INPUT") from None
    if wrong or not body:
        raise JiraResponseError(400, errors={"comment": wrong or "Comment body can not be empty!"})
    return JSONResponse(view.comment(view.store.comment(ticket, body)), 201)


async def _link(request: Request, view: View) -> Response:
    document = await read_object(request)
    kind = link_type(str(_part(document, "type").get("name", "")))
    if kind is None:
        raise JiraResponseError(404, "No issue link type with that name found.")
    inward = _ticket(view, str(_part(document, "inwardIssue").get("key", "")))
    outward = _ticket(view, str(_part(document, "outwardIssue").get("key", "")))
    view.store.link(kind["name"], inward=inward.key, outward=outward.key)
    return Response(status_code=201)


async def _attach(request: Request, view: View) -> Response:
    ticket = _ticket(view, request.path_params["key"])
    if request.headers.get("X-Atlassian-Token") != "no-check":
        raise JiraResponseError(403, "XSRF check failed")
    if not view.settings.attachments:
        raise JiraResponseError(
            403, "You do not have permission to create attachments for this issue."
        )
    files = read_files(request.headers.get("Content-Type", ""), await request.body())
    if not files:
        raise JiraResponseError(400, "No file was found in the request.")
    if any(len(file.content) > _ATTACHMENT_LIMIT for file in files):
        raise JiraResponseError(413, "The file is larger than the limit of 10 MB.")
    made = [
        view.store.attach(ticket, file.name, media_type=file.media_type, content=file.content)
        for file in files
    ]
    return JSONResponse([view.attachment(one) for one in made])


def _ticket(view: View, key: str) -> StoredTicket:
    ticket = view.store.get(key)
    if ticket is None:
        raise JiraResponseError(
            404, "Issue does not exist or you do not have permission to see it."
        )
    return ticket


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}
