"""Runs the plan: starts what is ready, waits for what runs, stops when something failed.

The order is in graph.py, waits after an action's effect in waiting.py, decisions about failures
in decisions.py.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.errors import ErrorCode
from pao.core.graph import Graph
from pao.core.payloads.actions import ActionInput, ActionResult, ActionState, ConditionAnswer
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.requests import WorkflowTimeouts
from pao.core.states import ActionStatus, RequestStatus
from pao.core.timestamps import timestamp
from workflows import policies
from workflows.failures import classify
from workflows.ledger import Ledger
from workflows.mirror import Mirror
from workflows.open_decisions import OpenDecisions
from workflows.runs import is_reset
from workflows.stopping import TOO_LATE, Stop
from workflows.waiting import ActionWaits, WaitFailedError

NEVER_STARTED = "It was cancelled before it started; nothing was done."
REVISE = "revise"

Settle = Callable[[RequestStatus, str | None], Awaitable[None]]


class PlanRunner:
    """Carries out a plan in passes; a pass ends when nothing runs and nothing can start.

    A retry is a pass that begins with what failed: the request leaves ``failed`` and continues
    only when all of that has resolved.
    """

    def __init__(  # noqa: PLR0913 -- what a run works on, each part named.
        self,
        graph: Graph,
        *,
        ledger: Ledger,
        open_decisions: OpenDecisions,
        mirror: Mirror,
        stop: Stop,
        waiting: ActionWaits,
        waits: WorkflowTimeouts,
        had_others: bool,
        settle: Settle,
    ) -> None:
        self._graph = graph
        self._ledger = ledger
        self._open_decisions = open_decisions
        self._mirror = mirror
        self._stop = stop
        self._waiting = waiting
        self._waits = waits
        self._had_others = had_others
        self._settle = settle
        self._tasks: dict[str, asyncio.Task[ActionResult]] = {}
        self._handles: dict[str, workflow.ActivityHandle[ActionResult]] = {}
        self._is_ending = False
        self._retried: list[ActionState] = []
        self._untried: set[str] = set()
        self._conditions_met: set[str] = set()

    async def run(self) -> bool:
        """Run what has not ended yet, as far as possible; return whether everything has ended."""
        self._retried = self._to_retry()
        self._untried = {state.id for state in self._retried}
        while True:
            await self._start(await self._due())
            if not self._tasks:
                break
            await workflow.wait_condition(self._has_news)
            if self._must_end():
                self._cancel_running()
            self._collect()
        return await self._conclude()

    # What starts next

    def _to_retry(self) -> list[ActionState]:
        if not self._ledger.retrying:
            return []
        states = self._ledger.states
        failed = [state for state in states if state.status == ActionStatus.FAILED]
        return failed or self._graph.ready(states)

    async def _due(self) -> list[ActionState]:
        """Return what starts now; skipping an action whose condition is false may free others."""
        while True:
            due = self._startable()[: self._free_slots()]
            conditional = [state for state in due if self._has_open_condition(state)]
            if not conditional:
                return due
            self._begin()
            if workflow.patched("mirror-before-conditions"):
                # After a reset the mirror knows corrections that this run has not seen.
                await self._mirror.write()
            answers = await asyncio.gather(
                *(self._evaluate_condition(state) for state in conditional)
            )
            for state, answer in zip(conditional, answers, strict=True):
                self._apply_condition(state, answer)
            self._close_retry()

    def _free_slots(self) -> int:
        """Return how many more may run now; actions that only wait take no slot."""
        running = [one for one in self._ledger.states if one.status == ActionStatus.IN_PROGRESS]
        return max(policies.MOST_AT_ONCE - len(running), 0)

    def _startable(self) -> list[ActionState]:
        if self._retried:
            return [state for state in self._retried if state.id in self._untried]
        states = self._ledger.states
        has_failed = any(state.status == ActionStatus.FAILED for state in states)
        return [] if has_failed or not self._stop.allows_start else self._graph.ready(states)

    def _has_open_condition(self, state: ActionState) -> bool:
        """Return whether a condition decides; not after an attempt, whose effect may exist."""
        action = self._graph.action(state)
        return (
            action.when is not None and state.attempt == 0 and state.id not in self._conditions_met
        )

    async def _evaluate_condition(self, state: ActionState) -> ConditionAnswer:
        try:
            answer: ConditionAnswer = await workflow.execute_local_activity(
                names.CONDITION_ACTIVITY,
                self._action_input(state),
                result_type=ConditionAnswer,
                summary=f"does {state.name} run?",
                **policies.CONDITION,
            )
        except FailureError as error:
            reason = f"its condition could not be checked: {classify(error).message}"
            return ConditionAnswer(holds=False, reason=reason, failed=True)
        return answer

    def _apply_condition(self, state: ActionState, answer: ConditionAnswer) -> None:
        if answer.holds:
            self._conditions_met.add(state.id)
            return
        self._untried.discard(state.id)
        reason = answer.reason or "its condition does not hold"
        if answer.failed:
            self._ledger.fail(state, ActionFailure(code=ErrorCode.ACTION_FAILED, message=reason))
        else:
            self._ledger.skip(state, reason)

    async def _start(self, due: list[ActionState]) -> None:
        """Record in Postgres what starts, then start it: readers always know what ran."""
        if due or self._tasks:
            self._begin()
        for state in due:
            self._untried.discard(state.id)
            self._ledger.begin(state)
        if due or self._tasks:
            await self._mirror.write()
        for state in due:
            if self._stop.record is None:
                self._launch(state)
            else:
                self._ledger.fail(state, self._cancelled_failure(NEVER_STARTED))
        self._close_retry()

    def _begin(self) -> None:
        if not self._ledger.retrying and self._ledger.status != RequestStatus.IN_PROGRESS:
            self._ledger.move(RequestStatus.IN_PROGRESS)

    def _launch(self, state: ActionState) -> None:
        action, action_input = self._graph.action(state), self._action_input(state)
        handle = workflow.start_activity(
            action.type,
            action_input,
            result_type=ActionResult,
            summary=f"{action.name}, attempt {state.attempt}",
            **policies.action(self._waits, action, queue=workflow.info().task_queue),
        )
        self._handles[state.id] = handle
        self._tasks[state.id] = asyncio.create_task(
            self._wait_until_done(state, action_input, handle)
        )

    async def _wait_until_done(
        self,
        state: ActionState,
        action_input: ActionInput,
        handle: workflow.ActivityHandle[ActionResult],
    ) -> ActionResult:
        """Wait until an action is done, even after its activity has ended."""
        return await self._waiting.until_done(state, action_input, await handle)

    def _action_input(self, state: ActionState) -> ActionInput:
        action, ledger = self._graph.action(state), self._ledger
        decision = self._open_decisions.current
        return ActionInput(
            context=ledger.context.for_action(action.reads),
            action=action,
            attempt=state.attempt,
            look_first=self._must_look(state),
            outputs=self._graph.outputs(action, ledger.states),
            run_id=workflow.info().run_id,
            published=self._graph.published(action, ledger.states),
            unclear=self._is_doubtful(state),
            partial=list(state.partial),
            doubt_since=self._doubt_since(state),
            earlier=state.pending,
            former=list(state.former),
            moves=state.moves,
            revise=decision is not None and decision.mode == REVISE,
        )

    def _is_doubtful(self, state: ActionState) -> bool:
        """Return whether an earlier attempt's outcome is unknown; a refused one had no effect."""
        if (state.id, state.attempt) in self._ledger.confirmed_absent:
            return False
        if is_reset() or (state.attempt == 1 and self._must_look(state)):
            # Another run may have carried it out: what a reset has cut off is unknown.
            state.outcome_unknown = True
            state.doubt_since = state.doubt_since or timestamp(workflow.now())
        return self._had_others or state.outcome_unknown

    def _doubt_since(self, state: ActionState) -> str | None:
        """Return when the last attempt that may have had an effect ended, if known."""
        if state.doubt_since is None and self._had_others:
            return timestamp(workflow.info().start_time)
        return state.doubt_since

    def _must_look(self, state: ActionState) -> bool:
        """Return whether an earlier effect may exist.

        A run with predecessors always looks: it may replay an answer of the mirror that is older
        than starts which a reset has dropped.
        """
        return state.attempt > 1 or state.id in self._mirror.started or self._had_others

    # What is to end

    def _must_end(self) -> bool:
        """Return whether running actions must end and were not asked to yet."""
        return self._stop.is_requested and not self._is_ending

    def _cancel_running(self) -> None:
        """Cancel every running action; waits for tickets and people end on their own."""
        self._is_ending = True
        if self._stop.accept_cancellation():
            for handle in self._handles.values():
                handle.cancel()

    def _cancelled_failure(self, message: str) -> ActionFailure:
        return ActionFailure(
            code=ErrorCode.ACTION_FAILED,
            message=f"{self._stop.describe()} {message}",
            retryable=True,
        )

    # What has ended

    def _has_news(self) -> bool:
        has_ended = any(task.done() for task in self._tasks.values())
        return self._waiting.has_news or has_ended or self._must_end()

    def _collect(self) -> None:
        self._waiting.has_news = False
        for state in self._ledger.states:
            task = self._tasks.get(state.id)
            if task is not None and task.done():
                del self._tasks[state.id], self._handles[state.id]
                self._resolve(state, task)
        self._close_retry()

    def _resolve(self, state: ActionState, task: asyncio.Task[ActionResult]) -> None:
        try:
            result = task.result()
        except FailureError as error:
            failure = classify(error)
            if self._stop.record is not None:
                failure = replace(failure, message=f"{self._stop.describe()} {failure.message}")
            self._ledger.fail(state, failure)
            return
        except WaitFailedError as error:
            self._ledger.fail(state, error.failure)
            return
        self._ledger.succeed(state, result)

    def _close_retry(self) -> None:
        """Close the decision when everything retried has resolved or waits for people."""
        open_ones = [state for state in self._retried if self._is_open(state)]
        if not self._retried or open_ones:
            return
        failed = [state.name for state in self._retried if state.status == ActionStatus.FAILED]
        self._retried = []
        self._open_decisions.finish("done", f"{', '.join(failed)} failed again" if failed else None)
        if not failed:
            self._ledger.retrying = False

    def _is_open(self, state: ActionState) -> bool:
        return state.id in self._untried or state.status == ActionStatus.IN_PROGRESS

    async def _conclude(self) -> bool:
        ledger = self._ledger
        statuses = {state.status for state in ledger.states}
        self._is_ending = False
        if ActionStatus.FAILED in statuses:
            reason = ledger.failure.message if ledger.failure else None
            self._stop.finish()
            await self._settle(RequestStatus.FAILED, reason)
            return False
        if ActionStatus.PENDING in statuses:
            self._begin()
            self._stop.accept_cancellation()
            reason = self._stop.describe()
            ledger.record_stop(reason)
            self._stop.finish()
            await self._settle(RequestStatus.FAILED, reason)
            return False
        self._stop.finish(TOO_LATE)
        if ledger.status == RequestStatus.SUBMITTED:
            self._begin()
        # A request resumed after its last action leaves a retry nothing to run.
        self._open_decisions.finish("done")
        await self._settle(RequestStatus.COMPLETED, None)
        return True
