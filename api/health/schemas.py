"""Answers about health, readiness and version."""

from typing import Literal

from pydantic import Field

from api.schemas import Moment, Omittable, ResponseBody

PartStatus = Literal["ok", "degraded", "down", "checking"]


class HealthPart(ResponseBody):
    """The state of a part; `checking` until it has responded."""

    status: PartStatus


class TimedPart(HealthPart):
    """A part that was probed, and how long it took to respond."""

    latency_ms: float | None = None
    error: Omittable[str] = None


class WorkerPart(HealthPart):
    """The workers, as Temporal sees them."""

    pollers: int | None = None
    error: Omittable[str] = None


class JiraPart(TimedPart):
    """One JIRA instance, asked every ten seconds at most."""

    checked_at: Moment | None = None
    checking: Omittable[bool] = Field(
        None, description="A check is running; this is the previous result"
    )


class BreakerPart(HealthPart):
    """The circuit breaker of a target that has failed lately."""

    state: str
    failures: int
    last_error: str | None
    next_try_at: Moment | None
    items_left_alone: int = Field(description="Items whose own circuit to this target is open")


class OtherTargetsPart(HealthPart):
    """How many targets chosen by templates are failing; their names are not shown."""

    targets: int
    left_alone: int


class CatalogPart(HealthPart):
    """The catalog in service."""

    items: int
    loaded_at: Moment | None
    age_seconds: float | None
    source: str | None
    stale: int = Field(description="Items whose file was refused at the last sync")
    refused: int = Field(description="Files that were refused at the last sync")
    error: str | None
    outdated: str | None = Field(description="Why the folder of a worker is not the one in service")
    revision: str | None = None
    error_since: Moment | None = None
    held: str | None = Field(None, description="Why a newer revision is held back")
    notice: str | None = Field(None, description="What an operator should fix")
    unreported: int = Field(0, description="Commits whose check could not be set on the forge")


class MirrorPart(HealthPart):
    """How far Postgres lags behind Temporal, and what the reconciler found."""

    lag_seconds: float | None = None
    error: Omittable[str] = None
    disagreements: int | None = None
    repaired: int | None = None
    reconciled_at: Moment | None = None


class SecretsPart(HealthPart):
    """Secrets that this process reads again from their stores."""

    unread: list[str] = Field(
        description=(
            "Names of those that keep their last value: the last time it could not be read, or a "
            "start would refuse what was read"
        )
    )


class TaskPart(HealthPart):
    """A background task of this process."""

    restarts: int
    error: str | None
    ended_at: Moment | None


class Components(ResponseBody):
    """Everything that health checks."""

    database: TimedPart
    temporal: TimedPart
    worker: WorkerPart
    breakers: dict[str, BreakerPart | OtherTargetsPart]
    mirror: MirrorPart
    jira: dict[str, JiraPart]
    catalog: CatalogPart
    secrets: SecretsPart
    tasks: dict[str, TaskPart]


class Health(ResponseBody):
    """The state of each part; `down` when no request can be accepted."""

    status: Literal["ok", "degraded", "down"]
    version: str
    installation: str | None = Field(
        None, description="The id of this installation; `null` while the database does not respond"
    )
    checked_at: Moment
    components: Components


class Liveness(ResponseBody):
    """That this process answers; nothing else is looked at."""

    alive: Literal[True]


class Readiness(ResponseBody):
    """Whether requests can be accepted now, and why not."""

    ready: bool
    problems: list[str]


class Version(ResponseBody):
    """Which PAO this is."""

    version: str
    git_sha: str | None
    build_time: str | None
    schema_version: str = Field(description="The newest database schema that this version knows")
