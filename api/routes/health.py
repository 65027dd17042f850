"""HTTP for health, readiness, version and metrics: open to probes, without any secret."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.health import examples
from api.health.schemas import Health, Liveness, Readiness, Version
from api.responses import documented, documented_text
from api.services import ServicesDep
from pao.runtime.version import version_document

router = APIRouter(tags=["health"])


class ReadinessScope(StrEnum):
    """What readiness looks at."""

    ALL = "all"
    PROCESS = "process"


@router.get("/health", summary="Health", responses=documented({200: examples.HEALTH}))
async def get_health(services: ServicesDep) -> Health:
    """Return the state of each part; 200 even when degraded."""
    return await services.health.health()


@router.get("/health/live", summary="Liveness", responses=documented({200: examples.ALIVE}))
async def get_liveness() -> Liveness:
    """Answer 200 as long as this process answers at all; nothing else is checked."""
    return Liveness(alive=True)


@router.get(
    "/health/ready",
    summary="Readiness",
    responses=documented({200: examples.READY, 503: examples.NOT_READY}, 400),
)
async def get_readiness(
    services: ServicesDep,
    response: Response,
    scope: Annotated[
        ReadinessScope,
        Query(
            description="`process` leaves out what all processes share, such as the database, "
            "whose outage would take all of them out of a load balancer at once"
        ),
    ] = ReadinessScope.ALL,
) -> Readiness:
    """Answer 200 only when requests can be accepted; 503 names the failing parts otherwise."""
    health = services.health
    own = scope is ReadinessScope.PROCESS
    problems = await health.own_problems() if own else await health.problems()
    if problems:
        response.status_code = 503
    return Readiness(ready=not problems, problems=problems)


@router.get("/version", summary="Version", responses=documented({200: examples.VERSION}))
async def get_version() -> Version:
    """Return version, git commit, build time and the newest database schema this code knows."""
    return Version.model_validate(version_document())


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses=documented_text("text/plain", examples.METRICS),
)
async def get_metrics(services: ServicesDep) -> Response:
    """Return the metrics of this process and of what is stored, in Prometheus' text format."""
    await services.measures.refresh()
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)
