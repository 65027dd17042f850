"""An action type for tests whose target keeps working: it is waited for, and can be stopped."""

import asyncio
from collections import defaultdict

from pydantic import BaseModel

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.base import Action, ActionConfig, ActionContext
from activities.registry import load_all
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending
from tests.support.worker import Workbench


class JobConfig(ActionConfig):
    """The job's name, and how it is waited for; one that is held begins without an end.

    One that is ``nameless`` has no reference.
    """

    name: str = "job"
    nameless: bool = False
    held: bool = False
    kind: str = "follow"


class JobOutputs(BaseModel):
    """How it ended."""

    answer: str


class JobAction(Action[JobConfig]):
    """Begins jobs in a target of this process, and waits for them."""

    type = "job"
    summary = "Run a job."
    resource_type = "job"
    config = JobConfig
    outputs = JobOutputs
    examples = ({}, {"name": "other"})

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.follows = 0
        self.stopped: list[str] = []
        self.is_stubborn = False
        self.cut: list[str] = []
        self._ends: dict[str, asyncio.Queue[str]] = defaultdict(asyncio.Queue)

    async def _wait_for_end(self, name: str) -> None:
        try:
            await self._ends[name].get()
        except asyncio.CancelledError:
            self.cut.append(name)
            raise

    async def work(self, bench: Workbench) -> Workbench:
        """Start a worker that knows this type as well."""
        bench.types = {**load_all(), self.type: self}
        await bench.start_worker()
        return bench

    def end(self, answer: str, name: str = "job") -> None:
        """Let a job end; ``no`` makes it a failure, ``lost`` a doubt."""
        self._ends[name].put_nowait(answer)

    async def look(self, config: JobConfig, context: ActionContext) -> ActionResult | None:
        """Find the job by its mark."""
        return self._pending(config) if context.mark in self.begun else None

    async def execute(self, config: JobConfig, context: ActionContext) -> ActionResult:
        """Begin the job."""
        self.begun.append(context.mark)
        if config.held:
            await self._wait_for_end(config.name)
        return self._pending(config)

    async def follow(
        self, config: JobConfig, context: ActionContext, pending: Pending
    ) -> ActionResult:
        """Wait until it has ended."""
        del config, context
        self.follows += 1
        name = pending.state["name"]
        answer = await self._ends[name].get()
        if answer == "lost":
            raise OutcomeUnknownError(f"the job {name} no longer tells")
        if answer == "no":
            raise ActionFailedError(f"the job {name} has failed")
        return ActionResult(outputs={"answer": answer}, external_reference=name)

    async def cancel(self, config: JobConfig, context: ActionContext, pending: Pending) -> None:
        """Stop it, if it lets itself be stopped."""
        del config, context
        self.stopped.append(pending.state["name"])
        if self.is_stubborn:
            raise ActionFailedError("the job goes on")

    def cleanup(self, result: ActionResult) -> str:
        """Say what to remove."""
        return f"Remove the job {result.external_reference}."

    def _pending(self, config: JobConfig) -> ActionResult:
        return ActionResult(
            external_reference=None if config.nameless else config.name,
            pending=Pending(config.kind, {"name": config.name}),
        )
