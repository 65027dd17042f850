"""What callers may send about requests. Unknown keys are refused, not dropped."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

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


class Body(BaseModel):
    """Base of every body: camelCase, strict, unknown keys refused."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
    )


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


class DecisionBody(Body):
    """A human decision; the reason goes into the audit trail."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "No longer needed, see the design review."}]}
    )

    reason: Reason


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
    mode: Literal["automatic", "manual"] | None = Field(
        None,
        description="`manual` takes the manual way of a hybrid item for what has not succeeded.",
    )
    dry_run: bool = False


class VoteBody(DecisionBody):
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
