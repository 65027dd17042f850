"""The stand-in as one ASGI application: REST, its own API and the pages over one store."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sandbox.jira.control import JiraControl
from sandbox.jira.faults import FAULTY_PATHS, jira_faults
from sandbox.jira.oauth import TokenIssuer
from sandbox.jira.pages import JiraPages
from sandbox.jira.rest import ticket_routes
from sandbox.jira.rest_base import JiraApi
from sandbox.jira.rest_meta import meta_routes
from sandbox.jira.rest_search import search_routes
from sandbox.jira.settings import ApiVersion, JiraSandboxSettings
from sandbox.jira.store import TicketStore
from sandbox.kit.faults import FaultMiddleware
from sandbox.target import SampleTarget


def build_app(
    store: TicketStore, settings: JiraSandboxSettings, *, allowed_hosts: Sequence[str] = ("*",)
) -> Starlette:
    """Return the application; ``allowed_hosts`` are the names that it answers to."""
    faults = jira_faults(store)
    issuer = TokenIssuer(settings)
    versions = [JiraApi(store, settings, version, issuer) for version in ApiVersion]
    rest = [
        route
        for api in versions
        for route in (*meta_routes(api), *ticket_routes(api), *search_routes(api))
    ]
    return Starlette(
        routes=[
            *rest,
            *issuer.routes(),
            *JiraControl(store, faults).routes(),
            *JiraPages(store, faults).routes(),
            # What the samples call is served here, too: one process fewer on a developer's machine.
            *SampleTarget().routes(),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts)),
            Middleware(FaultMiddleware, queue=faults, prefixes=FAULTY_PATHS),
        ],
    )
