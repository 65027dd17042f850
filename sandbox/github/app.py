"""The stand-in as one ASGI application: the REST API, its own API and pages over one store."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sandbox.github.base import RestCalls
from sandbox.github.control import Control
from sandbox.github.faults import FaultBook, FaultMiddleware
from sandbox.github.pages import Pages
from sandbox.github.rest_actions import Actions
from sandbox.github.rest_apps import Apps
from sandbox.github.rest_checks import Checks
from sandbox.github.rest_contents import Contents
from sandbox.github.rest_git import GitData
from sandbox.github.rest_pulls import Pulls
from sandbox.github.world import Settings
from sandbox.kit.record import Record
from sandbox.kit.store import Store


def build_app(
    store: Store, settings: Settings, *, allowed_hosts: Sequence[str] = ("*",)
) -> Starlette:
    """Return the application; ``allowed_hosts`` are the names that it answers to.

    An empty store is filled with the repositories of the settings.
    """
    calls, book, record = RestCalls(store, settings), FaultBook(), Record()
    if not store.all("repository"):
        calls.begin_anew()
    actions = Actions(calls)
    parts = (
        GitData(calls),
        Contents(calls),
        actions,
        Pulls(calls),
        Checks(calls),
        Apps(calls),
    )
    return Starlette(
        routes=[
            *(route for part in parts for route in part.routes()),
            *Control(calls, book, record).routes(),
            *Pages(calls, actions, book).routes(),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts)),
            Middleware(FaultMiddleware, book=book, record=record, push=calls.push),
        ],
    )
