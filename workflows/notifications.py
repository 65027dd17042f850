"""Notifies people that a request has failed or waits; a failed notification never affects it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core.payloads.actions import ActionInput, ActionResult
from pao.core.payloads.plan import PlannedAction
from workflows import policies
from workflows.failures import classify
from workflows.ledger import Ledger
from workflows.mirror import Mirror

FAILED = "failure"
WAITS = "waiting"


class Notices:
    """Sends an item's onFailure and onWaiting notifications, concurrently with everything else."""

    def __init__(self, plan: Sequence[PlannedAction], ledger: Ledger, mirror: Mirror) -> None:
        self._notices = [action for action in plan if action.notice]
        self._ledger = ledger
        self._mirror = mirror
        self._sent = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, notice: str, /, **about: Any) -> None:
        """Send the item's notifications for this; templates see ``about`` as ``fulfillment``."""
        for action in self._notices:
            if action.notice == notice:
                self._sent += 1
                self._tasks.add(asyncio.create_task(self._send(action, self._sent, about)))

    async def wait_until_ended(self) -> None:
        """Return when all notifications have ended, sent or failed."""
        await workflow.wait_condition(lambda: all(task.done() for task in self._tasks))

    async def _send(self, action: PlannedAction, number: int, about: dict[str, Any]) -> None:
        action_input = ActionInput(
            context=self._ledger.context.for_action(action.reads),
            action=action,
            attempt=number,
            run_id=workflow.info().run_id,
            published=about,
        )
        try:
            result: ActionResult = await workflow.execute_activity(
                action.type,
                action_input,
                result_type=ActionResult,
                summary=f"{action.name}: {about.get('event')}",
                **policies.NOTICE,
            )
            problem = result.outputs.get("error")
        except FailureError as error:
            problem = classify(error).message
        outcome = f"could not be sent: {problem}" if problem else "was sent"
        self._ledger.journal.log(
            "warning" if problem else "info", f"The notification {action.name} {outcome}"
        )
        await self._mirror.write_from_handler()
