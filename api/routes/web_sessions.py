"""HTTP for signing in to the pages, and for seeing and ending who is signed in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request

from api.responses import documented
from api.routes.parameters import OtherUser
from api.routes.query_values import storable
from api.services import Caller, ServicesDep
from api.sessions.schemas import (
    SESSION,
    SESSIONS,
    SIGN_IN,
    WebSession,
    WebSessions,
    WebSignIn,
)
from db.repositories.web_sessions import StoredSession
from pao.core.errors import ErrorCode, PaoError

router = APIRouter(tags=["web sessions"])

SessionId = Annotated[UUID, Path(description="Id of the session")]


@router.post(
    "/web-sign-ins",
    status_code=201,
    summary="Get a link to the pages",
    responses=documented({201: SIGN_IN}, 401, 403, 429, 503),
)
async def create_web_sign_in(request: Request, services: ServicesDep, caller: Caller) -> WebSignIn:
    """Return a link that signs the caller in to the pages: good for a minute, and once.

    Whoever opens it is asked to confirm first. The session ends when the access key is revoked.
    """
    address = services.web_address.of(request.scope) if services.web_address else None
    if address is None:
        raise PaoError(
            ErrorCode.FORBIDDEN,
            "Signing in to the pages is not possible here: the operator must set PAO_PUBLIC_URL to "
            "their address, and leave PAO_WEB on.",
        )
    sign_in = await services.sessions.sign_in(caller)
    return WebSignIn(url=f"{address}/signin#{sign_in.code}", expires_at=sign_in.expires_at)


@router.get(
    "/web-sessions",
    summary="List who is signed in to the pages",
    responses=documented({200: SESSIONS}, 400, 401, 403, 429, 503),
)
async def list_web_sessions(
    services: ServicesDep,
    caller: Caller,
    user_id: OtherUser = None,
) -> WebSessions:
    """List the caller's open sessions, or for admins those of others."""
    user = services.access.listed_user(caller, storable("userId", user_id), things="sessions")
    return WebSessions(
        data=[_session_schema(one) for one in await services.sessions.list(user_id=user)]
    )


@router.delete(
    "/web-sessions/{session_id}",
    summary="End a session of the pages",
    responses=documented({200: SESSION}, 400, 401, 404, 429, 503),
)
async def end_web_session(
    services: ServicesDep, caller: Caller, session_id: SessionId
) -> WebSession:
    """End a session of the caller's own, or of anybody's for admins; returns what it was."""
    ended = await services.sessions.end(
        str(session_id), caller=caller, is_admin=services.access.is_admin(caller)
    )
    return _session_schema(ended)


def _session_schema(stored: StoredSession) -> WebSession:
    return WebSession(
        id=stored.id,
        user=stored.user_id,
        source=stored.source,
        access_key_id=stored.access_key_id,
        user_agent=stored.user_agent,
        created_at=stored.created_at,
        seen_at=stored.seen_at,
        ends_at=stored.ends_at,
    )
