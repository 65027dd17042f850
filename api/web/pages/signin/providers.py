"""`/signin/oidc` and `/signin/alb`: an identity provider, or a load balancer, says who is there."""

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.claims import ClaimedUser
from api.services import ServicesDep
from api.sessions.oidc import LIFETIME, OidcSignIn, SignInError
from api.sessions.sign_in_methods import ALB, OIDC
from api.web.pages.signin.cookies import HOME, address_of, local_path, sign_in_response, user_agent
from api.web.pages.signin.views import sign_in_page
from api.web.words import _
from pao.core.errors import ErrorCode, PaoError

router = APIRouter()

_log = logging.getLogger(__name__)

BEGIN = "/signin/oidc"
CALLBACK = "/signin/oidc/callback"
To = Annotated[str, Query(max_length=2000)]


@router.get(BEGIN)
async def begin(request: Request, services: ServicesDep, to: To = HOME) -> Response:
    """Redirect the browser to the identity provider.

    A link, not a form: the policy of our pages lets forms lead nowhere else.
    """
    oidc = _require_configured(services.sign_in_methods.oidc)
    address, here = address_of(request, services)
    start = await oidc.begin(redirect_uri=here + CALLBACK, to=local_path(to))
    answer = RedirectResponse(start.url, 303)
    answer.set_cookie(
        address.sign_in_cookie(request.scope),
        start.cookie,
        max_age=int(LIFETIME.total_seconds()),
        path=BEGIN,
        secure=address.is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(CALLBACK)
async def finish(request: Request, services: ServicesDep) -> Response:
    """Open a session for the user that the provider names, if this browser started it here."""
    oidc = _require_configured(services.sign_in_methods.oidc)
    address, here = address_of(request, services)
    cookie = address.sign_in_cookie(request.scope)
    try:
        result = await oidc.finish(
            cookie=request.cookies.get(cookie, ""),
            query=request.query_params,
            redirect_uri=here + CALLBACK,
        )
    except SignInError as error:
        _log.warning("a sign-in by OIDC was refused: %s", error.reason)
        services.sessions.count_refusal(OIDC, error.reason)
        answer = sign_in_page(request, services, HOME, problem=error.message)
    else:
        token = await services.sessions.open_for(
            result.user, source=OIDC, user_agent=user_agent(request)
        )
        answer = sign_in_response(request, address, token=token, to=result.to)
    answer.delete_cookie(
        cookie, path=BEGIN, secure=address.is_secure, httponly=True, samesite="lax"
    )
    return answer


@router.get("/signin/alb")
async def by_load_balancer(request: Request, services: ServicesDep, to: To = HOME) -> Response:
    """Open a session for the user that the load balancer names; the gate has read its token."""
    address, _here = address_of(request, services)
    user: ClaimedUser | None = getattr(request.state, "balancer_user", None)
    if user is None:
        services.sessions.count_refusal(ALB, "not vouched")
        problem = getattr(request.state, "balancer_problem", "") or _(
            "The load balancer did not say who you are. Open PAO at its usual address."
        )
        return sign_in_page(request, services, to, problem=problem)
    token = await services.sessions.open_for(user, source=ALB, user_agent=user_agent(request))
    return sign_in_response(request, address, token=token, to=to)


def _require_configured(way: OidcSignIn | None) -> OidcSignIn:
    if way is None:
        raise PaoError(ErrorCode.NOT_FOUND, "")
    return way
