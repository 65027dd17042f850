"""`/signin` and `/signout`: a code opens a session once its owner has confirmed it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.principal import Principal
from api.services import ServicesDep
from api.sessions.service import LIFETIME, Session
from api.web.forms import Posted, text_of
from api.web.rendering import page
from pao.core.errors import ErrorCode, PaoError

router = APIRouter()

HOME = "/"
_REFUSED = 422


@router.get("/signin")
async def sign_in(
    request: Request, services: ServicesDep, to: Annotated[str, Query(max_length=2000)] = HOME
) -> Response:
    """Show how to sign in. The code is in the fragment, which only the browser knows."""
    if services.web_address is None or services.web_address.of(request.scope) is None:
        raise PaoError(
            ErrorCode.FORBIDDEN,
            "Nobody can sign in under this address. Open the address that your operator has given "
            "PAO (PAO_PUBLIC_URL).",
        )
    return _shown(request, to)


@router.post("/signin")
async def confirm_or_open(request: Request, services: ServicesDep, posted: Posted) -> Response:
    """Ask whether the code's owner wants to sign in; only the answer uses the code up."""
    code, to = _code(text_of(posted, "code")), _local(text_of(posted, "to"))
    if services.web_address is None or services.web_address.of(request.scope) is None:
        raise PaoError(ErrorCode.FORBIDDEN, "Nobody can sign in under this address.")
    if text_of(posted, "confirmed") != "yes":
        who = await services.sessions.whom(code)
        return _shown(request, to, who=who, code=code, wrong=who is None)
    token = await services.sessions.open(code, user_agent=request.headers.get("user-agent", ""))
    if token is None:
        return _shown(request, to, wrong=True)
    answer = RedirectResponse(to, 303)
    answer.set_cookie(
        services.web_address.cookie(request.scope),
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=services.web_address.is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/signout")
async def sign_out(request: Request, services: ServicesDep) -> Response:
    """End the session, and have the browser forget what it keeps of it."""
    session: Session = request.state.session
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


def _shown(
    request: Request, to: str, *, who: Principal | None = None, code: str = "", wrong: bool = False
) -> Response:
    return page(
        request,
        "pages/signin/signin.html",
        status=_REFUSED if wrong else 200,
        to=_local(to),
        who=who,
        code=code,
        wrong=wrong,
    )


def _local(to: str) -> str:
    """Return a path of ours; whatever would lead elsewhere becomes the first page."""
    inside = to.startswith("/") and not to.startswith(("//", "/\\"))
    return to if inside and to.isprintable() and "\\" not in to else HOME


def _code(text: str) -> str:
    """Return the code of what was pasted: the code, or the whole link."""
    return text.strip().rpartition("#")[2]
