"""RequestWorkflow: carries a stored plan out and waits for humans when an action fails.

Deterministic code only. What a failure means is in failures.py, what a signal says in commands.py,
whether a decision is possible in desk.py, what the mirror is told in ledger.py, every timeout in
policies.py.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from pao.core import names
    from pao.core.payloads import (
        ActionInput,
        ActionResult,
        ActionState,
        Correction,
        CorrectionAnswer,
        DecisionRecord,
        Escalation,
        EscalationInput,
        MirrorAnswer,
        OutcomeQuery,
        PlannedAction,
        RequestInput,
        RequestOutcome,
        Settled,
        Snapshot,
        timestamp,
    )
    from pao.core.states import SETTLED, TERMINAL, Decision, RequestStatus
    from workflows import policies
    from workflows.commands import read_command
    from workflows.desk import DecisionDesk
    from workflows.details import current_details
    from workflows.failures import classify, is_refusal
    from workflows.ledger import Ledger
    from workflows.resuming import take_up

STATUS = SearchAttributeKey.for_keyword("PaoStatus")
CANCELLED = "The workflow was cancelled in Temporal."
SUPERSEDED = "Another run of this request has gone further; this one ended without acting."
PAYLOAD = "Payload, optional: an object with by, reason, decisionId"


class _SupersededError(Exception):
    """Another run of this request has ended it or gone further: this one must not act."""


@workflow.defn(name=names.REQUEST_WORKFLOW)
class RequestWorkflow:
    """One submitted request, from its first action to its end."""

    @workflow.init
    def __init__(self, given: RequestInput) -> None:
        self._given = given
        self._ledger = Ledger(given)
        self._desk = DecisionDesk(self._ledger)
        self._mirror_lock = asyncio.Lock()
        self._mirrored_version = 0
        self._look_first: set[str] = set()
        self._settled: Settled | None = None
        self._shown = RequestStatus.SUBMITTED
        self._ended = False
        self._superseded = False
        if given.resumption is not None:
            take_up(self._ledger, self._desk, given.resumption, at=workflow.now())

    # Carrying the plan out

    @workflow.run
    async def run(self, given: RequestInput) -> RequestOutcome:
        """Carry the plan out; ends when the request has reached a final state."""
        work = asyncio.create_task(self._work(given.plan))
        while not work.done():
            # The action in hand ends first; what a cancellation means is decided where it ends.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(work)
        return work.result()

    async def _work(self, plan: Sequence[PlannedAction]) -> RequestOutcome:
        try:
            await self._carry_out(plan)
            self._ended = True
            await self._drain()
        except _SupersededError:
            self._ended = True
            await workflow.wait_condition(workflow.all_handlers_finished)
            return RequestOutcome(status=self._ledger.status, note=SUPERSEDED)
        return RequestOutcome(status=self._ledger.status)

    async def _carry_out(self, plan: Sequence[PlannedAction]) -> None:
        waiting = await self._wait_as_before()
        while waiting or not await self._run_plan(plan):
            waiting = False
            await self._human_decides()
            if self._ledger.status in TERMINAL:
                return

    async def _wait_as_before(self) -> bool:
        """Tell whether this run was started to wait where an earlier one is gone, and mirror it."""
        if self._given.resumption is None:
            return False
        await self._mirror()
        self._settled = Settled(status=self._ledger.status, at=timestamp(workflow.now()))
        return True

    async def _run_plan(self, plan: Sequence[PlannedAction]) -> bool:
        """Run what has not succeeded yet, in order; tells whether all of it has now."""
        for action, state in zip(plan, self._ledger.states, strict=True):
            if state.outputs is not None:
                continue
            if self._stop_before(state):
                self._begin()
                self._ledger.stopped(CANCELLED)
                await self._settle(RequestStatus.FAILED, reason=CANCELLED)
                return False
            if not await self._execute(action, state):
                return False
        if not plan:
            self._begin()
        # Taken up again after its last action, a request has nothing left for a retry to run.
        self._desk.finish("done")
        await self._settle(RequestStatus.COMPLETED)
        return True

    def _stop_before(self, state: ActionState) -> bool:
        """Tell whether a cancellation came after an earlier action and before this one."""
        return _is_cancelled() and state.attempt == 0 and self._desk.current is None

    async def _execute(self, action: PlannedAction, state: ActionState) -> bool:
        """Run one action once; tells whether it succeeded."""
        ledger = self._ledger
        self._begin()
        ledger.begin(state)
        await self._mirror()
        try:
            result = await self._run_activity(action, state)
        except FailureError as error:
            failure = classify(error)
            ledger.fail(state, failure)
            self._desk.finish("done", f"{action.name} failed again")
            await self._settle(RequestStatus.FAILED, reason=failure.message)
            return False
        ledger.succeed(state, result)
        self._desk.finish("done")
        ledger.retrying = False
        return True

    def _begin(self) -> None:
        if not self._ledger.retrying and self._ledger.status != RequestStatus.IN_PROGRESS:
            self._ledger.move(RequestStatus.IN_PROGRESS)

    async def _run_activity(self, action: PlannedAction, state: ActionState) -> ActionResult:
        given = ActionInput(
            context=self._ledger.context.without_plan(),
            action=action,
            attempt=state.attempt,
            look_first=self._must_look(action, state),
            outputs=self._ledger.outputs,
            run_id=workflow.info().run_id,
        )
        result: ActionResult = await workflow.execute_activity(
            action.type,
            given,
            result_type=ActionResult,
            summary=f"{action.name}, attempt {state.attempt}",
            **policies.action(self._given.waits),
        )
        return result

    def _must_look(self, action: PlannedAction, state: ActionState) -> bool:
        """Tell whether an earlier effect may exist.

        A reset run looks always: it may replay an answer of the mirror that is older than starts
        which the reset has left out.
        """
        return state.attempt > 1 or action.id in self._look_first or self._had_other_runs()

    def _had_other_runs(self) -> bool:
        return _is_reset() or self._given.resumption is not None

    async def _settle(self, status: RequestStatus, *, reason: str | None = None) -> None:
        self._ledger.move(status, reason=reason)
        await self._mirror()
        if self._settled is None:
            self._settled = Settled(status=status, at=timestamp(workflow.now()))

    # Decisions

    async def _human_decides(self) -> None:
        """Wait until a human has decided; returns when a retry may run or the request has ended."""
        while True:
            await workflow.wait_condition(lambda: self._desk.current is not None or _is_cancelled())
            record = self._desk.current or self._cancellation_as_abort()
            if await self._carry_out_decision(record):
                return

    def _cancellation_as_abort(self) -> DecisionRecord:
        record = DecisionRecord(
            decision_id=str(workflow.uuid4()),
            decision=Decision.ABORT,
            at=timestamp(workflow.now()),
            by="temporal",
            reason=workflow.cancellation_reason() or CANCELLED,
        )
        self._desk.register(record)
        self._desk.judge(record, {})
        return record

    async def _carry_out_decision(self, record: DecisionRecord) -> bool:
        if record.decision == Decision.RETRY:
            return await self._prepare_retry(record)
        if record.decision == Decision.ESCALATE:
            return await self._escalate(record)
        self._desk.finish("done")
        self._end(RequestStatus.ABORTED, record)
        await self._mirror()
        return True

    async def _prepare_retry(self, record: DecisionRecord) -> bool:
        if self._desk.changes and not await self._correct(record):
            await self._mirror()
            return False
        self._ledger.start_retry(record)
        return True

    async def _correct(self, record: DecisionRecord) -> bool:
        """Take corrected fields over when the form's own validator accepts them."""
        correction = Correction(
            context=self._ledger.context.without_plan(), changes=self._desk.changes
        )
        try:
            answer: CorrectionAnswer = await workflow.execute_local_activity(
                names.CHECK_CORRECTION_ACTIVITY,
                correction,
                result_type=CorrectionAnswer,
                summary="check the corrected fields",
                **policies.CORRECTION,
            )
        except FailureError as error:
            message = f"the corrected fields could not be checked: {classify(error).message}"
            answer = CorrectionAnswer(valid=False, message=message)
        if not answer.valid:
            self._desk.finish("rejected", answer.message)
            return False
        record.changes = answer.diff
        self._ledger.context.fields = answer.fields
        return True

    async def _escalate(self, record: DecisionRecord) -> bool:
        ledger = self._ledger
        given = EscalationInput(
            context=ledger.context.without_plan(),
            error_context=ledger.error_context(),
            actions=ledger.states,
            by=record.by,
            reason=record.reason,
            tried_before=self._had_other_runs() or ledger.has_tried(Decision.ESCALATE),
            run_id=workflow.info().run_id,
        )
        try:
            ledger.escalation = await workflow.execute_activity(
                names.ESCALATE_ACTIVITY,
                given,
                result_type=Escalation,
                summary=f"Escalation ticket, decided by {record.by}",
                **policies.action(self._given.waits),
            )
        except FailureError as error:
            message = f"The escalation ticket could not be created: {classify(error).message}"
            ledger.escalation_failed(record, message)
            self._desk.finish("failed", message)
            await self._mirror()
            return False
        self._desk.finish("done")
        self._end(RequestStatus.ESCALATED, record)
        await self._mirror()
        return True

    def _end(self, status: RequestStatus, record: DecisionRecord) -> None:
        self._ledger.move(status, actor=record.by, via=record.via, reason=record.reason)

    # The mirror

    async def _mirror(self) -> None:
        """Write the present state to Postgres; returns when a reader finds it there."""
        # A reset hands a run its old signals before it has begun: its first state is what the work
        # itself writes, because no stored request goes back to submitted.
        if self._ledger.status == RequestStatus.SUBMITTED:
            await workflow.wait_condition(lambda: self._ledger.status != RequestStatus.SUBMITTED)
        wanted = self._ledger.version
        async with self._mirror_lock:
            if self._superseded:
                raise _SupersededError
            if self._mirrored_version >= wanted:
                return
            version = self._ledger.version
            snapshot = self._ledger.snapshot(workflow.info().run_id)
            self._show()
            answer = await self._write(snapshot)
            while answer.stored_at is not None and not answer.terminal:
                snapshot = await self._overtake(answer.stored_at, answer.stored_seq)
                answer = await self._write(snapshot)
            self._mirrored_version = version
            self._ledger.confirm(snapshot)
            self._desk.told(snapshot.decisions)
        # Also later than at the first write: a reset may have left out starts that had happened.
        self._look_first |= set(answer.started_actions)
        if not answer.applied and self._ledger.status not in TERMINAL:
            self._superseded = True
            raise _SupersededError

    async def _overtake(self, stored_at: str, stored_seq: int) -> Snapshot:
        """Take the snapshot anew, above a stored one that this run's clock lies behind.

        Of two runs of a request, only the one that lives gets its timer: the answer of the timer
        says that this is not the straggler.
        """
        await workflow.sleep(policies.ALIVE)
        self._ledger.stand_above(stored_at, stored_seq)
        return self._ledger.snapshot(workflow.info().run_id)

    async def _write(self, snapshot: Snapshot) -> MirrorAnswer:
        """Write until Postgres has it; a state that it refuses fails the workflow task, loudly.

        The task is tried again by Temporal, and the refusal is not in history: once the database
        is mended the request goes on by itself. Failing the workflow would lose the request.
        """
        while True:
            try:
                return await self._write_quickly(snapshot)
            except FailureError as error:
                if is_refusal(error):
                    raise RuntimeError(f"the mirror refused this state: {error}") from error
            # Refused here, it is refused above again, where history does not keep it.
            with contextlib.suppress(FailureError):
                return await self._write_until_done(snapshot)

    async def _write_quickly(self, snapshot: Snapshot) -> MirrorAnswer:
        answer: MirrorAnswer = await workflow.execute_local_activity(
            names.MIRROR_ACTIVITY,
            snapshot,
            result_type=MirrorAnswer,
            summary=f"{snapshot.status}, as Postgres is told",
            **policies.mirror_first_try(self._given.waits),
        )
        return answer

    async def _write_until_done(self, snapshot: Snapshot) -> MirrorAnswer:
        answer: MirrorAnswer = await workflow.execute_activity(
            names.MIRROR_ACTIVITY,
            snapshot,
            result_type=MirrorAnswer,
            summary=f"{snapshot.status}, as Postgres is told",
            **policies.MIRROR_UNTIL_DONE,
        )
        return answer

    def _show(self) -> None:
        ledger = self._ledger
        if ledger.status != self._shown:
            self._shown = ledger.status
            workflow.upsert_search_attributes([STATUS.value_set(ledger.status)])
        workflow.set_current_details(
            current_details(ledger.context, ledger.status, ledger.states, retrying=ledger.retrying)
        )

    async def _mirror_from_handler(self) -> None:
        try:
            await self._mirror()
        except _SupersededError:
            return

    async def _drain(self) -> None:
        """Mirror what handlers have left, until nothing is left, before the workflow closes."""
        while True:
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._mirrored_version >= self._ledger.version:
                return
            await self._mirror()

    # Signals and updates

    async def _receive(self, kind: Decision, args: tuple[Any, ...]) -> None:
        record, changes = read_command(
            kind, args, at=timestamp(workflow.now()), fallback_id=str(workflow.uuid4())
        )
        known = self._desk.look_up(record.decision_id)
        if known.decision == kind:
            return
        if known.decision:
            record.decision_id = str(workflow.uuid4())
            record.message = f"this decisionId stands for a {known.decision}; send another"
        self._desk.register(record)
        if self._ledger.status not in SETTLED or self._desk.current is not None:
            # Signals are handled before the activity results that came with them, so those are
            # let in first. A timer would do it, too, but a server takes up to a second for one.
            self._ledger.received(record)
            await self._mirror_from_handler()
        self._desk.judge(record, changes)
        await self._mirror_from_handler()

    @workflow.signal(
        name=Decision.RETRY,
        description=f"Run the failed action again. {PAYLOAD}, fields (corrected values), mode.",
    )
    async def retry(self, *args: Any) -> None:
        """Take a retry; whatever the arguments are, the workflow lives on."""
        await self._receive(Decision.RETRY, args)

    @workflow.signal(name=Decision.ABORT, description=f"End the failed request. {PAYLOAD}.")
    async def abort(self, *args: Any) -> None:
        """Take an abort; whatever the arguments are, the workflow lives on."""
        await self._receive(Decision.ABORT, args)

    @workflow.signal(
        name=Decision.ESCALATE, description=f"Hand over by a JIRA ticket and end. {PAYLOAD}."
    )
    async def escalate(self, *args: Any) -> None:
        """Take an escalation; whatever the arguments are, the workflow lives on."""
        await self._receive(Decision.ESCALATE, args)

    @workflow.signal(dynamic=True, description="Any other name is recorded and changes nothing.")
    async def unknown_signal(self, name: str, _args: Sequence[RawValue]) -> None:
        """Record a signal that does not exist."""
        self._ledger.audit(
            "signal.unknown",
            actor="unknown",
            via="temporal",
            reason=f"there is no signal {name[:100]!r}; there are retry, abort and escalate",
        )
        await self._mirror_from_handler()

    @workflow.update(
        name=names.SETTLED_UPDATE,
        description="Answers when the request has completed or failed for the first time.",
    )
    async def settled(self) -> Settled:
        """Wait until the request has settled; the answer is frozen at the first settling."""
        await workflow.wait_condition(lambda: self._settled is not None or self._ended)
        if self._settled is None:
            raise ApplicationError(SUPERSEDED, type="Superseded", non_retryable=True)
        return self._settled

    @workflow.update(
        name=names.MIRROR_AGAIN_UPDATE,
        description="Writes the present state to Postgres once more; for the reconciler.",
    )
    async def mirror_again(self) -> RequestStatus:
        """Write the state to Postgres though nothing has changed, and answer it."""
        self._ledger.tell_again()
        await self._mirror_from_handler()
        return self._ledger.status

    @workflow.query(
        name=names.SNAPSHOT_QUERY,
        description="The state as Postgres should have it, also of a closed workflow.",
    )
    def snapshot(self) -> Snapshot:
        """Give the full state; it changes nothing."""
        return self._ledger.view(workflow.info().run_id)

    @workflow.update(
        name=names.DECISION_OUTCOME_UPDATE,
        description="Answers what became of a decision, as far as it is known within the wait.",
    )
    async def decision_outcome(self, query: OutcomeQuery) -> DecisionRecord:
        """Wait for a decision's outcome; an open one is answered as it stands after the wait."""
        try:
            await workflow.wait_condition(
                lambda: self._ended or self._desk.answerable(query.decision_id),
                timeout=policies.outcome_wait(query.wait_seconds),
            )
        except TimeoutError:
            workflow.logger.info("a decision is still open", extra={"decision": query.decision_id})
        return self._desk.look_up(query.decision_id)


def _is_cancelled() -> bool:
    return workflow.cancellation_reason() is not None


def _is_reset() -> bool:
    """Tell whether this run is a reset of another; PAO itself never continues as new."""
    info = workflow.info()
    return info.first_execution_run_id != info.run_id
