"""What travels between API, workflow and activities: plain data, kept in Temporal's history.

Old and new workers meet during a deploy, so every field added later has a default, and unknown
ones are ignored on reading (Temporal's JSON converter does that for dataclasses).
Times are RFC 3339 in UTC with milliseconds; durations are seconds. Sealed values (see
``SEALED_PREFIX``) stand in place of passwords.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pao.core.definitions import names_only
from pao.core.documents import from_document, to_document
from pao.core.judgement import Cause, cause_of
from pao.core.names import SEALED_PREFIX
from pao.core.states import ActionStatus, RequestStatus


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with milliseconds, as the API shows it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Requester:
    """Who submitted the request, with the teams they had at that moment."""

    id: str
    email: str | None = None
    teams: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ItemSnapshot:
    """The catalog item as it was when the request was submitted; later changes do not reach it."""

    id: str
    version: str
    name: str
    owner_team: str | None = None
    git_sha: str | None = None
    definition: dict[str, Any] = field(default_factory=dict)


@dataclass
class PlannedAction:
    """One action to carry out: its configuration still holds templates.

    ``depends_on`` names the actions that must have succeeded or been skipped before; None, as in
    plans of old, is the one before it. ``when`` is the expression that decides whether it runs;
    ``timeout`` bounds one execution, in seconds; ``slow`` sends it to the queue of slow actions,
    so that it never holds up a ticket.
    ``alias`` is the id that templates know it by, where it is another one; ``publishes`` names the
    outputs that later actions see as ``fulfillment.<name>``; ``reads`` names what its templates
    read (``fields.size``, ``outputs.first``), None being everything. ``fallback`` marks the manual
    way of a hybrid item, which is taken only when a human says so. ``notice`` marks what is no step
    but a notification: ``failure`` or ``waiting`` says of what.
    """

    id: str
    index: int
    type: str
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    cleanup: str | None = None
    depends_on: list[str] | None = None
    when: str | None = None
    timeout: float | None = None
    slow: bool = False
    alias: str | None = None
    publishes: list[str] = field(default_factory=list)
    reads: list[str] | None = None
    fallback: bool = False
    notice: str | None = None

    @property
    def is_step(self) -> bool:
        """Tell whether it is carried out as soon as it may, unless it is skipped."""
        return not self.fallback and self.notice is None

    @property
    def key(self) -> str:
        """The id by which templates of its own plan know it."""
        return self.alias or self.id


@dataclass
class RequestContext:
    """What every action of a request may know about it.

    ``components`` is what the own actions of a bundle see of its components.
    """

    request_id: str
    correlation_id: str
    submitted_at: str
    item: ItemSnapshot
    requester: Requester
    fields: dict[str, Any] = field(default_factory=dict)
    components: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The one line under which the workflow is listed: the item and who asked for it."""
        return f"{self.item.name} for {self.requester.email or self.requester.id}"

    def without_plan(self) -> "RequestContext":
        """Give the context for an activity: the item's document without its actions.

        They are the larger part, an activity is given its own, and history keeps every input.
        """
        document = {key: part for key, part in self.item.definition.items() if key != "fulfillment"}
        return replace(self, item=replace(self.item, definition=document))

    def for_action(self, reads: list[str] | None) -> "RequestContext":
        """Give the context for an execution: of document and fields what its templates can see.

        History keeps the input of every activity, and a request may have two hundred of them.
        Sealed values always go along: an activity masks every secret of its request, because a
        target may know it from elsewhere.
        """
        fields = self.fields
        if reads is not None and "fields.*" not in reads:
            fields = {
                name: value
                for name, value in fields.items()
                if f"fields.{name}" in reads or _is_sealed(value)
            }
        components = self.components
        if reads is not None and "components.*" not in reads:
            components = {
                name: seen if f"components.{name}" in reads else {**seen, "outputs": {}}
                for name, seen in components.items()
            }
        item = replace(self.item, definition=names_only(self.item.definition))
        return replace(self, fields=fields, item=item, components=components)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(SEALED_PREFIX)


@dataclass(frozen=True)
class Waits:
    """How long the workflow waits for things, in seconds; chosen in workflows/policies.py.

    They travel with the request, so that an installation (or a test) can change them without a
    change of the workflow's code.
    """

    start_to_close: float = 12.0
    heartbeat: float = 3.0
    schedule_to_start: float = 60.0
    mirror: float = 1.5
    slow_schedule_to_start: float = 1800.0
    follow: float = 86400.0


@dataclass
class RequestInput:
    """The input of a request's workflow; with ``resumption`` it goes on where another one ended.

    ``metadata`` is what the caller noted: the row is made anew with it where Postgres has lost it.
    """

    context: RequestContext
    plan: list[PlannedAction] = field(default_factory=list)
    waits: Waits = field(default_factory=Waits)
    resumption: "Resumption | None" = None
    bundle: "BundleLink | None" = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BundleLink:
    """Which bundle's component a request is: its workflow tells that of the bundle how it ends."""

    request_id: str
    component: str


@dataclass(frozen=True)
class RequestOutcome:
    """The result of a request's workflow; ``note`` says why it ended without acting, if it did."""

    status: RequestStatus
    note: str | None = None


@dataclass(frozen=True)
class ActionInput:
    """The input of one execution of one action, and the run that asked for it.

    After a reset Temporal hands the same input out again: the run is then another one. ``unclear``
    says that an earlier attempt may have had an effect; a plain refusal leaves no doubt.
    ``partial`` lists what earlier attempts have left, ``former`` what they had sent; with
    ``revise`` something of theirs is changed to the present values. ``outputs`` are those of
    earlier actions by the ids that templates know, ``published`` what templates see as
    ``fulfillment``. ``doubt_since`` is when the last attempt ended whose
    effect is in doubt, ``earlier`` what it still waited for.
    """

    context: RequestContext
    action: PlannedAction
    attempt: int = 1
    look_first: bool = False
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    run_id: str | None = None
    published: dict[str, Any] = field(default_factory=dict)
    unclear: bool = True
    partial: "list[PartialResource]" = field(default_factory=list)
    doubt_since: str | None = None
    earlier: "Pending | None" = None
    former: "list[FormerCall]" = field(default_factory=list)
    moves: int = 0
    revise: bool = False


@dataclass(frozen=True)
class ConditionAnswer:
    """Whether an action runs; ``reason`` says why it does not, or why nobody can tell."""

    holds: bool
    reason: str | None = None
    failed: bool = False


@dataclass(frozen=True)
class Pending:
    """What an action still waits for, after its effect was made; waiting never repeats the effect.

    ``kind`` says how the wait ends: ``follow``, by the read-only ``follow`` of the action type,
    which another worker may carry on; ``resolution``, when the status updater tells that the
    ticket was resolved; ``approval``, by the signals approve and reject. ``state`` is what the
    wait needs.
    """

    kind: str
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FollowInput(ActionInput):
    """The input of one wait for an action whose effect exists: the same, and what it waits for.

    Waiting is read-only, so Temporal may hand it to another worker as often as it must.
    """

    pending: Pending = field(default_factory=lambda: Pending(kind="follow"))


@dataclass(frozen=True)
class ActionResult:
    """What an action achieved; ``adopted`` when it was found in its target, not made now.

    With ``pending`` its effect exists but the action is not done; ``outputs`` are those so far.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    external_reference: str | None = None
    url: str | None = None
    adopted: bool = False
    cleanup: str | None = None
    resource_type: str | None = None
    pending: Pending | None = None
    sent: str | None = None


@dataclass(frozen=True)
class LookResult:
    """What a look found: ``found`` with what a retry would adopt, ``absent``, or ``unknown``.

    ``reason`` says why nobody knows, or what is there of an effect that is not whole.
    ``changed``: the present values make another call than the earlier attempts did. ``exists``: so
    what is there has other values, and only ``revisable`` types can change it. ``moved`` are the
    former and the present place, where they differ.
    """

    answer: str
    result: ActionResult | None = None
    reason: str | None = None
    changed: bool = False
    exists: bool = False
    revisable: bool = False
    moved: list[str] | None = None
    askable: bool = True


@dataclass(frozen=True)
class PartialResource:
    """Something that a failed action left behind, and what to do by hand about it."""

    type: str
    id: str | None = None
    url: str | None = None
    cleanup: str | None = None


@dataclass(frozen=True)
class OpenWait:
    """What an action waits for, as it is stored and shown: its target, or its ticket's end.

    ``kind`` is that of its ``Pending``; ``since`` is when the wait began.
    """

    kind: str
    since: str | None = None


@dataclass(frozen=True)
class Vote:
    """What one person has decided about an approval, when and why."""

    by: str
    decision: str
    at: str
    reason: str | None = None
    via: str = "workflow"


@dataclass(frozen=True)
class Approvers:
    """Who may decide about an approval."""

    users: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OpenApproval(OpenWait):
    """An approval that an action waits for: who may decide, until when, and who has decided."""

    deadline: str | None = None
    on_deadline: str | None = None
    message: str | None = None
    approvers: Approvers = field(default_factory=Approvers)
    minimum: int = 1
    allow_self: bool = False
    decisions: list[Vote] = field(default_factory=list)


def read_wait(document: object) -> OpenWait | None:
    """Read what an action waits for; None where it waits for nothing."""
    if not document:
        return None
    found = from_document(OpenWait, document)
    return from_document(OpenApproval, document) if found.kind == "approval" else found


@dataclass(frozen=True)
class FormerCall:
    """What an attempt had sent that may have had an effect, for looks that come later.

    ``sealed`` holds the rendered configuration; without it, because the worker was lost, or it
    would be too large, it is rendered again from ``fields``. ``digest`` tells equal ones, keyed.
    """

    attempt: int
    sealed: str | None = None
    digest: str | None = None
    fields: dict[str, Any] | None = None


@dataclass(frozen=True)
class ActionFailure:
    """Why an action failed, as it is shown and kept; texts are masked and bounded.

    ``refused``: people said no, by a rejection or a ticket that will not be done.
    ``answered``: before it ended, the attempt learned what earlier ones had done, so their doubt is
    over. ``whole``: ``partial`` lists all that is there, and replaces what earlier attempts listed.
    ``absent``: they had left nothing. ``sent`` is what this attempt sent, sealed, where it may have
    had an effect. ``askable``: the target can be asked whether the effect is there; ``retry`` says
    what a retry does where the outcome is unknown, ``by_hand`` what a person can do.
    ``cause`` is one of those of pao/core/judgement.py; none in failures of earlier versions.
    """

    code: str
    message: str
    http_status: int | None = None
    response_body: str | None = None
    retryable: bool = False
    outcome_unknown: bool = False
    partial: list[PartialResource] = field(default_factory=list)
    refused: bool = False
    answered: bool = False
    whole: bool = False
    absent: bool = False
    sent: str | None = None
    digest: str | None = None
    askable: bool = True
    cause: str | None = None
    retry: str | None = None
    by_hand: str | None = None

    @property
    def known_cause(self) -> Cause:
        """Who, or what, is behind it; told from the other facts where none was stored."""
        return cause_of(
            self.cause,
            status=self.http_status,
            retryable=self.retryable,
            declined=self.refused,
        )

    def shown(self) -> dict[str, Any]:
        """Return what people and callers see of it: the ``error`` of the API."""
        document = to_document(replace(self, cause=self.known_cause))
        return {key: document[key] for key in SHOWN_OF_FAILURES}


SHOWN_OF_FAILURES = (
    "code",
    "message",
    "httpStatus",
    "responseBody",
    "retryable",
    "outcomeUnknown",
    "cause",
)


@dataclass
class ActionState:
    """Where one action stands; mirrored as it is.

    ``note`` says why it was skipped, ``waiting`` what it waits for while it does.
    ``outcome_unknown`` and ``partial`` are what all attempts so far may have left: they outlive the
    error of a single attempt (workflows/leftovers.py). So do ``doubt_since``, when the last attempt
    of unknown outcome has ended, and ``pending``, what an attempt in doubt still waited for.
    ``former`` is what those attempts had sent, ``by_hand`` what a person can do about the doubt.
    ``left_behind`` is what corrections left at other places, for people to remove; ``moves`` counts
    these, and is part of the action's mark.
    """

    id: str
    index: int
    type: str
    name: str
    status: ActionStatus = ActionStatus.PENDING
    attempt: int = 0
    outputs: dict[str, Any] | None = None
    external_reference: str | None = None
    url: str | None = None
    cleanup: str | None = None
    resource_type: str | None = None
    adopted: bool = False
    error: ActionFailure | None = None
    started_at: str | None = None
    finished_at: str | None = None
    note: str | None = None
    waiting: dict[str, Any] | None = None
    outcome_unknown: bool = False
    partial: list[PartialResource] = field(default_factory=list)
    doubt_since: str | None = None
    pending: Pending | None = None
    former: list[FormerCall] = field(default_factory=list)
    left_behind: list[PartialResource] = field(default_factory=list)
    moves: int = 0
    by_hand: str | None = None

    @property
    def waits_for(self) -> OpenWait | None:
        """What it waits for; ``waiting`` is the document of it."""
        return read_wait(self.waiting)


@dataclass
class DecisionRecord:
    """A human decision, or a signal that was refused as one.

    ``outcome`` is ``rejected``, ``open``, ``done`` or ``failed`` (it was accepted but could not be
    carried out); ``by`` is the caller's word, ``via`` says whether the API vouched for it.
    ``code`` says why it was refused, where a caller can act on that. ``details`` is what it was
    made with or led to: values out of step, evidence, what stays behind. ``attempt`` is the one
    that it was made upon.
    """

    decision_id: str
    decision: str
    at: str
    by: str = "unknown"
    via: str = "temporal"
    reason: str | None = None
    accepted: bool = False
    outcome: str = "open"
    message: str | None = None
    changes: dict[str, Any] | None = None
    mode: str | None = None
    code: str | None = None
    details: dict[str, Any] | None = None
    attempt: int | None = None
    accept_used: bool = False
    leave_behind: bool = False
    evidence: dict[str, Any] | None = None


@dataclass(frozen=True)
class Resumption:
    """What the mirror knows of a request whose workflow is gone; a new one waits in ``failed``.

    ``reason`` says what became of the earlier workflow. ``mirror_at`` and ``mirror_seq`` are the
    stored pair, above which the new run writes; ``failure`` is why the request had failed before,
    if it had. Of decisions that are closed only id, kind and outcome matter. ``actor`` says who
    has it wait; with ``unchecked`` no retry begins before the fields have passed the form.
    """

    reason: str
    mirror_at: str = ""
    mirror_seq: int = 0
    actions: list["ActionState"] = field(default_factory=list)
    decisions: list["DecisionRecord"] = field(default_factory=list)
    escalation: "Escalation | None" = None
    failure: "ActionFailure | None" = None
    actor: str = "reconciler"
    unchecked: bool = False


@dataclass(frozen=True)
class Escalation:
    """The ticket that carries an escalated request on."""

    ticket_key: str
    url: str
    escalated_at: str
    escalated_by: str
    reason: str | None = None


@dataclass(frozen=True)
class AuditEvent:
    """One line of the audit trail, unique by request, run, what it says, and ``occurrence``.

    ``occurrence`` counts how often the run has said the very same before; ``seq`` gives the order.
    """

    seq: int
    at: str
    event_type: str
    actor: str
    via: str = "workflow"
    reason: str | None = None
    action_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    occurrence: int | None = None


@dataclass(frozen=True)
class StreamEvent:
    """One entry of the request's stream (``state``, ``action``, ``log``, ``decision``).

    Unique like an audit line; log entries make the execution log.
    """

    seq: int
    at: str
    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    occurrence: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """The state of a request, written to Postgres in one idempotent write.

    ``actions`` are those that have changed since the last write that succeeded.
    It takes effect only where the stored ``(mirror_at, mirror_seq)`` is smaller and the stored
    state is not final. Audit and stream entries are those since the last write that succeeded:
    that one had the pair ``after_at`` and ``after_seq``.
    """

    request_id: str
    run_id: str
    mirror_at: str
    mirror_seq: int
    status: RequestStatus
    retrying: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    actions: list[ActionState] = field(default_factory=list)
    error: dict[str, Any] | None = None
    error_context: dict[str, Any] | None = None
    escalation: Escalation | None = None
    decisions: list[DecisionRecord] = field(default_factory=list)
    audit: list[AuditEvent] = field(default_factory=list)
    stream: list[StreamEvent] = field(default_factory=list)
    after_at: str = ""
    after_seq: int = 0


@dataclass(frozen=True)
class MirrorAnswer:
    """What the mirror knows: whether the write counted, and which actions were ever started.

    ``terminal`` is set when the stored request had ended before: the workflow must not act.
    ``stored_at`` and ``stored_seq`` are the pair of a newer write, which the mirror keeps instead.
    ``recorded`` are decisions of the snapshot that the mirror knows better: another run of the
    request has closed or accepted them before. ``fields`` are the stored ones, when another run
    has written the request last: they hold every correction, and ``actions`` the states that leave
    something behind which this run may not know. ``absent`` says that the row is gone
    which this run had written before, ``behind`` that it knew less than that: Postgres was restored
    from an older copy, and is to be told all of it again.
    """

    applied: bool
    terminal: bool = False
    started_actions: list[str] = field(default_factory=list)
    stored_at: str | None = None
    stored_seq: int = 0
    recorded: list[DecisionRecord] = field(default_factory=list)
    fields: dict[str, Any] | None = None
    absent: bool = False
    behind: bool = False
    actions: list[ActionState] = field(default_factory=list)


@dataclass(frozen=True)
class KnownTicketStatus:
    """What JIRA last said of an action's ticket, as it is stored and shown."""

    status: str | None = None
    status_category: str | None = None
    mapped_status: str | None = None
    mapped: bool = False
    resolution: str | None = None
    checked_at: str | None = None
    gone: bool = False

    def document(self) -> dict[str, Any]:
        """Return the stored document; of a ticket that is gone nothing else is known."""
        if self.gone:
            return {"gone": True, "checkedAt": self.checked_at}
        document = to_document(self)
        del document["gone"]
        return document


@dataclass(frozen=True)
class TicketResolved:
    """What the status updater tells a workflow one of whose actions waits for a ticket's end.

    ``gone``: the ticket was deleted; a worker of an earlier version goes by ``mapped_status``.
    ``since`` is when the wait began that this is about.
    """

    action_id: str
    status: str | None = None
    status_category: str | None = None
    mapped_status: str | None = None
    resolution: str | None = None
    gone: bool = False
    since: str | None = None


@dataclass(frozen=True)
class SettledRequest:
    """The answer of the ``settled`` update, frozen at the first settling."""

    status: RequestStatus
    at: str


@dataclass(frozen=True)
class OutcomeQuery:
    """The question of the ``decision_outcome`` update: which decision, and how long to wait."""

    decision_id: str
    wait_seconds: float = 3.0


@dataclass(frozen=True)
class SenderQuery:
    """A signal whose sender is asked for: to which request, which one, and what it carried."""

    request_id: str
    signal: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SenderAnswer:
    """Whether PAO has sent a signal; else it came by Temporal, whatever it says of itself.

    ``temporal_approvals``: the operator lets approvals count that came by Temporal.
    """

    proven: bool = False
    temporal_approvals: bool = False


@dataclass(frozen=True)
class Correction:
    """Corrected field values of a retry, to be checked by the form's own validator.

    ``over`` are the completed and skipped actions, without their configurations; one that never
    began has no ``reads``: only its condition was asked.
    """

    context: RequestContext
    changes: dict[str, Any] = field(default_factory=dict)
    over: list[PlannedAction] = field(default_factory=list)


@dataclass(frozen=True)
class CorrectionAnswer:
    """Whether the corrected values hold, the fields to go on with, and the diff to keep.

    ``used`` names for each changed field the actions that are over and have used it.
    """

    valid: bool
    fields: dict[str, Any] = field(default_factory=dict)
    diff: dict[str, Any] = field(default_factory=dict)
    message: str | None = None
    used: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class EvidenceInput:
    """The outputs that a human says to have seen in an action's target."""

    about: ActionInput
    outputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EvidenceAnswer:
    """The result that the action goes on with, or what is wrong with the outputs."""

    result: ActionResult | None = None
    message: str | None = None


@dataclass(frozen=True)
class EscalationInput:
    """What the escalation ticket is rendered from."""

    context: RequestContext
    error_context: dict[str, Any]
    actions: list[ActionState] = field(default_factory=list)
    by: str = "unknown"
    reason: str | None = None
    tried_before: bool = False
    tried_at: str | None = None
    run_id: str | None = None
    components: list[dict[str, Any]] = field(default_factory=list)
