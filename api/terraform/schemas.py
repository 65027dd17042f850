"""Bodies and answers about registered Terraform states."""

from pydantic import ConfigDict, Field

from api.requests.schemas.decision import Reason
from api.schemas import Id, Moment, RequestBody, ResponseBody


class ReleaseBody(RequestBody):
    """A person's statement that a state is free for other requests."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "Destroyed by hand.", "destroyed": True}]}
    )

    note: Reason
    destroyed: bool = Field(
        default=False,
        description="What is in the state was destroyed, or the state is empty; needed unless PAO "
        "knows that nothing is in it",
    )


class Release(ResponseBody):
    """Who has freed a state, and why."""

    by: str
    at: Moment
    note: str


class TerraformState(ResponseBody):
    """A Terraform state that is, or was, registered for a request."""

    id: int
    place: str = Field(description="Where it is: workspace, backend, address or bucket and key")
    shared: bool = Field(description="Other requests of items that share it may use it")
    request_id: Id
    action_id: str
    item_id: str
    resources: int | None = Field(description="How many it had last; null where unknown")
    registered_at: Moment
    released: Release | None


class TerraformStates(ResponseBody):
    """All states that are, or were, registered for a request."""

    data: list[TerraformState]
