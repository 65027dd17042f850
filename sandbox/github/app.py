"""The stand-in as one ASGI application: the REST API, its own API and pages over one store."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sandbox.github.base import GitHubApi
from sandbox.github.control import GitHubControl
from sandbox.github.faults import FAULTY_PATHS, github_faults
from sandbox.github.pages import GitHubPages
from sandbox.github.rest_actions import ActionsRoutes
from sandbox.github.rest_apps import AppRoutes
from sandbox.github.rest_checks import CheckRoutes
from sandbox.github.rest_contents import ContentRoutes
from sandbox.github.rest_git import GitDataRoutes
from sandbox.github.rest_pulls import PullRoutes
from sandbox.github.settings import GitHubSandboxSettings
from sandbox.kit.call_log import CallLog
from sandbox.kit.faults import FaultMiddleware
from sandbox.kit.store import DocumentStore


def build_app(
    store: DocumentStore, settings: GitHubSandboxSettings, *, allowed_hosts: Sequence[str] = ("*",)
) -> Starlette:
    """Return the application; ``allowed_hosts`` are the names that it answers to.

    An empty store is filled with the repositories of the settings.
    """
    api, log = GitHubApi(store, settings), CallLog()
    faults = github_faults(api.push)
    if not store.all("repository"):
        api.reset()
    actions = ActionsRoutes(api)
    parts = (
        GitDataRoutes(api),
        ContentRoutes(api),
        actions,
        PullRoutes(api),
        CheckRoutes(api),
        AppRoutes(api),
    )
    return Starlette(
        routes=[
            *(route for part in parts for route in part.routes()),
            *GitHubControl(api, faults, log).routes(),
            *GitHubPages(api, actions, faults).routes(),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts)),
            Middleware(FaultMiddleware, queue=faults, prefixes=FAULTY_PATHS, log=log),
        ],
    )
