"""A worker makes its own build the one that gets requests, and says loudly when none does."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from temporalio.service import RPCError

from pao.clients.deployments import Deployment, Routing

LOOK_SECONDS = 15.0
# A start is looked at more often: until it is promoted, a new build does nothing.
START_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Promoter:
    """Looks after the deployment as long as the worker runs; ``build_id`` is None for one without.

    At its start a worker promotes its build, once Temporal has seen it poll all its queues. Later
    it does so only when nobody else can: no build was ever current, or the current one's workers
    are gone. What a person has set back to workers without a version stays so.
    """

    def __init__(
        self,
        deployment: Deployment,
        build_id: str | None,
        *,
        queues: Mapping[str, Sequence[str]],
        by_itself: bool,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._deployment = deployment
        self._build_id = build_id
        self._queues = queues
        self._by_itself = by_itself
        self._look_seconds = look_seconds
        self._told: str | None = None

    async def run(self) -> None:
        """Promote this build, then look from time to time; never returns."""
        is_start = self._build_id is not None and self._by_itself
        while True:
            try:
                if self._build_id and not await self._deployment.polls(
                    self._build_id, self._queues
                ):
                    await asyncio.sleep(START_SECONDS)
                    continue
                await self._look(is_start=is_start)
                is_start = False
            except RPCError as error:
                self._tell(f"Temporal did not say which build of the workers is current: {error}")
            await asyncio.sleep(self._look_seconds)

    async def _look(self, *, is_start: bool) -> None:
        if self._build_id is None and not await self._deployment.was_chosen():
            self._told = None
            return
        routing = await self._deployment.routing()
        if routing.current == self._build_id:
            self._told = None
            return
        if await self._may_promote(routing, is_start=is_start):
            await self._deployment.promote(self._build_id)
            self._told = None
            _log.info(
                "build %s gets the requests from now on; before: %s",
                self._build_id,
                routing.current or "none",
            )
            return
        self._tell(await self._fault(routing))

    async def _may_promote(self, routing: Routing, *, is_start: bool) -> bool:
        if not self._build_id or not self._by_itself:
            return False
        if routing.current is None:
            return not routing.is_chosen
        return is_start or routing.current not in await self._deployment.living()

    async def _fault(self, routing: Routing) -> str | None:
        """Return what keeps requests from any worker; None where they have one."""
        living = await self._deployment.living()
        if (routing.current or "") in living:
            return None
        if routing.current is None:
            return (
                f"no build of the workers is current: this one, {self._build_id}, gets no requests"
                " and they wait; run `pao worker promote`"
            )
        if self._build_id is None:
            return (
                f"Temporal gives all requests to build {routing.current} of the workers, and this"
                " one has no PAO_BUILD_ID: they wait; set it, or run `pao worker promote"
                " --unversioned`"
            )
        return (
            f"Temporal gives all requests to build {routing.current} of the workers, of which none"
            f" runs: they wait; run `pao worker promote --build-id {self._build_id}`"
        )

    def _tell(self, fault: str | None) -> None:
        """Log what is wrong, once for as long as it lasts."""
        if fault and fault != self._told:
            _log.error(fault)
        self._told = fault
