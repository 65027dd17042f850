"""What callers may send about requests. Unknown keys are refused, not dropped."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from api.schemas import Body

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")

Reason = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Fields = dict[str, Any]


def _written_out(value: object) -> object:
    """Refuse what is a moment to pydantic alone: seconds since 1970, and days."""
    if isinstance(value, str) and not _MOMENT.match(value):
        raise ValueError("write a moment as in 2026-01-31T08:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_out)]
"""A date and a time as RFC 3339 writes them; that a time zone is given is not checked here."""


class SubmissionMetadata(Body):
    """What a caller may note about a request; shown with it, never interpreted."""

    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=50
    )
    note: str | None = Field(None, max_length=2000)


class Submission(Body):
    """A request for a catalog item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "catalogItemId": "database-postgresql-standard",
                    "fields": {"instanceName": "orders-db", "storageSize": 100},
                    "metadata": {"tags": ["production"]},
                }
            ]
        }
    )

    catalog_item_id: str = Field(min_length=1, max_length=200)
    fields: Fields = Field(default_factory=dict)
    metadata: SubmissionMetadata = SubmissionMetadata()


class ReasonedBody(Body):
    """What a human says with a reason, which goes into the audit trail."""

    reason: Reason


class DecisionBody(ReasonedBody):
    """A human decision about a failed request."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "No longer needed, see the design review."}]}
    )

    attempt: int | None = Field(
        None,
        ge=0,
        description="The request's `attempt` that the decision is about; another one meanwhile is "
        "refused with 409.",
    )


class Evidence(Body):
    """What a person has seen in the target of an action whose outcome nobody else can tell."""

    present: bool = Field(description="Whether the effect is there")
    outputs: dict[str, Any] | None = Field(
        None, description="With `present: true`, the action's outputs, as its type declares them"
    )
    action_id: str | None = Field(
        None, description="The action, where several have an unknown outcome"
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

    fields: Fields = Field(default_factory=dict)
    mode: Literal["automatic", "manual", "revise"] | None = Field(
        None,
        description="`manual` takes the manual way of a hybrid item for what has not succeeded; "
        "`revise` changes what an earlier attempt made to the corrected values.",
    )
    accept_used: bool = Field(
        default=False,
        description="Correct fields that completed actions have used; what they made stays.",
    )
    leave_behind: bool = Field(
        default=False,
        description="Go to another place although something may be left at the former one; it is "
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


class LookBody(Body):
    """Which failed action to look for; without one, the first that failed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"actionId": "jira-ticket-1"}]})

    action_id: str | None = None
