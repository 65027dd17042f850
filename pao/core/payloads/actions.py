"""One execution of an action: its input, its result, and its state."""

from dataclasses import dataclass, field
from typing import Any

from pao.core.payloads.context import RequestContext
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.waits import OpenWait, Pending, read_wait
from pao.core.states import ActionStatus


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
    """Whether an action runs; ``reason`` says why it does not, or why that is unknown."""

    holds: bool
    reason: str | None = None
    failed: bool = False


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
    ``partial`` lists what earlier attempts left that is not part of it.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    external_reference: str | None = None
    url: str | None = None
    adopted: bool = False
    cleanup: str | None = None
    resource_type: str | None = None
    pending: Pending | None = None
    sent: str | None = None
    partial: "list[PartialResource]" = field(default_factory=list)


@dataclass(frozen=True)
class LookResult:
    """What a look found: ``found`` with what a retry would adopt, ``absent``, or ``unknown``.

    ``reason`` says why it is unknown, or what exists of an incomplete effect.
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
class FormerCall:
    """What an attempt had sent that may have had an effect, for looks that come later.

    ``sealed`` holds the rendered configuration; without it, because the worker was lost, or it
    would be too large, it is rendered again from ``fields``. ``digest`` is a keyed hash by which
    equal ones are recognized.
    """

    attempt: int
    sealed: str | None = None
    digest: str | None = None
    fields: dict[str, Any] | None = None


@dataclass
class ActionState:
    """The state of one action; mirrored as it is.

    ``note`` says why it was skipped, ``waiting`` what it waits for while it does.
    ``outcome_unknown`` and ``partial`` are what all attempts so far may have left: they outlive the
    error of a single attempt (workflows/possible_effects.py). So do ``doubt_since``, when the last
    attempt of unknown outcome has ended, and ``pending``, what an attempt in doubt still
    waits for. ``former`` is what those attempts had sent, ``by_hand`` what a person can do about
    the doubt. ``left_behind`` is what corrections left at other places, for people to remove;
    ``moves`` counts these, and is part of the action's mark.
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
