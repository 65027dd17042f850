"""The REST calls on what exists besides tickets: server, account, projects, types, statuses."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.jira.rest_base import JiraApi, JiraResponseError
from sandbox.jira.settings import (
    CATEGORIES,
    CUSTOM_FIELDS,
    EPIC_LINK,
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    STATUSES,
    ApiVersion,
    Screen,
)
from sandbox.jira.shapes import View, id_and_name

_FIELDS = (
    ("project", "project", True),
    ("issuetype", "issuetype", True),
    ("summary", "string", True),
    ("description", "string", False),
    ("priority", "priority", False),
    ("labels", "array", False),
    ("components", "array", False),
    ("assignee", "user", False),
)


def meta_routes(api: JiraApi) -> list[Route]:
    """Return the routes that only read; the server's own description needs no credentials."""
    served = {
        "myself": _myself,
        "project": _projects,
        "project/search": _project_page,
        "project/{key}": _project,
        "priority": _priorities,
        "issuetype": _issue_types,
        "issueLinkType": _link_types,
        "field": _all_fields,
        "status": _statuses,
        "statuscategory": _categories,
        "issue/createmeta": _old_meta,
        "issue/createmeta/{key}/issuetypes": _meta_types,
        "issue/createmeta/{key}/issuetypes/{type}": _meta_fields,
    }
    routes = [
        Route(f"{api.root}/{path}", api.endpoint(handler)) for path, handler in served.items()
    ]
    return [Route(f"{api.root}/serverInfo", api.public(_server_info)), *routes]


async def _server_info(_: Request, view: View) -> Response:
    cloud = view.version is ApiVersion.V3
    return JSONResponse(
        {
            "baseUrl": view.base_url,
            "version": "1001.0.0-SNAPSHOT" if cloud else "9.12.0",
            "deploymentType": "Cloud" if cloud else "Server",
            "serverTitle": "JIRA stand-in",
        }
    )


async def _myself(_: Request, view: View) -> Response:
    return JSONResponse(view.user())


async def _projects(_: Request, view: View) -> Response:
    return JSONResponse(_all_projects(view))


async def _project_page(_: Request, view: View) -> Response:
    values = _all_projects(view)
    page = {"values": values, "total": len(values), "isLast": True, "startAt": 0}
    return JSONResponse({**page, "maxResults": len(values)})


async def _project(request: Request, view: View) -> Response:
    key = _known_project(request, view)
    types = [id_and_name(ISSUE_TYPES, name) for _, name in ISSUE_TYPES]
    return JSONResponse({**view.project(key), "issueTypes": types})


async def _priorities(_: Request, __: View) -> Response:
    return JSONResponse([id_and_name(PRIORITIES, name) for _, name in PRIORITIES])


async def _issue_types(_: Request, __: View) -> Response:
    return JSONResponse([id_and_name(ISSUE_TYPES, name) for _, name in ISSUE_TYPES])


async def _link_types(_: Request, __: View) -> Response:
    names = ("id", "name", "inward", "outward")
    types = [dict(zip(names, known, strict=True)) for known in LINK_TYPES]
    return JSONResponse({"issueLinkTypes": types})


async def _statuses(_: Request, __: View) -> Response:
    return JSONResponse([status.document() for status in STATUSES])


async def _all_fields(_: Request, view: View) -> Response:
    known = [
        {"id": name, "name": name.title(), "custom": False, "schema": {"type": kind}}
        for name, kind, _ in _FIELDS
    ]
    epic = {
        "id": EPIC_LINK,
        "name": "Epic Link",
        "custom": True,
        "schema": {"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-epic-link"},
    }
    custom = [
        {"id": one.id, "name": one.name, "custom": True, "schema": one.schema}
        for one in CUSTOM_FIELDS
    ]
    epics = [epic] if view.version is ApiVersion.V2 else []
    return JSONResponse([*known, *custom, *epics])


async def _categories(_: Request, __: View) -> Response:
    return JSONResponse([category.document() for category in CATEGORIES])


async def _old_meta(request: Request, view: View) -> Response:
    if not view.settings.old_meta:
        raise JiraResponseError(404, "Issue Does Not Exist")
    wanted = request.query_params.get("projectKeys")
    keys = [key for key in view.settings.projects if not wanted or key in wanted.split(",")]
    projects = []
    for key in keys:
        screen = view.settings.screen(key)
        fields = {one["fieldId"]: one for one in _meta(screen)}
        types = [{**kind, "fields": fields} for kind in _types(screen)]
        projects.append({**view.project(key), "issuetypes": types})
    return JSONResponse({"projects": [one for one in projects if one["issuetypes"]]})


async def _meta_types(request: Request, view: View) -> Response:
    screen = _paged_screen(request, view)
    return JSONResponse(_page(_types(screen), request, view, "issueTypes"))


async def _meta_fields(request: Request, view: View) -> Response:
    screen = _paged_screen(request, view)
    if request.path_params["type"] not in {kind["id"] for kind in _types(screen)}:
        raise JiraResponseError(404, "Issue type does not exist.")
    return JSONResponse(_page(_meta(screen), request, view, "fields"))


def _paged_screen(request: Request, view: View) -> Screen:
    if not view.settings.paged_meta:
        raise JiraResponseError(404, "Issue Does Not Exist")
    return view.settings.screen(_known_project(request, view))


def _page(values: list[Any], request: Request, view: View, cloud_name: str) -> dict[str, Any]:
    name = cloud_name if view.version is ApiVersion.V3 else "values"
    start = int(request.query_params.get("startAt", "0"))
    most = min(int(request.query_params.get("maxResults", "50")), view.settings.meta_page)
    shown = values[start : start + most]
    page = {"startAt": start, "maxResults": most, "total": len(values), name: shown}
    # Cloud leaves out whether it is the last.
    last = {} if view.version is ApiVersion.V3 else {"isLast": start + most >= len(values)}
    return {**page, **last}


def _types(screen: Screen) -> list[dict[str, Any]]:
    if not screen.may_create:
        return []
    names = [name for _, name in ISSUE_TYPES if screen.types is None or name in screen.types]
    return [{**(id_and_name(ISSUE_TYPES, name) or {}), "subtask": False} for name in names]


def _meta(screen: Screen) -> list[dict[str, Any]]:
    priorities = [name for _, name in PRIORITIES]
    allowed = screen.priorities or tuple(priorities)
    standard = [
        {
            "fieldId": name,
            "name": name.title(),
            "required": required,
            "hasDefaultValue": name == "priority",
            "schema": {"type": kind},
            **({"allowedValues": _values(allowed)} if name == "priority" else {}),
        }
        for name, kind, required in _FIELDS
        if name not in screen.without
    ]
    custom = [
        {
            "fieldId": one.id,
            "name": one.name,
            "required": one.id in screen.required,
            "hasDefaultValue": False,
            "schema": one.schema,
            **({"allowedValues": [{"value": name} for name in one.options]} if one.options else {}),
        }
        for one in CUSTOM_FIELDS
        if one.id not in screen.without
    ]
    return [*standard, *custom]


def _values(names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [dict(id_and_name(PRIORITIES, name) or {}) for name in names]


def _all_projects(view: View) -> list[dict[str, Any]]:
    return [view.project(key) for key in view.settings.projects]


def _known_project(request: Request, view: View) -> str:
    key = str(request.path_params["key"])
    if key not in view.settings.projects:
        raise JiraResponseError(404, f"No project could be found with key '{key}'.")
    return key
