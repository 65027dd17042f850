"""The interface of action types, and the context they receive; execution.py runs them."""

import builtins
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from activities.breakers import Breakers
from activities.log import ActionLog
from activities.options import ActionOptions
from activities.outgoing import ActionHttpClient
from activities.progress import ActionProgress
from activities.search_lag import settles_in
from activities.state_registry import StateRegistry
from catalog.templating import Escaping
from pao.clients.jira import Deadline, JiraClient
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.context import RequestContext
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import Pending
from pao.core.resources import look_by_hand
from pao.runtime.masking import SecretMasks


class ActionConfig(BaseModel):
    """Base of every action type's configuration: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CamelCaseConfig(ActionConfig):
    """Base of configurations whose documents write ``expectedStatus`` for ``expected_status``."""

    model_config = ConfigDict(alias_generator=to_camel)


class CamelCaseOutputs(BaseModel):
    """Base of outputs that are named in the same way."""

    model_config = ConfigDict(alias_generator=to_camel)


ConfigT = TypeVar("ConfigT", bound=ActionConfig)


class JiraClients(Protocol):
    """The JIRA instances that the operator has configured."""

    def instance(self, name: str | None, project: str | None) -> JiraClient:
        """Return the client of the named instance, else that of the project, else the default."""
        ...


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an execution may use. ``mark`` is the same on every attempt of this action.

    ``deadline`` ends before Temporal gives the execution up, so that no late effect can follow a
    look of the next attempt. ``idempotency_key`` is a UUID that stays the same across attempts.
    ``unclear`` says that an earlier attempt may have had an effect, ``doubt_since`` when it ended,
    and ``earlier`` what it still waited for; ``left`` lists what earlier
    attempts are known to have left.
    ``http`` is the only way to the network; ``breakers`` guards calls that a library makes;
    ``log`` writes to the request's execution log; ``progress`` reaches the worker that carries a
    wait on; ``secrets`` masks what else must not be shown, such as a token that was fetched;
    ``options`` is what the operator has configured; ``states`` knows which request works on which
    Terraform state. ``reads`` returns what the templates of the configuration read, by place.
    """

    request: RequestContext
    attempt: int
    mark: str
    jira: JiraClients
    deadline: Deadline
    idempotency_key: str = ""
    unclear: bool = True
    doubt_since: str | None = None
    earlier: Pending | None = None
    left: tuple[PartialResource, ...] = ()
    http: ActionHttpClient = field(default_factory=ActionHttpClient)
    breakers: Breakers = field(default_factory=Breakers)
    log: ActionLog = field(default_factory=ActionLog)
    progress: ActionProgress = field(default_factory=ActionProgress)
    secrets: SecretMasks = field(default_factory=SecretMasks)
    options: ActionOptions = field(default_factory=ActionOptions)
    states: StateRegistry = field(default_factory=StateRegistry)
    action_id: str = ""
    reads: Callable[[], Mapping[str, list[str]]] = dict

    def left_beside(self, result: ActionResult) -> ActionResult:
        """Return a result that lists what else earlier attempts have left."""
        left = [one for one in self.left if one.id != result.external_reference]
        return replace(result, partial=left)

    def settles_in(self, lag: float) -> float:
        """Return in how many seconds an empty answer of an index that lags so long is certain."""
        return settles_in(lag, unclear=self.unclear, since=self.doubt_since)


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """What to do while it is unknown whether an effect exists.

    ``askable``: a look can find out, or a repeat does no harm. ``retry`` is the sentence that says
    what a retry does, ``by_hand`` the end of one that says what a person can do.
    """

    askable: bool = True
    retry: str = "A retry looks first and adopts what exists."
    by_hand: str


class Action(ABC, Generic[ConfigT]):
    """One action type: its configuration, what it promises, and how it acts.

    ``look`` searches the target for the mark and never changes anything; ``execute`` makes the
    effect, marked. If its target is still at work, it returns
    ``pending=Pending("follow", {...})``: ``follow`` then waits, and may be run again on another
    worker. All raise ``ActionFailedError`` or ``OutcomeUnknownError`` only.

    ``targets`` names the configuration keys whose text has a syntax, such as JSON.
    ``breaker_keys`` are the configuration keys that ``breaker`` makes its target of.
    ``default_timeout`` is how many seconds one execution may take where the document says
    nothing; None is the limit for creating a ticket. ``slow`` types run on a separate queue;
    ``waits`` says that the request waits in it for people.
    ``can_revise`` says that ``revise`` can change what an earlier attempt created; ``converges``
    that looking and acting compare what exists with the configuration.
    """

    type: ClassVar[str]
    summary: ClassVar[str]
    resource_type: ClassVar[str]
    config: "builtins.type[ConfigT]"
    outputs: "ClassVar[builtins.type[BaseModel]]"
    targets: ClassVar[Mapping[str, Escaping]] = {}
    examples: ClassVar[tuple[dict[str, Any], ...]]
    default_timeout: ClassVar[float | None] = None
    breaker_keys: ClassVar[tuple[str, ...]] = ()
    slow: ClassVar[bool] = False
    waits: ClassVar[bool] = False
    can_revise: ClassVar[bool] = False
    converges: ClassVar[bool] = False

    @abstractmethod
    async def look(self, config: ConfigT, context: ActionContext) -> ActionResult | None:
        """Return what an earlier attempt made, with the outputs of a creation, or None."""

    @abstractmethod
    async def execute(self, config: ConfigT, context: ActionContext) -> ActionResult:
        """Make the effect and return its outputs."""

    async def complete(
        self,
        config: ConfigT,  # noqa: ARG002 -- what a type with parts needs
        context: ActionContext,  # noqa: ARG002 -- as above
        found: ActionResult,
    ) -> ActionResult:
        """Create what is missing of an effect that was found; most effects have no parts.

        Called when a look before acting has found something; a look alone never completes it.
        """
        return found

    async def revise(
        self, config: ConfigT, context: ActionContext, found: ActionResult | None, former: ConfigT
    ) -> ActionResult:
        """Change what an earlier attempt made with ``former`` to the present configuration.

        Called when a person decides so, and only if ``can_revise`` is set. ``found`` is None if
        only a part of the effect exists. Reports in the target what was changed.
        """
        raise NotImplementedError(f"{self.type} cannot change what exists")

    def place(self, config: ConfigT) -> str | None:  # noqa: ARG002 -- for types that override it
        """Return where the effect is made: project, repository, workspace, address.

        A correction that goes to another place leaves behind what may be at the former one. None
        where the effect has no place.
        """
        return None

    def askable(self, config: ConfigT) -> bool:  # noqa: ARG002 -- for types that override it
        """Return whether a look can find out if the effect exists, or a repeat does no harm.

        Otherwise a person has to say what is in the target.
        """
        return True

    def in_doubt(self, config: ConfigT, context: ActionContext) -> InDoubt:
        """Return what a retry does, and what a person can do, where the outcome is unknown."""
        return InDoubt(askable=self.askable(config), by_hand=look_by_hand(context.mark))

    def promised(self, config: ConfigT) -> list[str]:  # noqa: ARG002 -- as above
        """Return the names of the outputs that every result has."""
        fields = self.outputs.model_fields.items()
        return [field.alias or name for name, field in fields if field.is_required()]

    def from_evidence(self, config: ConfigT, outputs: dict[str, Any]) -> ActionResult:
        """Return the result that a person has seen in the target; raises ``ValueError``.

        Outputs are checked against what the type declares.
        """
        promised = self.promised(config)
        if missing := [name for name in promised if name not in outputs]:
            example = ", ".join(f'"{name}": ...' for name in promised)
            raise ValueError(
                f"the outputs lack {', '.join(missing)}; give what you saw in the target, "
                f"as in present={{{example}}}"
            )
        self.outputs.model_validate(outputs)
        return ActionResult(outputs=outputs)

    async def follow(
        self, config: ConfigT, context: ActionContext, pending: Pending
    ) -> ActionResult:
        """Wait, without changing anything, until the target is done; return the result.

        Another worker may have begun the same wait: see ``context.progress.saved``.
        """
        raise NotImplementedError(f"{self.type} waits for nothing")

    async def cancel(self, config: ConfigT, context: ActionContext, pending: Pending) -> None:
        """Ask the target to stop, because the wait was cancelled; does nothing by default."""

    def breaker(self, config: ConfigT, context: ActionContext) -> str | None:  # noqa: ARG002 -- for types that override it
        """Return the target whose circuit breaker guards this action as a whole.

        None where every call goes through ``context.http``, which guards each by its host.
        """
        return None

    def kept(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Return the masked outputs as they are stored: large ones are truncated here."""
        return outputs

    @abstractmethod
    def cleanup(self, result: ActionResult) -> str:
        """Return what to do by hand when the request is abandoned after this action."""
