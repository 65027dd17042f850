"""What signing in leaves in a browser: the session's cookie, and the page that was wanted."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.services import Services
from api.sessions.address import WebAddress
from api.sessions.service import LIFETIME
from pao.core.errors import ErrorCode, PaoError

HOME = "/"


def address_of(request: Request, services: Services) -> tuple[WebAddress, str]:
    """Return the address of the pages; raises ``FORBIDDEN`` where sign-in is impossible."""
    address = services.web_address
    here = address.of(request.scope) if address is not None else None
    if address is None or here is None:
        raise PaoError(
            ErrorCode.FORBIDDEN,
            "You cannot sign in at this address. Open the address that your operator has given "
            "PAO (PAO_PUBLIC_URL).",
        )
    return address, here


def sign_in_response(request: Request, address: WebAddress, *, token: str, to: str) -> Response:
    """Return the redirect to the wanted page, with the cookie of the session."""
    answer = RedirectResponse(local_path(to), 303)
    answer.set_cookie(
        address.cookie(request.scope),
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=address.is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def local_path(to: str) -> str:
    """Return a path of ours; whatever would lead elsewhere becomes the first page."""
    inside = to.startswith("/") and not to.startswith(("//", "/\\"))
    return to if inside and to.isprintable() and "\\" not in to else HOME


def user_agent(request: Request) -> str:
    """Return how the browser calls itself."""
    return request.headers.get("user-agent", "")
