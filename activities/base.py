"""What an action type is, and what it is given. How it is executed is in execution.py."""

import builtins
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from catalog.templating import Target
from pao.clients.jira import Deadline, JiraClient
from pao.core.payloads import ActionResult, RequestContext


class ActionConfig(BaseModel):
    """Base of every action type's configuration: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ConfigT = TypeVar("ConfigT", bound=ActionConfig)


class JiraClients(Protocol):
    """The JIRA instances that the operator has configured."""

    def instance(self, name: str | None, project: str | None) -> JiraClient:
        """Give the client of the named instance, else that of the project, else the default."""
        ...


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an execution may use. ``mark`` is the same on every attempt of this action.

    ``deadline`` ends before Temporal gives the execution up, so that no late effect can follow a
    look of the next attempt.
    """

    request: RequestContext
    attempt: int
    mark: str
    jira: JiraClients
    deadline: Deadline


class Action(ABC, Generic[ConfigT]):
    """One action type: its configuration, what it promises, and how it acts.

    ``look`` searches the target for the mark and never changes anything; ``execute`` makes the
    effect, marked. Both raise ``ActionFailedError`` or ``OutcomeUnknownError`` only.
    ``targets`` names the configuration keys whose text has a syntax of its own.
    """

    type: ClassVar[str]
    summary: ClassVar[str]
    resource_type: ClassVar[str]
    config: "builtins.type[ConfigT]"
    outputs: "ClassVar[builtins.type[BaseModel]]"
    targets: ClassVar[Mapping[str, Target]] = {}
    examples: ClassVar[tuple[dict[str, Any], ...]]

    @abstractmethod
    async def look(self, config: ConfigT, context: ActionContext) -> ActionResult | None:
        """Give what an earlier attempt made, with the outputs of a creation, or None."""

    @abstractmethod
    async def execute(self, config: ConfigT, context: ActionContext) -> ActionResult:
        """Make the effect and give its outputs."""

    @abstractmethod
    def cleanup(self, result: ActionResult) -> str:
        """Say what to do by hand when the request is abandoned after this action."""
