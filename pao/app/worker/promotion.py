"""Makes a worker's own build the current one, and logs errors if no build gets requests."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from temporalio.service import RPCError

from pao.clients.deployments import Deployment, Routing

CHECK_SECONDS = 15.0
# After a start it is checked more often: until it is promoted, a new build does nothing.
START_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Promoter:
    """Looks after the deployment as long as the worker runs; ``build_id`` is None for one without.

    When it starts, a worker promotes its build, once Temporal has seen it poll all its queues.
    Later it does so only if no build was ever current, or the current one's workers are gone. If a
    person has routed requests to workers without a version, that stays.
    """

    def __init__(
        self,
        deployment: Deployment,
        build_id: str | None,
        *,
        queues: Mapping[str, Sequence[str]],
        automatic: bool,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._deployment = deployment
        self._build_id = build_id
        self._queues = queues
        self._automatic = automatic
        self._check_seconds = check_seconds
        self._reported: str | None = None

    async def run(self) -> None:
        """Promote this build, then check periodically; never returns."""
        is_start = self._build_id is not None and self._automatic
        while True:
            try:
                if self._build_id and not await self._deployment.polls(
                    self._build_id, self._queues
                ):
                    await asyncio.sleep(START_SECONDS)
                    continue
                await self._check_routing(is_start=is_start)
                is_start = False
            except RPCError as error:
                self._report(f"Temporal did not say which build of the workers is current: {error}")
            await asyncio.sleep(self._check_seconds)

    async def _check_routing(self, *, is_start: bool) -> None:
        if self._build_id is None and not await self._deployment.was_chosen():
            self._reported = None
            return
        routing = await self._deployment.routing()
        if routing.current == self._build_id:
            self._reported = None
            return
        if await self._may_promote(routing, is_start=is_start):
            await self._deployment.promote(self._build_id)
            self._reported = None
            _log.info(
                "build %s gets the requests from now on; before: %s",
                self._build_id,
                routing.current or "none",
            )
            return
        self._report(await self._fault(routing))

    async def _may_promote(self, routing: Routing, *, is_start: bool) -> bool:
        if not self._build_id or not self._automatic:
            return False
        if routing.current is None:
            return not routing.is_chosen
        return is_start or routing.current not in await self._deployment.polling_builds()

    async def _fault(self, routing: Routing) -> str | None:
        """Return why requests get no worker; None if they do."""
        living = await self._deployment.polling_builds()
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

    def _report(self, fault: str | None) -> None:
        """Log what is wrong, once while it lasts."""
        if fault and fault != self._reported:
            _log.error(fault)
        self._reported = fault
