"""Pages for people: one layout and style for all stand-ins, strict headers, posted forms."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

_SHARED = Path(__file__).parent / "templates"
_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Forms need the Origin header, which "no-referrer" would turn into "null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageRenderer:
    """Renders the templates of ``folder``, which extend the shared ``layout.html``.

    ``product`` is what the stand-in replaces, ``home`` the title of its first page.
    """

    def __init__(self, folder: Path, *, product: str, home: str) -> None:
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(_SHARED)]),
            autoescape=True,
            undefined=StrictUndefined,
        )
        self._environment.globals |= {"product": product, "home": home}
        self._style = (_SHARED / "style.css").read_text(encoding="utf-8")

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page; every value is escaped."""
        text = self._environment.get_template(template).render(**values)
        return HTMLResponse(text, status, headers=_SECURITY)

    def style_route(self) -> Route:
        """Return the route of the style sheet."""

        async def serve(_: Request) -> Response:
            return PlainTextResponse(self._style, media_type="text/css", headers=_SECURITY)

        return Route("/style.css", serve)


class PostedForm(dict[str, str]):
    """The fields of a posted form; one that was not sent is empty."""

    def __missing__(self, _: str) -> str:
        return ""


async def read_form(request: Request) -> PostedForm:
    """Return what a form sent; of a repeated field the last value."""
    body = (await request.body()).decode("utf-8", errors="replace")
    return PostedForm({name: values[-1].strip() for name, values in parse_qs(body).items()})


def see_other(path: str) -> Response:
    """Return the redirect that follows a form."""
    return RedirectResponse(path, 303, headers=_SECURITY)


def foreign_form_refusal() -> Response:
    """Return the response to a form that another origin's page sent."""
    text = "This form was sent by a page of another origin; nothing was changed."
    return PlainTextResponse(text, 403, headers=_SECURITY)
