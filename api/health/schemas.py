"""What probes and operators are told about this process and what it depends on."""

from typing import Literal

from pydantic import Field

from api.schemas import Answer, Moment, Omittable

PartStatus = Literal["ok", "degraded", "down", "checking"]


class Part(Answer):
    """How one part is; `checking` when it has not answered yet."""

    status: PartStatus


class TimedPart(Part):
    """A part that was asked a question, and how long the answer took."""

    latency_ms: float | None = None
    error: Omittable[str] = None


class WorkerPart(Part):
    """The workers, as Temporal sees them."""

    pollers: int | None = None
    error: Omittable[str] = None


class JiraPart(TimedPart):
    """One JIRA instance, asked every ten seconds at most."""

    checked_at: Moment | None = None
    checking: Omittable[bool] = Field(None, description="It is being asked; this is what it said")


class BreakerPart(Part):
    """The circuit breaker of a target that has failed lately."""

    state: str
    failures: int
    last_error: str | None
    next_try_at: Moment | None
    items_left_alone: int = Field(description="Items whose own breaker of this target is open")


class OtherTargetsPart(Part):
    """How many targets that templates chose are failing; their names are not shown."""

    targets: int
    left_alone: int


class CatalogPart(Part):
    """The catalog in service."""

    items: int
    loaded_at: Moment | None
    age_seconds: float | None
    source: str | None
    stale: int = Field(description="Items whose file was refused at the last sync")
    refused: int = Field(description="Files that were refused at the last sync")
    error: str | None
    outdated: str | None = Field(description="Why this process's source is not what is served")


class MirrorPart(Part):
    """How far Postgres is behind Temporal, and what the reconciler has found."""

    lag_seconds: float | None = None
    error: Omittable[str] = None
    disagreements: int | None = None
    repaired: int | None = None
    reconciled_at: Moment | None = None


class TaskPart(Part):
    """Something that runs in this process for as long as it serves."""

    restarts: int
    error: str | None
    ended_at: Moment | None


class Components(Answer):
    """Everything that health looks at."""

    database: TimedPart
    temporal: TimedPart
    worker: WorkerPart
    breakers: dict[str, BreakerPart | OtherTargetsPart]
    mirror: MirrorPart
    jira: dict[str, JiraPart]
    catalog: CatalogPart
    tasks: dict[str, TaskPart]


class Health(Answer):
    """The state of each part; `down` when requests cannot be taken at all."""

    status: Literal["ok", "degraded", "down"]
    version: str
    checked_at: Moment
    components: Components


class Readiness(Answer):
    """Whether requests can be accepted now, and why not."""

    ready: bool
    problems: list[str]


class Version(Answer):
    """Which PAO this is."""

    version: str
    git_sha: str | None
    build_time: str | None
    schema_version: str = Field(description="The newest database schema that this version knows")
