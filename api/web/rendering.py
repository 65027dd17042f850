"""Templates, and the values that all of them get. No texts of single pages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Scope

from api.auth.principal import Principal
from api.services import Services
from api.web import datetimes, markdown, static_files, times
from api.web.visible_text import visible_text
from api.web.waiting_count import count_words
from api.web.words import (
    DEADLINES,
    KINDS,
    SHAPES,
    STATES,
    TRANSLATIONS,
    _,
    after_state,
    did,
    heading,
)

HTMX_CONFIG = json.dumps(
    {
        "history": False,
        "includeIndicatorCSS": False,
        "morphIgnore": ["data-htmx-powered", "open"],
        "noSwap": [204, 304, "4xx", "5xx"],
        "sse": {"reconnectMaxDelay": 5000},
    }
)


@dataclass(frozen=True, slots=True)
class NavEntry:
    """An entry of the navigation; ``count`` is how many wait there."""

    label: str
    href: str
    current: bool
    count: str = ""


WAITING = "/waiting"
NAV = (
    (_("Home"), "/"),
    (_("Catalog"), "/catalog"),
    (_("Requests"), "/requests"),
    (_("Waiting"), WAITING),
    (_("Insights"), "/insights"),
)

_WITHIN = {"/catalog": ("/drafts/",)}
"""Where an entry leads besides its own addresses."""


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **given: Any,
) -> HTMLResponse:
    """Return a page: a template with what it is given, and what every page is given."""
    return render_page(request.scope, template, status=status, headers=headers, **given)


def render_page(
    scope: Scope,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **given: Any,
) -> HTMLResponse:
    """Return a page for an ASGI scope, for where there is no request yet."""
    text = _environment.get_template(template).render(_common(scope) | given)
    return HTMLResponse(text, status_code=status, headers=headers)


def render_part(request: Request, template: str, **given: Any) -> str:
    """Return a part of a page as text, for streams."""
    return _environment.get_template(template).render(_common(request.scope) | given)


def is_partial(request: Request) -> bool:
    """Return whether htmx asks for a part of a page; otherwise a browser asks for all of it."""
    return request.headers.get("hx-request-type") == "partial"


def _common(scope: Scope) -> dict[str, Any]:
    request, state = Request(scope), scope.get("state", {})
    caller = state.get("principal")
    return {
        "caller": caller,
        "correlation": state.get("correlation_id", ""),
        "nav": navigation(request, caller),
        "now": times.now(),
        "zone": times.zone_of(request.cookies.get(times.COOKIE)),
    }


def navigation(request: Request, caller: Principal | None) -> list[NavEntry]:
    """Return the pages that the reader may open."""
    if caller is None:
        return []
    path, app = request.url.path, request.scope.get("app")
    entries = NAV + _for_some(app.state.services, caller) if app is not None else NAV
    return [
        NavEntry(
            label,
            href,
            path == href or (href != "/" and path.startswith((href, *_WITHIN.get(href, ())))),
            count_words(getattr(request.state, "waiting", 0)) if href == WAITING else "",
        )
        for label, href in entries
    ]


def _for_some(services: Services, caller: Principal) -> tuple[tuple[str, str], ...]:
    """Return the entries for some users only."""
    found: tuple[tuple[str, str], ...] = ()
    if services.access.may_refresh(caller, services.catalog.state.index.owners):
        found += ((_("Platform"), "/platform"),)
    if services.access.is_admin(caller):
        found += ((_("Admin"), "/admin"),)
    return found


def _when(moment: str | datetime, zone: ZoneInfo, now: datetime) -> Markup:
    """Show a moment relatively, with the exact one on focus and for machines."""
    at = times.read(moment)
    return Markup('<time datetime="{}" title="{}" tabindex="0">{}</time>').format(
        at.isoformat(timespec="seconds"), times.exact(at, zone), times.ago(at, now)
    )


def _clock(moment: str, zone: ZoneInfo) -> str:
    return f"{times.read(moment).astimezone(zone):%H:%M:%S}"


def _exactly(moment: str | datetime, zone: ZoneInfo) -> str:
    return times.exact(times.read(moment), zone)


def _label(name: str, labels: Mapping[str, str]) -> str:
    return labels.get(name, name)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _build_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        # Every value that is put into a page passes here.
        finalize=visible_text,
    )
    environment.install_gettext_translations(TRANSLATIONS, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(
        when=_when,
        clock=_clock,
        pretty=_pretty,
        after_state=after_state,
        did=did,
        heading=heading,
        label_in=_label,
        exactly=_exactly,
        in_zone=datetimes.to_local,
        markdown=markdown.description,
        documentation=markdown.documentation,
    )
    environment.globals.update(
        asset=static_files.address_of,
        has_htmx=static_files.has_htmx,
        htmx_config=HTMX_CONFIG,
        deadlines=DEADLINES,
        kinds=KINDS,
        shapes=SHAPES,
        states=STATES,
    )
    return environment


_environment = _build_environment()
