"""How an item is provided, as its document says it: its ways, and the actions of each."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator

from catalog.action_outputs import move_outputs_out_of_config
from catalog.forms.base import Model, OpenModel


class Mode(StrEnum):
    """How requests are fulfilled."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"
    HYBRID = "hybrid"


class Strategy(Model):
    """Which of the two lists of actions runs."""

    mode: Mode = Mode.MANUAL


class Output(OpenModel):
    """An output that the author names; a bare text is the name alone."""

    name: str = Field(description="Key of an output; later actions read fulfillment.<name>.")
    required: StrictBool = Field(default=False, description="For the reader only.")


def _as_expression(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _as_output(entry: Any) -> Any:
    return {"name": entry} if isinstance(entry, str) else entry


class Action(Model):
    """One step of fulfillment; its ``config`` is checked by the schema of its type."""

    id: str = Field("", description="Unique; default: <type>-<n>.", examples=["create-ticket"])
    name: str = Field("", description="The displayed name; default: the id.")
    type: str = Field(min_length=1, description="The action type.", examples=["jira-ticket"])
    config: dict[str, Any] = Field(
        default_factory=dict,
        description="Configuration of the action type; texts may be templates.",
    )
    when: Annotated[str | None, BeforeValidator(_as_expression)] = Field(
        None, description="An expression; the action runs only if it is true."
    )
    depends_on: tuple[str, ...] = Field(
        (), description="Ids of actions that must have ended first."
    )
    timeout: Annotated[int, Field(strict=True, gt=0)] | str | None = Field(
        None, description="Seconds, or 30s, 5m, 2h.", examples=["5m"]
    )
    outputs: tuple[
        Annotated[Output, BeforeValidator(_as_output, json_schema_input_type=Output | str)], ...
    ] = Field((), description="Outputs that later actions read by key; a name alone is enough.")
    cleanup: str | None = Field(None, description="What to undo by hand; may be a template.")
    retry: Any = Field(
        None, description="Accepted, but without effect: failures wait for a person."
    )

    @model_validator(mode="before")
    @classmethod
    def _with_own_outputs(cls, data: Any) -> Any:
        return move_outputs_out_of_config(data) if isinstance(data, dict) else data


def _with_ids(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return the actions with ids and names; the n of ``<type>-<n>`` counts those of a type."""
    counts: dict[str, int] = {}
    named = []
    for action in actions:
        counts[action.type] = counts.get(action.type, 0) + 1
        action_id = action.id or f"{action.type}-{counts[action.type]}"
        named.append(action.model_copy(update={"id": action_id, "name": action.name or action_id}))
    return tuple(named)


MOST_ACTIONS = 200
Actions = Annotated[tuple[Action, ...], Field(max_length=MOST_ACTIONS), AfterValidator(_with_ids)]


class Manual(Model):
    """The manual way, which always exists."""

    actions: Actions = Field(
        (), description="The actions; at least one.", json_schema_extra={"minItems": 1}
    )


class Automatic(Model):
    """The automatic way."""

    parallel: StrictBool = Field(
        default=False, description="Run in parallel, except for dependsOn."
    )
    actions: Actions = Field((), description="The actions, in order.")


class Notice(Action):
    """A message to people; whether it arrives does not matter to the request."""

    type: Literal["notification"] = Field(description="Only notifications stand here.")


Notices = Annotated[tuple[Notice, ...], AfterValidator(_with_ids)]


class Fulfillment(Model):
    """How a request is fulfilled, and who is notified when it fails or waits."""

    strategy: Strategy = Strategy()
    manual: Manual = Manual()
    automatic: Automatic | None = None
    on_failure: Notices = Field((), description="Sent when the request has failed.")
    on_waiting: Notices = Field(
        (), description="Sent when an action waits for people or a ticket, and as a reminder."
    )
