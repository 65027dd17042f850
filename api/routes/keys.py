"""HTTP for access keys. Decides nothing."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.bodies import JsonRoute
from api.keys.schemas import (
    ISSUED,
    KEY,
    KEYS,
    SESSION,
    AccessKey,
    AccessKeys,
    IssuedKey,
    NewKeyBody,
    OpenedSession,
)
from api.responses import documented
from api.routes.parameters import Cursor, Limit, OtherUser
from api.routes.query_values import storable
from api.services import Caller, ServicesDep

router = APIRouter(tags=["administration"], route_class=JsonRoute)

KeyId = Annotated[str, Path(max_length=100, description="Id of the access key")]


@router.get(
    "/keys", summary="List access keys", responses=documented({200: KEYS}, 400, 401, 403, 429, 503)
)
async def list_keys(
    services: ServicesDep,
    caller: Caller,
    user_id: OtherUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AccessKeys:
    """List the caller's own keys, or for admins those of others. Secrets are never shown."""
    user = storable("userId", user_id)
    return await services.keys.page(caller, user=user, cursor=cursor, limit=limit)


@router.post(
    "/keys",
    status_code=201,
    summary="Issue an access key",
    responses=documented({201: ISSUED}, 400, 401, 403, 408, 413, 422, 429, 503),
)
async def issue_key(services: ServicesDep, caller: Caller, body: NewKeyBody) -> IssuedKey:
    """Issue a key for a user; for admins. The answer is the only one that has its secret.

    If the answer is lost, issue another key and revoke this one: the list shows it, never used.
    """
    return await services.keys.issue(caller, body)


@router.post(
    "/sessions",
    status_code=201,
    summary="Open a session",
    responses=documented({201: SESSION}, 401, 403, 429, 503),
)
async def open_session(services: ServicesDep, caller: Caller) -> OpenedSession:
    """Return an access key for an hour, for a caller identified by any identity source.

    Calls are then signed with it as with any access key. A session cannot open another session.
    """
    return await services.keys.open_session(caller)


@router.delete(
    "/keys/{access_key_id}",
    summary="Revoke an access key",
    responses=documented({200: KEY}, 400, 401, 404, 429, 503),
)
async def revoke_key(services: ServicesDep, caller: Caller, access_key_id: KeyId) -> AccessKey:
    """Make a key invalid: the caller's own, or for admins anybody's. It ends its sessions too.

    It takes effect in every process with the next call. A repeat changes nothing.
    """
    return await services.keys.revoke(caller, storable("access_key_id", access_key_id) or "")
