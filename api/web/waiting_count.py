"""How many requests wait for the reader, for the navigation: asked at most every ten seconds."""

from contextlib import suppress

from cachetools import TTLCache
from fastapi import Request

from api.requests.filters import RequestFilters, Sort
from api.services import ServicesDep
from api.sessions.service import BrowserSession
from pao.core.errors import PaoError

SECONDS = 10
MOST_READERS = 10_000
MOST_SHOWN = 99

Counts = TTLCache[str, int]


def no_counts() -> Counts:
    """Return an empty cache of counts."""
    return TTLCache(MOST_READERS, SECONDS)


async def count_waiting(request: Request, services: ServicesDep) -> None:
    """Note how many requests wait for the reader; if that is unknown nothing is shown."""
    session: BrowserSession | None = getattr(request.state, "session", None)
    if session is None or request.method != "GET":
        return
    counts: Counts = request.app.state.waiting_counts
    if session.caller.id not in counts:
        waiting = RequestFilters(decidable=True, sort=Sort.WAITING)
        with suppress(PaoError):
            found = await services.listing.page(
                session.caller, waiting, cursor=None, limit=1, counted=True
            )
            counts[session.caller.id] = found.count or 0
    request.state.waiting = counts.get(session.caller.id, 0)


def count_words(count: int) -> str:
    """Return a count as the navigation shows it."""
    return f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count or "")
