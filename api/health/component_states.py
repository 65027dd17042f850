"""The results of the checks, as the states of the parts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, Literal

from api.catalog.service import CatalogState
from api.health.schemas import (
    BreakerPart,
    CatalogPart,
    Components,
    HealthPart,
    MirrorPart,
    OtherTargetsPart,
    TaskPart,
)
from api.metrics import REPAIRED
from db.repositories.breakers import BreakerState, OtherTargets
from db.repositories.maintenance_runs import MaintenanceRunRecord
from pao.clients.temporal_server import Pollers
from pao.core.payloads.catalog import HeldRevision
from pao.core.timestamps import timestamp
from pao.runtime.background import BackgroundTask

OK: Final = "ok"
DEGRADED: Final = "degraded"
DOWN: Final = "down"
CHECKING: Final = "checking"
LAG_SECONDS = 180.0
RECONCILED_WITHIN = timedelta(minutes=5)
OTHER_TARGETS = "other"

Breakers = dict[str, BreakerPart | OtherTargetsPart]


def task_part(task: BackgroundTask) -> TaskPart:
    """Return the state of a background task; one that was restarted is degraded."""
    return TaskPart(
        status=DEGRADED if task.error else OK,
        restarts=task.restarts,
        error=f"it failed with {task.error} and was restarted" if task.error else None,
        ended_at=timestamp(task.ended_at) if task.ended_at else None,
    )


def breaker_parts(states: Sequence[BreakerState], others: OtherTargets) -> Breakers:
    """Return each target once: the state of its shared breaker, otherwise of the worst item's.

    Targets that templates chose are counted: what requesters type is not for everybody to read.
    """
    parts: Breakers = {}
    for target, group in groupby(states, key=lambda one: one.target):
        members = list(group)
        worst = max(members, key=lambda one: (one.state != "closed", not one.item))
        parts[target] = BreakerPart(
            status=OK if worst.state == "closed" else DEGRADED,
            state=worst.state,
            failures=worst.failures,
            last_error=worst.last_error,
            next_try_at=timestamp(worst.retry_at) if worst.retry_at else None,
            items_left_alone=sum(1 for one in members if one.item and one.state != "closed"),
        )
    if others.failing:
        parts[OTHER_TARGETS] = OtherTargetsPart(
            status=OK, targets=others.failing, left_alone=others.left_alone
        )
    return parts


def mirror_part(
    run: MaintenanceRunRecord | None, lag: float, *, problem: str | None = None
) -> MirrorPart:
    """Return the lag, what the reconciler's last run could not repair, and what all repaired.

    ``problem`` is what a restored database still needs.
    """
    disagreements = int(run.result.get("unrepaired", 0)) if run else 0
    late = run is not None and datetime.now(UTC) - run.finished_at > RECONCILED_WITHIN
    repaired = sum(int(run.totals.get(kind, 0)) for kind in REPAIRED) if run else 0
    return MirrorPart(
        status=DEGRADED if lag >= LAG_SECONDS or disagreements or late or problem else OK,
        error=problem,
        lag_seconds=round(lag, 1),
        disagreements=disagreements,
        repaired=repaired,
        reconciled_at=timestamp(run.finished_at) if run else None,
    )


def catalog_part(state: CatalogState, *, longest: float) -> CatalogPart:
    """Return the state of the catalog, which is degraded ``longest`` seconds after a look."""
    status, age = state.status, state.age(datetime.now(UTC))
    held = str(HeldRevision.from_document(status.held)) if status.held else None
    unreported = len(status.unreported)
    problems = (
        status.refused,
        status.error,
        status.outdated,
        held,
        status.notice,
        unreported,
    )
    good = age is not None and age < longest and not any(problems)
    return CatalogPart(
        status=OK if good else DEGRADED,
        items=state.index.requested,
        loaded_at=timestamp(state.loaded_at) if state.loaded_at else None,
        age_seconds=None if age is None else round(age, 1),
        source=status.source,
        stale=state.index.stale,
        refused=state.refused_files,
        error=status.error,
        outdated=status.outdated,
        revision=status.revision,
        error_since=timestamp(status.error_since) if status.error_since else None,
        held=held,
        notice=status.notice,
        unreported=unreported,
    )


def foreign_workers(installations: Sequence[str]) -> str:
    """Return the problem that workers of other installations poll our task queue."""
    return (
        f"workers of another installation ({', '.join(installations)}) poll the same task queue; "
        "give each installation its own TEMPORAL_TASK_QUEUE or TEMPORAL_NAMESPACE"
    )


def no_active_worker(pollers: Pollers) -> str:
    """Return why no worker takes requests although Temporal runs, and what to do."""
    if not pollers.idle:
        return "no worker is polling the task queue"
    current = f"build {pollers.current} is current" if pollers.current else "no build is current"
    polling = ", ".join(pollers.idle)
    return f"workers poll ({polling}), but {current}: requests wait; run `pao worker promote`"


def overall_status(components: Components) -> Literal["ok", "degraded", "down"]:
    """Return ``down`` without database or Temporal, ``degraded`` when another part is not ok."""
    if DOWN in {components.database.status, components.temporal.status}:
        return DOWN
    others: list[HealthPart] = [components.worker, components.catalog, components.mirror]
    others.append(components.secrets)
    others += components.tasks.values()
    others += [*components.jira.values(), *components.breakers.values()]
    # What is not known yet is no reason for an alarm.
    return OK if all(component.status in {OK, CHECKING} for component in others) else DEGRADED
