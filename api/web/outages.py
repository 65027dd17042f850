"""Targets that do not respond, in words, for pages of the items that need them."""

from zoneinfo import ZoneInfo

from starlette.requests import Request

from api.services import Services
from api.web import times
from api.web.words import _
from catalog.model import CatalogDocument


async def outages_of(request: Request, services: Services, item: CatalogDocument) -> list[str]:
    """Return a sentence for each target on the way of an item that does not answer now."""
    zone: ZoneInfo = times.zone_of(request.cookies.get(times.COOKIE))
    sentence = _(
        "%(target)s has not answered since %(time)s. Until it does, requests that need it fail; "
        "nothing is lost, and they can be retried."
    )
    return [
        sentence % {"target": one.target, "time": f"{one.since.astimezone(zone):%H:%M}"}
        for one in await services.outages.of(item)
    ]
