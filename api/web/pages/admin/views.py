"""`/admin`: what admins see and do; each view is a tab with its own address."""

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import RedirectResponse, Response

from api.keys.schemas import NewKeyBody
from api.requests.downloads import Download
from api.services import Caller, Services, ServicesDep
from api.web import times
from api.web.forms import Posted, text_of
from api.web.pages.admin.browsers import browser_in_words
from api.web.pages.admin.health import STATE_WORDS, parts_of, row_of
from api.web.rendering import page
from api.web.words import _
from pao.core.errors import ErrorCode, PaoError

HEALTH, KEYS, SESSIONS, AUDIT = "/admin", "/admin/keys", "/admin/sessions", "/admin/audit"
TABS = (
    (_("Health"), HEALTH),
    (_("Access keys"), KEYS),
    (_("Sessions"), SESSIONS),
    (_("Audit trail"), AUDIT),
)
_REFUSED = 422
_ROWS = 50
_LABELS = {
    "user": _("User"),
    "teams": _("Teams"),
    "email": _("E-mail"),
    "expiresIn": _("Valid for"),
    "note": _("Note"),
}


async def _require_admin(services: ServicesDep, caller: Caller) -> None:
    if not services.access.is_admin(caller):
        raise PaoError(ErrorCode.FORBIDDEN, _("Only admins see this page."))


router = APIRouter(prefix="/admin", dependencies=[Depends(_require_admin)])

Cursor = Annotated[str | None, Query(max_length=2000)]
Text = Annotated[str, Query(max_length=200)]


class AuditQuery(BaseModel):
    """The filters of the trail as they stand in the address."""

    actor: str = Field("", max_length=200)
    event: str = Field("", max_length=100)
    about: str = Field("", max_length=255)
    cursor: str | None = Field(None, max_length=2000)


@router.get("")
async def health(request: Request, services: ServicesDep) -> Response:
    """Show the state of every part, circuit breakers and background tasks among them."""
    found = await services.health.health()
    components, now = found.components.model_dump(), times.now()
    return _admin_page(
        request,
        "health.html",
        HEALTH,
        status_word=STATE_WORDS.get(found.status, found.status),
        version=found.version,
        parts=list(parts_of(components, now)),
        breakers=[row_of(name, one, now) for name, one in components["breakers"].items()],
    )


@router.get("/keys")
async def keys(
    request: Request, services: ServicesDep, caller: Caller, user: Text = "", cursor: Cursor = None
) -> Response:
    """List all access keys, or those of one user."""
    return await _keys(request, services, caller, user=user, cursor=cursor)


@router.post("/keys")
async def issue_key(
    request: Request, services: ServicesDep, caller: Caller, posted: Posted
) -> Response:
    """Issue a key, and show its secret on the answer itself: it is in no address and no history."""
    given = {name: text_of(posted, name).strip() for name in _LABELS}
    values: dict[str, Any] = {name: text or None for name, text in given.items()}
    values |= {"user": given["user"], "teams": given["teams"].replace(",", " ").split()}
    try:
        issued = await services.keys.issue(caller, NewKeyBody.model_validate(values))
    except ValidationError as error:
        problems = {
            str(one["loc"][0]): _problem_words(str(one["loc"][0]), one["type"])
            for one in error.errors()
        }
    except PaoError as error:
        if error.code is not ErrorCode.VALIDATION_ERROR:
            raise
        problems = {detail.field: detail.message for detail in error.details}
    else:
        return _admin_page(request, "issued.html", KEYS, issued=issued)
    return await _keys(request, services, caller, given=given, problems=problems)


@router.get("/keys/{access_key_id}/revoke")
async def confirm_revocation(request: Request, access_key_id: str) -> Response:
    """Ask for confirmation before a key is revoked: it cannot be undone."""
    return _admin_page(request, "revoke.html", KEYS, access_key_id=access_key_id[:100])


@router.post("/keys/{access_key_id}/revoke")
async def revoke_key(services: ServicesDep, caller: Caller, access_key_id: str) -> Response:
    """Revoke a key."""
    revoked = await services.keys.revoke(caller, _clean(access_key_id))
    return RedirectResponse(f"{KEYS}?{urlencode({'user': revoked.user})}", 303)


@router.get("/sessions")
async def sessions(request: Request, services: ServicesDep) -> Response:
    """List who is signed in to the pages."""
    return _admin_page(
        request,
        "sessions.html",
        SESSIONS,
        sessions=await services.sessions.list(user_id=None),
        own=request.state.session.id,
        browser=browser_in_words,
    )


@router.post("/sessions/{session_id}/end")
async def end_session(services: ServicesDep, caller: Caller, session_id: UUID) -> Response:
    """End a session of any user."""
    await services.sessions.end(str(session_id), caller=caller, is_admin=True)
    return RedirectResponse(SESSIONS, 303)


@router.get("/audit")
async def audit(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    wanted: Annotated[AuditQuery, Query()],
) -> Response:
    """List the audit trail, the newest first."""
    problem, lines, next_cursor = "", [], None
    try:
        filters = await services.audit.filters(caller, **_audit_filters(wanted))
    except PaoError as error:
        problem = error.message
    else:
        found = await services.audit.page(caller, filters, cursor=wanted.cursor, limit=_ROWS)
        lines, next_cursor = found.data, found.pagination.next_cursor
    return _admin_page(
        request,
        "audit.html",
        AUDIT,
        status=_REFUSED if problem else 200,
        asked=wanted,
        lines=lines,
        following=next_cursor,
        problem=problem,
    )


@router.get("/audit.ndjson")
async def audit_ndjson(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    wanted: Annotated[AuditQuery, Query()],
) -> Response:
    """Download every line that the filters leave, as JSON."""
    filters = await services.audit.filters(caller, **_audit_filters(wanted))
    return Download(
        services.audit.ndjson(filters),
        services.streams,
        caller.id,
        is_allowed=partial(services.sessions.is_open, request.state.session.id),
        media_type="application/x-ndjson",
        file="pao-audit.ndjson",
    )


def _audit_filters(wanted: AuditQuery) -> dict[str, Any]:
    """Return the filters that an address asks for; empty ones filter by nothing."""
    event = _clean(wanted.event)
    return {
        "actor": _clean(wanted.actor) or None,
        "event_types": (event,) if event else (),
        "request": _clean(wanted.about) or None,
    }


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


async def _keys(
    request: Request,
    services: Services,
    caller: Caller,
    *,
    user: str = "",
    cursor: str | None = None,
    given: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    wanted = _clean(user)
    found = await services.keys.page(caller, user=wanted or "all", cursor=cursor, limit=_ROWS)
    return _admin_page(
        request,
        "keys.html",
        KEYS,
        status=_REFUSED if problems else 200,
        keys=found.data,
        following=found.pagination.next_cursor,
        user=wanted,
        labels=_LABELS,
        given=given or dict.fromkeys(_LABELS, ""),
        problems=problems or {},
    )


def _problem_words(field: str, kind: str) -> str:
    if kind.startswith("string_too_long"):
        return _("%(field)s is too long.") % {"field": _LABELS[field]}
    words = {
        "user": _("User must be 1 to 100 letters, digits and . @ + : / _ -"),
        "teams": _("Each team must be 1 to 100 letters, digits and . @ + : / _ -"),
        "email": _("E-mail must be an address, such as dana@example.com"),
    }
    return words.get(field, _("%(field)s is invalid.") % {"field": _LABELS.get(field, field)})


def _admin_page(
    request: Request, template: str, tab: str, *, status: int = 200, **given: Any
) -> Response:
    return page(request, f"pages/admin/{template}", status=status, tabs=TABS, tab=tab, **given)
