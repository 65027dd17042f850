"""The application of the pages: which pages there are, and how their errors are answered."""

import logging

from fastapi import Depends, FastAPI
from starlette.datastructures import State
from starlette.middleware.gzip import GZipMiddleware

from api.web import error_pages, static_files
from api.web.pages.admin import views as admin
from api.web.pages.catalog import views as catalog
from api.web.pages.decision import views as decision
from api.web.pages.find import views as find
from api.web.pages.home import views as home
from api.web.pages.insights import views as insights
from api.web.pages.platform import views as platform
from api.web.pages.request import log_views as request_log
from api.web.pages.request import views as request
from api.web.pages.request_form import review_views as request_review
from api.web.pages.request_form import views as request_form
from api.web.pages.requests import views as requests
from api.web.pages.signin import providers as signin_providers
from api.web.pages.signin import views as signin
from api.web.pages.waiting import views as waiting
from api.web.waiting_count import count_waiting, no_counts

PAGES = (
    admin,
    home,
    find,
    catalog,
    request_review,
    request_form,
    requests,
    request,
    request_log,
    waiting,
    decision,
    insights,
    platform,
    signin,
    signin_providers,
    static_files,
)
SMALL = 500
_log = logging.getLogger(__name__)


def create_web_app(state: State) -> FastAPI:
    """Return the application; ``state`` is the API's own, which holds the services."""
    app = FastAPI(
        dependencies=[Depends(count_waiting)],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state = state
    if not static_files.has_htmx():
        _log.warning(
            "the pages will not update by themselves: third-party scripts are missing; "
            "pao config check says why"
        )
    state.waiting_counts = no_counts()
    for page in PAGES:
        app.include_router(page.router)
    error_pages.install(app)
    # Event streams are left alone by it.
    app.add_middleware(GZipMiddleware, minimum_size=SMALL)
    return app
