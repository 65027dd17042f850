"""Examples of answers about health, for the OpenAPI document."""

from api.health import schemas

_TIME = "2026-03-05T14:07:09.123Z"

HEALTH = schemas.Health(
    status="ok",
    version="0.1.0",
    installation="6d2f5f0e-8f3c-4d1b-9a51-0c5b7d1f6a11",
    checked_at=_TIME,
    components=schemas.Components(
        database=schemas.TimedPart(status="ok", latency_ms=1.2),
        temporal=schemas.TimedPart(status="ok", latency_ms=0.8),
        worker=schemas.WorkerPart(status="ok", pollers=2),
        breakers={
            "api.example.com": schemas.BreakerPart(
                status="ok",
                state="closed",
                failures=1,
                last_error="It answered 503.",
                next_try_at=None,
                items_left_alone=0,
            ),
            "other": schemas.OtherTargetsPart(status="ok", targets=2, left_alone=1),
        },
        mirror=schemas.MirrorPart(
            status="ok",
            lag_seconds=0,
            disagreements=0,
            repaired=0,
            reconciled_at="2026-03-01T12:00:00.000Z",
        ),
        jira={"default": schemas.JiraPart(status="ok", latency_ms=12.5, checked_at=_TIME)},
        catalog=schemas.CatalogPart(
            status="ok",
            items=9,
            loaded_at=_TIME,
            age_seconds=12.3,
            source="local folder",
            stale=0,
            refused=0,
            error=None,
            outdated=None,
        ),
        secrets=schemas.SecretsPart(status="ok", unread=[]),
        tasks={
            "catalog-refresh": schemas.TaskPart(status="ok", restarts=0, error=None, ended_at=None)
        },
    ),
)

ALIVE = schemas.Liveness(alive=True)

READY = schemas.Readiness(ready=True, problems=[])

NOT_READY = schemas.Readiness(ready=False, problems=["no worker is polling the task queue"])

VERSION = schemas.Version(
    version="0.1.0", git_sha="0b35db8", build_time=_TIME, schema_version="0007"
)

METRICS = """# HELP pao_catalog_items Catalog items in service.
# TYPE pao_catalog_items gauge
pao_catalog_items 9.0
"""
