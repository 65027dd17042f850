"""Handles signals: each is recorded, evaluated and mirrored; nothing is raised."""

from collections import Counter
from dataclasses import astuple
from typing import Any

from temporalio import workflow

from pao.core import names
from pao.core.documents import from_document
from pao.core.payloads.cleanups import CleanupMark
from pao.core.payloads.decisions import DecisionRecord, SenderAnswer
from pao.core.payloads.tickets import TicketResolved
from pao.core.states import ApprovalVote, Decision
from pao.core.timestamps import timestamp
from workflows.approvals import OpenApprovals
from workflows.commands import fallback_id, read_bundle_decision, read_command, read_vote
from workflows.ledger import Ledger
from workflows.mirror import Mirror
from workflows.open_decisions import OpenDecisions, retry_refusal_patch
from workflows.senders import UNPROVEN_VOTE, ask_sender
from workflows.stopping import Stop
from workflows.versions import FromNextSignal, ReplayedSignals
from workflows.waiting import ActionWaits

API, TEMPORAL = "api", "temporal"


class SignalHandlers:
    """Handles what people and processes send to a request."""

    def __init__(  # noqa: PLR0913 -- what signals are about, each part named.
        self,
        ledger: Ledger,
        *,
        open_decisions: OpenDecisions,
        mirror: Mirror,
        approvals: OpenApprovals,
        stop: Stop,
        waiting: ActionWaits,
    ) -> None:
        self._stop = stop
        self._ledger = ledger
        self._open_decisions = open_decisions
        self._mirror = mirror
        self._approvals = approvals
        self._waiting = waiting
        self._recalls = FromNextSignal("recall-decisions")
        self._replayed = ReplayedSignals("recall-after-reset")
        self._checks = FromNextSignal("check-senders")
        self._marks = FromNextSignal("cleanup-marks")
        self._unnamed: Counter[str] = Counter()

    async def decision(self, kind: Decision, args: tuple[Any, ...]) -> None:
        """Handle a decision about the request; return when its outcome is mirrored."""
        recalls, checks = self._recalls.reached(), self._checks.reached()
        replayed = self._replayed.reached()
        record, changes = read_command(
            kind,
            args,
            at=timestamp(workflow.now()),
            fallback_id=self._fallback_id(kind, args, recalls=recalls),
            # Histories of earlier versions have accepted it; all others get no marker.
            bounds_evidence=lambda: workflow.patched("bound-evidence"),
        )
        if not self._is_new(record, recalls=recalls):
            return
        if checks:
            record.via = await self._origin(kind, args)
        if replayed:
            if await self._was_closed(record):
                return
            if record.accepted:
                # An earlier run was about to carry it out; this one does as soon as it may.
                await self._wait_until_decidable(record)
        elif not self._open_decisions.is_decidable() or (
            self._ledger.retrying and workflow.patched(retry_refusal_patch(record))
        ):
            # Signals are handled before the activity results that arrived with them; the write lets
            # those in first. A timer would, too, but a server takes up to a second for one.
            self._ledger.decisions.record_received(record)
            await self._mirror.write_from_handler()
        self._open_decisions.evaluate(record, changes)
        await self._mirror.write_from_handler()

    async def cancellation(self, args: tuple[Any, ...]) -> None:
        """Handle a cancellation; return when it is mirrored, not when everything has ended."""
        self._recalls.reached()
        self._checks.reached()
        replayed = self._replayed.reached()
        kind = Decision.CANCEL
        record, _ = read_command(
            kind,
            args,
            at=timestamp(workflow.now()),
            fallback_id=self._fallback_id(kind, args, recalls=True),
        )
        if not self._is_new(record, recalls=True):
            return
        record.via = await self._origin(kind, args)
        if replayed and await self._was_closed(record):
            return
        self._stop.evaluate(record)
        await self._mirror.write_from_handler()

    async def from_bundle(self, args: tuple[Any, ...]) -> None:
        """Handle a decision about the bundle once the request accepts one, or has ended.

        One that was not sent by the bundle counts as any signal from Temporal: its ticket and its
        ``via`` are not trusted.
        """
        recalls, checks = self._recalls.reached(), self._checks.reached()
        replayed = self._replayed.reached()
        command, ticket, problem = read_bundle_decision(args)
        kind = Decision(command.pop("decision")) if problem is None else Decision.ABORT
        record, _ = read_command(
            kind,
            (command,),
            at=timestamp(workflow.now()),
            fallback_id=self._fallback_id(kind, args, recalls=recalls),
        )
        record.message = problem or record.message
        if not self._is_new(record, recalls=recalls):
            return
        if checks and not (await self._ask_sender(names.BUNDLE_DECISION_SIGNAL, args)).proven:
            record.via, ticket = TEMPORAL, None
        if replayed and await self._was_closed(record):
            return
        if kind == Decision.CANCEL:
            self._stop.evaluate(record)
            await self._mirror.write_from_handler()
            return
        await self._wait_until_decidable(record)
        self._open_decisions.ticket = ticket or self._open_decisions.ticket
        self._open_decisions.evaluate(record, {})
        await self._mirror.write_from_handler()

    async def _wait_until_decidable(self, record: DecisionRecord) -> None:
        """Wait until the decision can be carried out, rather than refuse it for coming early."""
        patch = f"wait-again-{record.decision_id}"
        await workflow.wait_condition(
            lambda: self._open_decisions.is_decidable() or self._mirror.is_superseded
        )
        # One patch per decision: a run may last for weeks.
        if not self._open_decisions.is_decidable() and not workflow.patched(patch):
            await workflow.wait_condition(self._open_decisions.is_decidable)
        # Another waiter may have been first, and a retry may still wait.
        while not self._has_nothing_to_wait_for() and workflow.patched(patch):
            await workflow.wait_condition(self._has_nothing_to_wait_for)

    def _has_nothing_to_wait_for(self) -> bool:
        """Return whether a decision can be carried out, or never will be by this run."""
        decidable = self._open_decisions.is_decidable() and not self._ledger.retrying
        return decidable or self._mirror.is_superseded

    async def vote(self, kind: ApprovalVote, args: tuple[Any, ...]) -> None:
        """Handle a vote on an approval; return when it is mirrored."""
        recalls, checks = self._recalls.reached(), self._checks.reached()
        replayed = self._replayed.reached()
        record, voter = read_vote(
            kind,
            args,
            at=timestamp(workflow.now()),
            fallback_id=self._fallback_id(kind, args, recalls=recalls),
        )
        if not self._is_new(record, recalls=recalls):
            return
        if checks:
            sender = await self._ask_sender(kind, args)
            record.via = API if sender.proven else TEMPORAL
            if not sender.proven and not sender.temporal_approvals:
                record.message = record.message or UNPROVEN_VOTE
        if replayed and await self._was_closed(record):
            known = self._open_decisions.look_up(record.decision_id)
            if self._approvals.count_again(known, voter, workflow.now()):
                await self._mirror.write_from_handler()
            return
        self._approvals.evaluate(record, voter, workflow.now())
        await self._mirror.write_from_handler()

    async def _origin(self, kind: str, args: tuple[Any, ...]) -> str:
        """Return how a decision was sent: without the API's proof, through Temporal."""
        payload = args[0] if args and isinstance(args[0], dict) else {}
        if names.PROOF not in payload:
            return TEMPORAL
        return API if (await self._ask_sender(kind, args)).proven else TEMPORAL

    async def _ask_sender(self, signal: str, args: tuple[Any, ...]) -> SenderAnswer:
        return await ask_sender(self._ledger.context.request_id, signal, args)

    def _fallback_id(self, kind: str, args: tuple[Any, ...], *, recalls: bool) -> str:
        """Return an id for a decision that comes without one."""
        if not recalls:
            return str(workflow.uuid4())
        request_id = self._ledger.context.request_id
        first = fallback_id(request_id, kind, args, 0)
        self._unnamed[first] += 1
        return fallback_id(request_id, kind, args, self._unnamed[first])

    def _is_new(self, record: DecisionRecord, *, recalls: bool) -> bool:
        """Register a decision; return False for a repeat, which changes nothing."""
        known = self._open_decisions.look_up(record.decision_id)
        if known.decision == record.decision:
            return False
        if known.decision:
            self._rename(record, known, recalls=recalls)
        self._open_decisions.register(record)
        return True

    def _rename(self, record: DecisionRecord, known: DecisionRecord, *, recalls: bool) -> None:
        """Assign a new id to a decision that reused another one's; it will be refused."""
        record.decision_id = self._fallback_id(
            record.decision, (record.decision_id,), recalls=recalls
        )
        record.message = (
            f"this decisionId belongs to another decision ({known.decision}); send a new one"
        )

    async def _was_closed(self, record: DecisionRecord) -> bool:
        """Record a decision; return whether an earlier run had closed it.

        After a reset, Temporal replays signals that the run before has carried out. The mirror has
        them by id; this run carries out one that was accepted and is still open. Other runs need
        not ask, so their decisions are accepted while Postgres is unavailable, too.
        The write also lets in the activity results that arrived with the signal: signals are
        handled before them.
        """
        if record.message:
            return False
        self._ledger.decisions.record_received(record)
        await self._mirror.write_from_handler()
        known = self._mirror.recorded.get(record.decision_id)
        if known is None:
            return False
        if known.decision != record.decision:
            self._open_decisions.adopt_closed(known)
            self._rename(record, known, recalls=True)
            self._open_decisions.register(record)
            return False
        if known.outcome == "open":
            record.accepted = True
            return False
        self._open_decisions.adopt_closed(known)
        return True

    async def ticket_resolved(self, args: tuple[Any, ...]) -> None:
        """Handle the status updater's signal about a ticket that an action waits for."""
        checks = self._checks.reached()
        resolved = _read_ticket_resolved(args)
        signal = names.TICKET_RESOLVED_SIGNAL
        if checks and not (await self._ask_sender(signal, args)).proven:
            self._record_ignored(signal, "it carries no proof that the status updater sent it")
        elif resolved is None:
            self._record_ignored(signal, "it names no action")
        elif self._waiting.ticket_resolved(resolved):
            return
        else:
            self._record_ignored(
                signal, f"no action {resolved.action_id[:100]!r} waits for a ticket's end"
            )
        await self._mirror.write_from_handler()

    async def cleanup_done(self, args: tuple[Any, ...]) -> None:
        """Handle the API's signal that something left behind is cleaned up.

        Postgres has it already; here only the details show it.
        """
        signal = names.CLEANUP_SIGNAL
        if not self._marks.reached():
            await self.unknown(signal)
            return
        mark = _read_cleanup_mark(args)
        if mark is None or not (await self._ask_sender(signal, args)).proven:
            self._record_ignored(signal, "it carries no proof that the API sent it")
            await self._mirror.write_from_handler()
            return
        self._ledger.cleaned[mark.entry_id] = mark
        self._mirror.show()

    def _record_ignored(self, signal: str, reason: str) -> None:
        self._ledger.decisions.record_ignored_signal(
            signal, event="signal.ignored", reason=f"{signal}: {reason}"
        )

    async def unknown(self, name: str) -> None:
        """Record a signal of an unknown name."""
        self._ledger.decisions.record_ignored_signal(
            name,
            event="signal.unknown",
            reason=f"there is no signal {name[:100]!r}; there are retry, abort, escalate, "
            "cancel, approve and reject",
        )
        await self._mirror.write_from_handler()


def _read_cleanup_mark(args: tuple[Any, ...]) -> CleanupMark | None:
    try:
        mark = from_document(CleanupMark, args[0] if len(args) == 1 else None)
    except ValueError:
        return None
    return mark if all(isinstance(one, str) for one in astuple(mark)) else None


def _read_ticket_resolved(args: tuple[Any, ...]) -> TicketResolved | None:
    try:
        resolved = from_document(TicketResolved, args[0] if len(args) == 1 else None)
    except ValueError:
        return None
    return resolved if isinstance(resolved.action_id, str) else None
