"""The state of each part, also when parts are unavailable; shows no secret."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from api.catalog.service import CatalogService
from api.health.checks import CHECK_SECONDS, SILENT, ask_jira, timed
from api.health.component_states import (
    CHECKING,
    DEGRADED,
    DOWN,
    OK,
    Breakers,
    breaker_parts,
    catalog_part,
    foreign_workers,
    mirror_part,
    no_active_worker,
    overall_status,
    task_part,
)
from api.health.probes import Probe
from api.health.schemas import (
    Components,
    Health,
    JiraPart,
    MirrorPart,
    SecretsPart,
    TimedPart,
    WorkerPart,
)
from db.availability import DatabaseUnavailableError
from db.installation import Installation
from db.migrations.files import MigrationError
from db.migrations.runner import check_ready
from db.notifications import RequestNotifications
from db.repositories.breakers import BreakersRepository
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.repositories.open_requests import RECONCILER
from db.repositories.recovery import RecoveryRepository
from db.repositories.requests import RequestsRepository
from db.session import Database
from pao.clients.jira.instances import JiraInstances
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError
from pao.clients.temporal_server import TemporalServer
from pao.core.errors import PaoError
from pao.core.timestamps import timestamp
from pao.runtime.background import BackgroundTask
from pao.runtime.version import VERSION

_log = logging.getLogger(__name__)

JIRA_FRESH_SECONDS = 10.0
RECOVERY_FRESH_SECONDS = 1.0
OWN_SECONDS = CHECK_SECONDS + 0.5
READY_SECONDS = 2 * CHECK_SECONDS + 0.5
BROKEN = "the check failed; see the log"
STOPPING = "this process is shutting down"
NO_CATALOG = "no catalog has been loaded yet"

P = TypeVar("P", TimedPart, WorkerPart, MirrorPart)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDependencies:
    """What health checks; a catalog older than ``catalog_age`` seconds is degraded.

    ``unread_secrets`` names the secrets that keep their last values.
    """

    database: Database
    installation: Installation
    notifications: RequestNotifications
    workflows: RequestWorkflows
    temporal: TemporalServer
    jira: JiraInstances
    catalog: CatalogService
    catalog_age: float = 900.0
    unread_secrets: Callable[[], Collection[str]] = tuple


class HealthService:
    """Checks all parts concurrently, each once for all callers.

    Our own parts are asked now, for two seconds at most. JIRA is another's service, and anybody may
    ask for health: each instance is asked every ten seconds at most, and one that is silent is told
    as it last was. Readiness does not ask JIRA at all.
    """

    def __init__(self, parts: HealthDependencies) -> None:
        self._parts = parts
        self._database = _own_probe(partial(timed, parts.database.ping), TimedPart)
        self._temporal = _own_probe(partial(timed, parts.workflows.ping), TimedPart)
        self._worker = _own_probe(self._ask_worker, WorkerPart)
        self._mirror = _own_probe(self._ask_mirror, MirrorPart)
        self._breakers = Probe[Breakers](
            self._ask_breakers, unknown={}, broken={}, patience=OWN_SECONDS
        )
        self._jira = {
            name: Probe(
                partial(ask_jira, client),
                unknown=JiraPart(status=CHECKING),
                broken=JiraPart(status=DOWN, error=BROKEN),
                fresh=JIRA_FRESH_SECONDS,
                checking=lambda last: last.model_copy(update={"checking": True}),
            )
            for name, client in parts.jira.all().items()
        }
        silent = ["its dependencies do not respond"]
        self._readiness = Probe(
            self._ask_problems, unknown=silent, broken=silent, patience=READY_SECONDS
        )
        self._schema = Probe(self._ask_schema, unknown=silent, broken=silent, patience=OWN_SECONDS)
        self._schema_fits = False
        self._recovery = Probe[str | None](
            self._recovery_problem,
            unknown=None,
            broken=None,
            fresh=RECOVERY_FRESH_SECONDS,
            patience=OWN_SECONDS,
        )
        self.stopping = False
        self._last_problems: list[str] | None = None
        self.tasks: list[BackgroundTask] = []
        """What runs in this process for as long as it serves."""

    async def health(self) -> Health:
        """Return the state of each part; ``down`` when no request can be accepted."""
        database, temporal, worker, breakers, mirror, jira = await asyncio.gather(
            self._database.now(),
            self._temporal.now(),
            self._worker.now(),
            self._breakers.now(),
            self._mirror.now(),
            _probe_all(self._jira),
        )
        components = Components(
            database=database,
            temporal=temporal,
            worker=worker,
            breakers=breakers,
            mirror=mirror,
            jira=jira,
            catalog=catalog_part(self._parts.catalog.state, longest=self._parts.catalog_age),
            secrets=self._secrets(),
            tasks={task.name: task_part(task) for task in self.tasks},
        )
        return Health(
            status=overall_status(components),
            version=VERSION,
            installation=await self._own_installation(),
            checked_at=timestamp(datetime.now(UTC)),
            components=components,
        )

    async def problems(self) -> list[str]:
        """Return why no request can be accepted now; empty when one can."""
        if self.stopping:
            return [STOPPING]
        problems = list(await self._readiness.now())
        if self._parts.catalog.state.loaded_at is None:
            problems.append(NO_CATALOG)
        self._log_change(problems)
        return problems

    async def own_problems(self) -> list[str]:
        """Return why this process should get no calls, regardless of the parts that all share.

        The schema must have fitted once: a newer process must not replace others before. No process
        may get calls while a restored database lacks what Temporal knows.
        """
        if self.stopping:
            return [STOPPING]
        if not self._schema_fits:
            self._schema_fits = not (problems := list(await self._schema.now()))
            if problems:
                return problems
        found = (
            await self._recovery.now(),
            self._parts.notifications.problem,
            NO_CATALOG if self._parts.catalog.state.loaded_at is None else None,
        )
        return [problem for problem in found if problem]

    def _log_change(self, problems: list[str]) -> None:
        """Log when the answer changes: the probes themselves are not in the log."""
        if problems == self._last_problems:
            return
        self._last_problems = problems
        if problems:
            _log.warning("not ready: %s", "; ".join(problems))
        else:
            _log.info("ready")

    def forget(self) -> None:
        """Make the next caller check every part again, however soon it comes."""
        for probe in self._probes():
            probe.forget()

    async def close(self) -> None:
        """Cancel checks that are still running."""
        for probe in (*self._probes(), self._readiness, self._schema, self._recovery):
            await probe.close()

    def _probes(self) -> tuple[Probe[Any], ...]:
        own = (self._database, self._temporal, self._worker, self._mirror, self._breakers)
        return (*own, *self._jira.values())

    async def _ask_problems(self) -> list[str]:
        found = await asyncio.gather(self._database_problem(), self._temporal_problem())
        return [problem for problem in found if problem]

    async def _ask_worker(self) -> WorkerPart:
        try:
            pollers = await self._parts.temporal.pollers(await self._own_installation())
        except TemporalUnavailableError:
            return WorkerPart(status=DOWN, error="Temporal does not respond")
        if pollers and not pollers.others:
            return WorkerPart(status=OK, pollers=pollers.own)
        error = foreign_workers(pollers.others) if pollers.others else no_active_worker(pollers)
        return WorkerPart(status=DEGRADED if pollers else DOWN, pollers=pollers.own, error=error)

    async def _own_installation(self) -> str | None:
        """Return the id of this installation; None while the database does not respond."""
        try:
            async with asyncio.timeout(CHECK_SECONDS / 2):
                return await self._parts.installation.id()
        except (PaoError, MigrationError, TimeoutError):
            return None

    async def _ask_breakers(self) -> Breakers:
        """Return the targets that failed when actions called them last; none if unknown."""
        try:
            async with (
                asyncio.timeout(CHECK_SECONDS),
                self._parts.database.reading() as session,
            ):
                repository = BreakersRepository(session)
                states, others = await repository.named(), await repository.others()
        except (PaoError, TimeoutError):
            return {}
        return breaker_parts(states, others)

    async def _ask_mirror(self) -> MirrorPart:
        """Return how far Postgres is behind: the age of the oldest request not yet started.

        The sweeper starts such requests every minute, so more than a few minutes need a person;
        so does what the reconciler has found and could not repair.
        """
        try:
            async with (
                asyncio.timeout(CHECK_SECONDS),
                self._parts.database.reading() as session,
            ):
                since = await RequestsRepository(session).unstarted_since()
                run = await MaintenanceRunsRepository(session).last(RECONCILER)
                recovery = await RecoveryRepository(session).read()
        except (PaoError, TimeoutError):
            return MirrorPart(status=DOWN, error="the database does not respond")
        lag = (datetime.now(UTC) - since).total_seconds() if since else 0.0
        return mirror_part(run, lag, problem=recovery.problem)

    def _secrets(self) -> SecretsPart:
        unread = sorted(self._parts.unread_secrets())
        return SecretsPart(status=DEGRADED if unread else OK, unread=unread)

    async def _ask_schema(self) -> list[str]:
        problem = await self._schema_problem()
        return [problem] if problem else []

    async def _database_problem(self) -> str | None:
        """Return why requests cannot be stored: the schema, else notifications."""
        return await self._schema_problem() or await self._notification_problem()

    async def _recovery_problem(self) -> str | None:
        """Return what a restored database still needs; None also while it does not answer."""
        with contextlib.suppress(PaoError, TimeoutError):
            async with (
                asyncio.timeout(CHECK_SECONDS),
                self._parts.database.reading() as session,
            ):
                return (await RecoveryRepository(session).read()).problem
        return None

    async def _schema_problem(self) -> str | None:
        try:
            async with (
                asyncio.timeout(CHECK_SECONDS),
                self._parts.database.reading() as session,
            ):
                await check_ready(session)
                return (await RecoveryRepository(session).read()).problem
        except DatabaseUnavailableError as error:
            return f"the database {error.reason}"
        except TimeoutError:
            return "the database does not respond"
        except MigrationError as error:
            return str(error)

    async def _notification_problem(self) -> str | None:
        """Return why notifications are not received; a new process gets a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CHECK_SECONDS):
                await self._parts.notifications.wait_until_checked()
        return self._parts.notifications.problem

    async def _temporal_problem(self) -> str | None:
        try:
            missing = await self._parts.temporal.missing_search_attributes()
            pollers = await self._parts.temporal.pollers(await self._own_installation())
        except TemporalUnavailableError:
            return "Temporal does not respond"
        if missing:
            return f"Temporal lacks the search attributes {', '.join(missing)}"
        if pollers:
            return None
        return foreign_workers(pollers.others) if pollers.others else no_active_worker(pollers)


def _own_probe(ask: Callable[[], Awaitable[P]], part: type[P]) -> Probe[P]:
    """Return the probe of an own part, of which no old result is shown."""
    return Probe(
        ask,
        unknown=part(status=DOWN, error=SILENT),
        broken=part(status=DOWN, error=BROKEN),
        patience=OWN_SECONDS,
    )


async def _probe_all(probes: Mapping[str, Probe[T]]) -> dict[str, T]:
    states = await asyncio.gather(*(probe.now() for probe in probes.values()))
    return dict(zip(probes, states, strict=True))
