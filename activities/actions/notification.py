"""The action type notification: a message to a Slack-compatible incoming webhook."""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from pydantic import BaseModel, Field

from activities.action_errors import ActionError, RepeatIsSafeError
from activities.base import Action, ActionConfig, ActionContext, InDoubt
from activities.config_values import Address
from catalog.templating import Escaping
from pao.core.answers import shorten
from pao.core.payloads.actions import ActionResult

TEXT_CHARACTERS = 4_000
ERROR_CHARACTERS = 2_000
_HALF_AN_ENTITY = re.compile(r"&[a-z]{0,3}\Z")


class NotificationConfig(ActionConfig):
    """Configuration of a notification action."""

    url: Address = Field(
        min_length=1, description="Address of the incoming webhook; take it from secrets"
    )
    text: str = Field(min_length=1, description="The message; cut at 4000 characters")
    channel: str | None = Field(default=None, description="If the webhook allows choosing one")
    username: str | None = Field(default=None, description="Shown as the sender")
    blocks: list[dict[str, Any]] = Field(default_factory=list, description="Slack's own blocks")
    required: bool = Field(default=False, description="Whether a failure fails the request")
    timeout: float = Field(default=10.0, gt=0, le=60, description="Seconds for the call")


class NotificationOutputs(BaseModel):
    """Outputs for later actions."""

    delivered: bool = Field(description="Whether the message was accepted")
    error: str | None = Field(default=None, description="Why not")


class NotificationAction(Action[NotificationConfig]):
    """Sends a message; its failure fails the request only where it is required."""

    type = "notification"
    summary = "Sends a message to a Slack-compatible incoming webhook."
    resource_type = "message"
    config = NotificationConfig
    outputs = NotificationOutputs
    default_timeout: ClassVar[float | None] = 15.0
    targets: ClassVar[Mapping[str, Escaping]] = {
        "url": Escaping.ADDRESS,
        "text": Escaping.SLACK,
        "blocks.*": Escaping.SLACK,
        "blocks.*url": Escaping.ADDRESS,
    }
    # A duplicate message does no harm.
    converges = True
    examples = (
        {
            "url": "{{secrets.team_channel_hook}}",
            "text": "{{request.user.email}} asked for {{metadata.name}}",
        },
        {
            "url": "{{secrets.oncall_hook}}",
            "text": "Certificate {{fields.name}} is being made",
            "channel": "#certificates",
            "required": True,
        },
    )

    async def look(self, config: NotificationConfig, context: ActionContext) -> NoReturn:
        """Raise ``RepeatIsSafeError``: a channel cannot be searched, and a repeat does no harm."""
        del config, context
        raise RepeatIsSafeError("A channel cannot be asked; sending a message twice does no harm.")

    async def execute(self, config: NotificationConfig, context: ActionContext) -> ActionResult:
        """Send the message."""
        try:
            await self._send(config, context)
        except ActionError as error:
            if config.required:
                raise
            await context.log.warning(f"The message was not delivered: {error.message}")
            return ActionResult(outputs={"delivered": False, "error": error.message})
        return ActionResult(outputs={"delivered": True, "error": None})

    async def _send(self, config: NotificationConfig, context: ActionContext) -> None:
        message = {
            "text": _truncate(config.text),
            "channel": config.channel,
            "username": config.username,
            "blocks": config.blocks,
        }
        content = json.dumps({name: value for name, value in message.items() if value})
        answer = await context.http.request(
            "POST",
            config.url,
            headers={"Content-Type": "application/json"},
            content=content.encode(),
            seconds=config.timeout,
        )
        if not answer.is_success:
            raise answer.failure(f"The webhook answered {answer.status}.")

    def in_doubt(self, config: NotificationConfig, context: ActionContext) -> InDoubt:
        """Explain that a message may be sent twice."""
        del config, context
        return InDoubt(
            retry="A retry sends the message again; a duplicate does no harm.",
            by_hand="look in the channel whether the message is there",
        )

    def kept(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs with a bounded error, which may repeat a whole answer."""
        error = outputs.get("error")
        cut = shorten(error, ERROR_CHARACTERS) if isinstance(error, str) else error
        return {**outputs, "error": cut}

    def cleanup(self, result: ActionResult) -> str:
        """Return what to do about the message when the request is abandoned."""
        del result
        return "Tell the channel that the request was abandoned."


def _truncate(text: str) -> str:
    """Truncate a message without splitting an escape at its end."""
    if len(text) <= TEXT_CHARACTERS:
        return text
    return _HALF_AN_ENTITY.sub("", text[:TEXT_CHARACTERS])


ACTION = NotificationAction()
