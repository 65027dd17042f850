"""HTTP for health, readiness, version and metrics: open to probes, without any secret."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api import examples
from api.responses import documented
from api.services import ServicesDep
from pao.runtime.version import version_document

router = APIRouter(tags=["health"])


@router.get("/health", summary="Health", responses=documented({200: examples.HEALTH}))
async def health(given: ServicesDep) -> dict[str, Any]:
    """Give the state of each part; 200 even when degraded."""
    return await given.health.health()


@router.get(
    "/health/ready",
    summary="Readiness",
    responses=documented({200: examples.READY, 503: examples.NOT_READY}),
)
async def ready(given: ServicesDep) -> JSONResponse:
    """Answer 200 only when requests can be accepted; 503 names the failing parts otherwise."""
    problems = await given.health.problems()
    status = 503 if problems else 200
    return JSONResponse({"ready": not problems, "problems": problems}, status_code=status)


@router.get("/version", summary="Version", responses=documented({200: examples.VERSION}))
async def version() -> dict[str, Any]:
    """Give version, git commit, build time and the newest database schema this code knows."""
    return version_document()


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses=documented({200: examples.METRICS}, media="text/plain"),
)
async def metrics(given: ServicesDep) -> Response:
    """Give the metrics of this process and of what is stored, in Prometheus' text format."""
    await given.measures.refresh()
    return Response(given.metrics.text(), media_type=CONTENT_TYPE_LATEST)
