"""The stand-in as one ASGI application: the REST API and its own API over one store."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sandbox.gitlab.control import GitLabControl
from sandbox.gitlab.faults import FAULTY_PATHS, gitlab_faults
from sandbox.gitlab.projects import Projects
from sandbox.gitlab.rest import GitLabApi
from sandbox.gitlab.settings import GitLabSandboxSettings
from sandbox.kit.call_log import CallLog
from sandbox.kit.faults import FaultMiddleware
from sandbox.kit.store import DocumentStore


def build_app(store: DocumentStore, settings: GitLabSandboxSettings) -> Starlette:
    """Return the application over an open store."""
    projects, log, faults = Projects(store), CallLog(), gitlab_faults()
    api = GitLabApi(projects, settings)
    return Starlette(
        routes=[*api.routes(), *GitLabControl(projects, api, faults, log).routes()],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(FaultMiddleware, queue=faults, prefixes=FAULTY_PATHS, log=log),
        ],
    )
