"""Decisions about a request: bodies, records, previews."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.requests.schemas.action import ACTION, URL
from api.schemas import JsonObject, Moment, Omittable, RequestBody, ResponseBody

Reason = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class ReasonedBody(RequestBody):
    """A decision with a reason, which is recorded in the audit trail."""

    reason: Reason


class DecisionBody(ReasonedBody):
    """A person's decision about a failed request."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "No longer needed, see the design review."}]}
    )

    attempt: int | None = Field(
        None,
        ge=0,
        description="The `attempt` that the decision is about; after another attempt it is "
        "refused with 409.",
    )


class Evidence(RequestBody):
    """What a person saw in the target of an action whose outcome is unknown."""

    present: bool = Field(description="Whether the effect exists")
    outputs: dict[str, Any] | None = Field(
        None, description="With `present: true`, the action's outputs, as its type declares them"
    )
    action_id: str | None = Field(
        None, description="The action, if several have an unknown outcome"
    )


class RetryBody(DecisionBody):
    """A retry, with corrected values where the old ones were the problem."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reason": "The project was renamed.", "fields": {"instanceName": "orders-db-2"}}
            ]
        }
    )

    fields: JsonObject = Field(default_factory=dict)
    mode: Literal["automatic", "manual", "revise"] | None = Field(
        None,
        description="`manual` takes the manual way of a hybrid item for what has not succeeded; "
        "`revise` updates what an earlier attempt created to the corrected values.",
    )
    accept_used: bool = Field(
        default=False,
        description="Allow changes to fields that completed actions used; what they created stays.",
    )
    leave_behind: bool = Field(
        default=False,
        description="Move to another place even if something may be left at the former one; it is "
        "listed under `leftBehind`.",
    )
    evidence: Evidence | None = None
    dry_run: bool = False


class VoteBody(ReasonedBody):
    """What an approver decides about an action that waits for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"actionId": "approval-1", "reason": "Fits the capacity plan."}]
        }
    )

    action_id: str = Field(min_length=1, max_length=200)


class LookBody(RequestBody):
    """The failed action to check; by default the first that failed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"actionId": "jira-ticket-1"}]})

    action_id: str | None = None


class CleanupBody(RequestBody):
    """What was done by hand about something left behind."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Destroyed the subnet in the console."}]}
    )

    note: Reason


class DecisionRecord(ResponseBody):
    """A decision about the request, refused ones included."""

    id: str
    decision: str
    by: str
    via: str = Field(description="`api` if PAO verified `by`, otherwise the channel")
    reason: str | None
    at: Moment
    accepted: bool
    outcome: str = Field(description="open, done, failed or rejected")
    message: str | None
    changes: JsonObject | None = Field(description="By field, its `old` and its `new` value")
    code: str | None = Field(description="Why it was refused")
    details: JsonObject | None = Field(
        description="Values already used, evidence, what is left behind"
    )


class Adoptable(ResponseBody):
    """What a retry would adopt instead of creating it again."""

    external_reference: str | None
    url: str | None
    outputs: JsonObject


class Look(ResponseBody):
    """Whether the effect of a failed action exists in its target."""

    action_id: str
    answer: Literal["found", "absent", "unknown"]
    would_adopt: Adoptable | None
    reason: str | None = Field(description="Why the outcome is unknown, or what exists of it")


class PlannedCall(ResponseBody):
    """What an action would send, secrets masked."""

    id: str
    type: str
    config: JsonObject
    former: Omittable[JsonObject] = Field(
        None, description="With the values so far, where the corrected ones change it"
    )


class Refusal(ResponseBody):
    """Why a decision would be refused."""

    code: str
    message: str
    action_id: Omittable[str] = Field(None, description="The action concerned, if any")


class RetryPreview(ResponseBody):
    """What a retry would change, find and send; nothing was decided."""

    dry_run: Literal[True] = True
    changes: JsonObject = Field(description="By field, its `old` and its `new` value")
    actions: list[PlannedCall]
    looks: list[Look]
    out_of_step: dict[str, list[str]] = Field(
        description="By field, the completed or skipped actions that have used its old value"
    )
    refusals: list[Refusal]


LOOK = Look(
    action_id="jira-ticket-1",
    answer="found",
    would_adopt=Adoptable(external_reference="DB-123", url=URL, outputs=ACTION.outputs or {}),
    reason=None,
)

RETRY_PREVIEW = RetryPreview(
    changes={"instanceName": {"old": "orders-db", "new": "orders-db-2"}},
    actions=[
        PlannedCall(
            id="jira-ticket-1",
            type="jira-ticket",
            config={"ticket": {"project": "DB", "summaryTemplate": "PostgreSQL orders-db-2"}},
        )
    ],
    looks=[Look(action_id="jira-ticket-1", answer="absent", would_adopt=None, reason=None)],
    out_of_step={},
    refusals=[],
)
