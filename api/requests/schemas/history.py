"""Earlier requests that failed like one."""

from pydantic import Field

from api.schemas import EXAMPLE_TIME, Id, Moment, ResponseBody


class Solution(ResponseBody):
    """A retry after which the action succeeded."""

    request_id: Id
    title: str | None
    by: str
    at: Moment
    reason: str | None
    fields: list[str] = Field(description="Fields that the retry corrected")


class SimilarFailures(ResponseBody):
    """Requests of the same item in which the same action failed for the same cause."""

    action_id: str | None = Field(description="Null if no action has failed")
    cause: str | None
    count: int = Field(description="Of the last 90 days, 50 at most; only what the caller may see")
    solved: int = Field(description="By a retry")
    aborted: int
    escalated: int
    solutions: list[Solution] = Field(description="The newest five")


SIMILAR = SimilarFailures(
    action_id="jira-ticket-1",
    cause="quota",
    count=3,
    solved=2,
    aborted=1,
    escalated=0,
    solutions=[
        Solution(
            request_id="5b1e0c1e-52c4-4f0a-9d5f-0f5a1c2b3d4e",
            title="orders-db",
            by="priya",
            at=EXAMPLE_TIME,
            reason="The quota was raised.",
            fields=[],
        )
    ],
)
