"""The stand-in as one ASGI application: REST, its own API and the pages over one store."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sandbox.jira.control import Control
from sandbox.jira.faults import FaultBook, FaultMiddleware
from sandbox.jira.oauth import TokenOffice
from sandbox.jira.pages import Pages
from sandbox.jira.rest import ticket_routes
from sandbox.jira.rest_base import RestCalls
from sandbox.jira.rest_meta import meta_routes
from sandbox.jira.rest_search import search_routes
from sandbox.jira.store import Store
from sandbox.jira.world import ApiVersion, Settings
from sandbox.target import SampleTarget


def build_app(
    store: Store, settings: Settings, *, allowed_hosts: Sequence[str] = ("*",)
) -> Starlette:
    """Return the application; ``allowed_hosts`` are the names that it answers to."""
    book = FaultBook(store)
    office = TokenOffice(settings)
    versions = [RestCalls(store, settings, version, office) for version in ApiVersion]
    rest = [
        route
        for calls in versions
        for route in (*meta_routes(calls), *ticket_routes(calls), *search_routes(calls))
    ]
    return Starlette(
        routes=[
            *rest,
            *office.routes(),
            *Control(store, book).routes(),
            *Pages(store, book).routes(),
            # What the samples call lives here, too: one process less on a machine of one's own.
            *SampleTarget().routes(),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts)),
            Middleware(FaultMiddleware, book=book),
        ],
    )
