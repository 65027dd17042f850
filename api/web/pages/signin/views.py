"""`/signin` and `/signout`: a code opens a session once its owner has confirmed it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.principal import Principal
from api.services import Services, ServicesDep
from api.sessions.service import BrowserSession
from api.web.forms import Posted, text_of
from api.web.pages.signin.cookies import HOME, address_of, local_path, sign_in_response, user_agent
from api.web.rendering import page

router = APIRouter()

_REFUSED = 422


@router.get("/signin")
async def sign_in(
    request: Request, services: ServicesDep, to: Annotated[str, Query(max_length=2000)] = HOME
) -> Response:
    """Show how to sign in. The code is in the fragment, which only the browser knows."""
    address_of(request, services)
    return sign_in_page(request, services, to)


@router.post("/signin")
async def confirm_or_open(request: Request, services: ServicesDep, posted: Posted) -> Response:
    """Ask the owner of a code for confirmation; only the confirmation uses the code up."""
    code, to = _code(text_of(posted, "code")), text_of(posted, "to")
    address, _ = address_of(request, services)
    if text_of(posted, "confirmed") != "yes":
        who = await services.sessions.find_code_owner(code)
        return sign_in_page(request, services, to, who=who, code=code, wrong=who is None)
    token = await services.sessions.open(code, user_agent=user_agent(request))
    if token is None:
        return sign_in_page(request, services, to, wrong=True)
    return sign_in_response(request, address, token=token, to=to)


@router.post("/signout")
async def sign_out(request: Request, services: ServicesDep) -> Response:
    """End the session, and make the browser clear what it has stored."""
    session: BrowserSession = request.state.session
    await services.sessions.sign_out(session)
    answer = RedirectResponse("/signin", 303, headers={"Clear-Site-Data": '"storage"'})
    if services.web_address is not None:
        answer.delete_cookie(
            services.web_address.cookie(request.scope),
            path="/",
            secure=services.web_address.is_secure,
            httponly=True,
            samesite="lax",
        )
    return answer


def sign_in_page(
    request: Request,
    services: Services,
    to: str,
    *,
    who: Principal | None = None,
    code: str = "",
    wrong: bool = False,
    problem: str = "",
) -> Response:
    """Show how to sign in: ``wrong`` is the code, ``problem`` is what another way has said."""
    oidc = services.sign_in_methods.oidc
    return page(
        request,
        "pages/signin/signin.html",
        status=_REFUSED if wrong or problem else 200,
        to=local_path(to),
        who=who,
        code=code,
        wrong=wrong,
        problem=problem,
        oidc_name=oidc.config.name if oidc else "",
        has_alb=services.sign_in_methods.alb is not None,
    )


def _code(text: str) -> str:
    """Return the code of what was pasted: the code, or the whole link."""
    return text.strip().rpartition("#")[2]
