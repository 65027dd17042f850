"""What each part says of itself. Answers also when parts are away, and shows no secret."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from api.catalog.service import CatalogService
from api.health.probes import CHECKING, Probe
from api.metrics import MENDED
from db.migrations.runner import MigrationError, check_ready
from db.notifications import RequestNotifications
from db.repositories.breakers import BreakersRepository, BreakerState, OtherTargets
from db.repositories.maintenance_runs import MaintenanceRunRecord, MaintenanceRunsRepository
from db.repositories.open_requests import RECONCILER
from db.repositories.requests import RequestsRepository
from db.session import Database
from db.unavailable import DatabaseUnavailableError
from pao.clients.jira import Deadline, JiraClient, JiraError
from pao.clients.jira.instances import JiraInstances
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError
from pao.core.errors import PaoError
from pao.core.timestamps import timestamp
from pao.runtime.background import BackgroundTask
from pao.runtime.version import VERSION

CHECK_SECONDS = 2.0
LAG_SECONDS = 180.0
RECONCILED_WITHIN = timedelta(minutes=5)
JIRA_FRESH_SECONDS = 10.0
OWN_SECONDS = CHECK_SECONDS + 0.5
READY_SECONDS = 2 * CHECK_SECONDS + 0.5
OTHER_TARGETS = "other"
OK, DEGRADED, DOWN = "ok", "degraded", "down"
SILENT = {"status": DOWN, "error": "does not answer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What health looks at; a catalog older than ``catalog_age`` seconds is not well."""

    database: Database
    notifications: RequestNotifications
    workflows: RequestWorkflows
    jira: JiraInstances
    catalog: CatalogService
    catalog_age: float = 900.0


class HealthService:
    """Asks every part, all at once, each by one question for all callers.

    Our own parts are asked now, for two seconds at most. JIRA is another's service, and anybody may
    ask for health: each instance is asked every ten seconds at most, and one that is silent is told
    as it last was. Readiness does not ask JIRA at all.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        own: dict[str, Any] = {"patience": OWN_SECONDS, "may_be_old": False}
        self._probes = {
            "database": Probe(self._database, unknown=SILENT, **own),
            "temporal": Probe(self._temporal, unknown=SILENT, **own),
            "worker": Probe(self._worker, unknown=SILENT, **own),
            "breakers": Probe(self._breakers, unknown={}, **own),
            "mirror": Probe(self._mirror, unknown=SILENT, **own),
        }
        self._jira_probes = {
            name: Probe(partial(_ask, client), fresh=JIRA_FRESH_SECONDS)
            for name, client in parts.jira.all().items()
        }
        self._readiness = Probe(
            self._asked_problems, patience=READY_SECONDS, unknown={}, may_be_old=False
        )
        self.stopping = False
        self.tasks: list[BackgroundTask] = []
        """What runs in this process for as long as it serves."""

    async def health(self) -> dict[str, Any]:
        """Give the state of each part; ``down`` when requests cannot be taken at all."""
        parts, jira = await asyncio.gather(_all(self._probes), _all(self._jira_probes))
        components = parts | {
            "jira": jira,
            "catalog": self._catalog(),
            "tasks": {task.name: _task(task) for task in self.tasks},
        }
        return {
            "status": _overall(components),
            "version": VERSION,
            "checkedAt": timestamp(datetime.now(UTC)),
            "components": components,
        }

    async def problems(self) -> list[str]:
        """Name why no request can be taken now; empty when one can."""
        if self.stopping:
            return ["this process is shutting down"]
        found = await self._readiness.now()
        problems = list(found.get("problems", ["its parts do not answer"]))
        if self._parts.catalog.state.loaded_at is None:
            problems.append("no catalog has been loaded yet")
        return problems

    def forget(self) -> None:
        """Have the next caller ask every part anew, however soon it comes."""
        for probe in (*self._probes.values(), *self._jira_probes.values()):
            probe.forget()

    async def close(self) -> None:
        """End what is still being asked."""
        for probe in (*self._probes.values(), *self._jira_probes.values(), self._readiness):
            await probe.close()

    async def _asked_problems(self) -> dict[str, Any]:
        found = await asyncio.gather(self._database_problem(), self._temporal_problem())
        return {"problems": [problem for problem in found if problem]}

    async def _database(self) -> dict[str, Any]:
        return await _timed(self._parts.database.ping)

    async def _temporal(self) -> dict[str, Any]:
        return await _timed(self._parts.workflows.ping)

    async def _worker(self) -> dict[str, Any]:
        try:
            pollers = await self._parts.workflows.pollers()
        except TemporalUnavailableError:
            return {"status": DOWN, "pollers": None, "error": "Temporal does not answer"}
        if pollers:
            return {"status": OK, "pollers": pollers}
        return {"status": DOWN, "pollers": 0, "error": "no worker polls; requests wait"}

    async def _breakers(self) -> dict[str, Any]:
        """Tell which targets failed when actions called them last; none where nobody can say."""
        try:
            async with (
                asyncio.timeout(CHECK_SECONDS),
                self._parts.database.reading() as session,
            ):
                repository = BreakersRepository(session)
                states, others = await repository.named(), await repository.others()
        except (PaoError, TimeoutError):
            return {}
        return _shown_breakers(states, others)

    async def _mirror(self) -> dict[str, Any]:
        """Tell how far Postgres is behind: the age of the oldest request that nobody has started.

        The sweeper starts such requests every minute, so more than a few minutes need a human;
        so does what the reconciler has found and could not mend.
        """
        try:
            async with (
                asyncio.timeout(CHECK_SECONDS),
                self._parts.database.reading() as session,
            ):
                since = await RequestsRepository(session).unstarted_since()
                turn = await MaintenanceRunsRepository(session).last(RECONCILER)
        except (PaoError, TimeoutError):
            return {"status": DOWN, "lagSeconds": None, "error": "the database does not answer"}
        lag = (datetime.now(UTC) - since).total_seconds() if since else 0.0
        return {"lagSeconds": round(lag, 1)} | _reconciled(turn, lag)

    def _catalog(self) -> dict[str, Any]:
        state = self._parts.catalog.state
        standing, age = state.standing, state.age(datetime.now(UTC))
        fresh = age is not None and age < self._parts.catalog_age
        outdated = self._parts.catalog.outdated
        good = fresh and not (standing.refused or standing.error or outdated)
        return {
            "status": OK if good else DEGRADED,
            "items": len(state.index.rows),
            "loadedAt": timestamp(state.loaded_at) if state.loaded_at else None,
            "ageSeconds": None if age is None else round(age, 1),
            "source": standing.source,
            "stale": state.index.stale,
            "refused": state.refused_files,
            "error": standing.error,
            "outdated": outdated,
        }

    async def _database_problem(self) -> str | None:
        try:
            async with (
                asyncio.timeout(CHECK_SECONDS),
                self._parts.database.reading() as session,
            ):
                await check_ready(session)
        except DatabaseUnavailableError as error:
            return f"the database {error.reason}"
        except TimeoutError:
            return "the database does not answer"
        except MigrationError as error:
            return str(error)
        return await self._unheard()

    async def _unheard(self) -> str | None:
        """Say why changes are not heard; a process that has just begun gets a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CHECK_SECONDS):
                await self._parts.notifications.tried()
        return self._parts.notifications.problem

    async def _temporal_problem(self) -> str | None:
        try:
            missing = await self._parts.workflows.missing_search_attributes()
            pollers = await self._parts.workflows.pollers()
        except TemporalUnavailableError:
            return "Temporal does not answer"
        if missing:
            return f"Temporal lacks the search attributes {', '.join(missing)}"
        return None if pollers else "no worker polls the task queue"


def _task(task: BackgroundTask) -> dict[str, Any]:
    return {
        "status": DEGRADED if task.error else OK,
        "restarts": task.restarts,
        "error": f"it ended by {task.error} and was started again" if task.error else None,
        "endedAt": timestamp(task.ended_at) if task.ended_at else None,
    }


def _shown_breakers(states: Sequence[BreakerState], others: OtherTargets) -> dict[str, Any]:
    """Show each target once, as the breaker that all items share stands, else the worst item's.

    Targets that templates chose are counted: what requesters type is not for everybody to read.
    """
    shown: dict[str, Any] = {}
    for target, group in groupby(states, key=lambda one: one.target):
        members = list(group)
        left_alone = sum(1 for one in members if one.item and one.state != "closed")
        worst = max(members, key=lambda one: (one.state != "closed", not one.item))
        shown[target] = _breaker(worst) | {"itemsLeftAlone": left_alone}
    if others.failing:
        counts = {"targets": others.failing, "leftAlone": others.left_alone}
        shown[OTHER_TARGETS] = {"status": OK} | counts
    return shown


def _breaker(one: BreakerState) -> dict[str, Any]:
    return {
        "status": OK if one.state == "closed" else DEGRADED,
        "state": one.state,
        "failures": one.failures,
        "lastError": one.last_error,
        "nextTryAt": timestamp(one.retry_at) if one.retry_at else None,
    }


async def _all(probes: Mapping[str, Probe]) -> dict[str, Any]:
    states = await asyncio.gather(*(probe.now() for probe in probes.values()))
    return dict(zip(probes, states, strict=True))


async def _timed(ask: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await ask()
    except DatabaseUnavailableError as error:
        return {"status": DOWN, "latencyMs": None, "error": error.reason}
    except (PaoError, TemporalUnavailableError, TimeoutError):
        return {"status": DOWN, "latencyMs": None, "error": "does not answer"}
    return {"status": OK, "latencyMs": _milliseconds(started)}


async def _ask(client: JiraClient) -> dict[str, Any]:
    started, at = time.perf_counter(), timestamp(datetime.now(UTC))
    try:
        await client.ping(deadline=Deadline.after(CHECK_SECONDS))
    except JiraError as error:
        # In words of ours: everybody may read them.
        said = "does not answer" if error.status is None else f"answers {error.status}"
        return {"status": DOWN, "latencyMs": None, "error": said, "checkedAt": at}
    return {"status": OK, "latencyMs": _milliseconds(started), "checkedAt": at}


def _reconciled(turn: MaintenanceRunRecord | None, lag: float) -> dict[str, Any]:
    """Tell what the reconciler's last turn left as it was, and what its turns mended in all."""
    open_ones = int(turn.result.get("unrepaired", 0)) if turn else 0
    late = turn is not None and datetime.now(UTC) - turn.finished_at > RECONCILED_WITHIN
    mended = sum(int(turn.totals.get(kind, 0)) for kind in MENDED) if turn else 0
    return {
        "status": DEGRADED if lag >= LAG_SECONDS or open_ones or late else OK,
        "disagreements": open_ones,
        "repaired": mended,
        "reconciledAt": timestamp(turn.finished_at) if turn else None,
    }


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _overall(components: dict[str, Any]) -> str:
    if DOWN in {components["database"]["status"], components["temporal"]["status"]}:
        return DOWN
    others = [components[name] for name in ("worker", "catalog", "mirror")]
    others += components["tasks"].values()
    others += [*components["jira"].values(), *components["breakers"].values()]
    # What is not known yet is no reason for an alarm.
    return OK if all(part["status"] in {OK, CHECKING} for part in others) else DEGRADED
