"""The action type approval: people decide before the request continues; the workflow waits."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from activities.base import Action, ActionContext, CamelCaseConfig
from activities.config_values import Texts
from pao.core.durations import seconds_of
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending


def _check_duration(value: int | str | None) -> int | str | None:
    if value is not None and not seconds_of(value):
        raise ValueError("write seconds, or 30s, 5m, 2h, 3d")
    return value


Duration = Annotated[int | str | None, AfterValidator(_check_duration)]


class Approvers(CamelCaseConfig):
    """Who may decide: users by id or email, and teams."""

    users: Texts = Field((), max_length=200)
    teams: Texts = Field((), max_length=200)


class ApprovalConfig(CamelCaseConfig):
    """Who decides, how many of them, and what happens when nobody does."""

    approvers: Approvers
    minimum: int = Field(1, ge=1, le=50, description="How many people must approve.")
    allow_self: bool = Field(False, description="Whether the requester may vote.")  # noqa: FBT003 -- a default
    message: str = Field("", max_length=4000, description="What to decide.")
    deadline: Duration = Field(
        None, description="Seconds, or a duration such as 2h; then `onDeadline` applies."
    )
    on_deadline: Literal["reject", "approve", "remind"] = "reject"
    remind_every: Duration = Field(
        None, description="How often to remind, in the log and through onWaiting."
    )

    @model_validator(mode="after")
    def _require_enough_approvers(self) -> Self:
        people = self.approvers
        if not people.users and not people.teams:
            raise ValueError("approvers names nobody: give users or teams")
        if not people.teams and self.minimum > len(set(people.users)):
            raise ValueError(f"minimum is {self.minimum}, but there are fewer approvers")
        return self


class ApprovalOutputs(BaseModel):
    """Who decided what, when and why; ``by``, ``at`` and ``reason`` are the last one's."""

    approved: bool
    by: str
    at: str
    reason: str | None = None
    decisions: list[dict[str, Any]]


class ApprovalAction(Action[ApprovalConfig]):
    """Waits until enough approvers approve; one rejection fails it."""

    type = "approval"
    summary = "Waits until people approve."
    resource_type = "approval"
    config = ApprovalConfig
    outputs = ApprovalOutputs
    waits = True
    examples = (
        {
            "approvers": {"teams": ["team-database"]},
            "message": "{{request.user.email}} asks for a database.",
        },
        {
            "approvers": {"users": ["ann@example.com", "bob@example.com"]},
            "minimum": 2,
            "message": "A large one.",
            "deadline": "3d",
            "onDeadline": "reject",
            "remindEvery": "1d",
        },
    )

    async def look(self, config: ApprovalConfig, context: ActionContext) -> ActionResult | None:
        """Return None: a retry asks again."""
        del config, context
        return None

    async def execute(self, config: ApprovalConfig, context: ActionContext) -> ActionResult:
        """Return the rules by which the workflow waits; nothing is sent anywhere."""
        del context
        rules = {
            "users": list(config.approvers.users),
            "teams": list(config.approvers.teams),
            "minimum": config.minimum,
            "allowSelf": config.allow_self,
            "message": config.message,
            "deadline": seconds_of(config.deadline),
            "onDeadline": config.on_deadline,
            "remindEvery": seconds_of(config.remind_every),
        }
        return ActionResult(pending=Pending("approval", rules))

    def cleanup(self, result: ActionResult) -> str:
        """Return nothing: an approval leaves nothing behind."""
        del result
        return ""


ACTION = ApprovalAction()
