"""HTTP for health, readiness, version and metrics: open to probes, without any secret."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.health import examples
from api.health.schemas import Health, Readiness, Version
from api.responses import documented, documented_text
from api.services import ServicesDep
from pao.runtime.version import version_document

router = APIRouter(tags=["health"])


@router.get("/health", summary="Health", responses=documented({200: examples.HEALTH}))
async def get_health(services: ServicesDep) -> Health:
    """Return the state of each part; 200 even when degraded."""
    return await services.health.health()


@router.get(
    "/health/ready",
    summary="Readiness",
    responses=documented({200: examples.READY, 503: examples.NOT_READY}),
)
async def get_readiness(services: ServicesDep, response: Response) -> Readiness:
    """Answer 200 only when requests can be accepted; 503 names the failing parts otherwise."""
    problems = await services.health.problems()
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
