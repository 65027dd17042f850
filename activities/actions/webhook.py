"""The action type webhook: one signed POST that its receiver can verify and deduplicate."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from pydantic import BaseModel, Field

from activities.action_errors import RepeatIsSafeError
from activities.base import Action, ActionContext, CamelCaseConfig, InDoubt
from activities.config_values import Address, Headers
from activities.outgoing import TargetResponse
from catalog.templating import Escaping
from pao.core.payloads.actions import ActionResult

TIMESTAMP, SIGNATURE, DELIVERY = "X-PAO-Timestamp", "X-PAO-Signature", "X-PAO-Delivery"


class WebhookConfig(CamelCaseConfig):
    """Configuration of a webhook action."""

    url: Address = Field(min_length=1, description="Address of the receiver")
    secret: str = Field(min_length=16, description="Key of the signature; take it from secrets")
    payload: Any = Field(
        default_factory=dict, description="JSON to send: a mapping, or a JSON template"
    )
    headers: Headers = Field(default_factory=dict)
    expected_status: tuple[int, ...] = Field(
        default=(), description="Accepted statuses; default: any 2xx"
    )
    timeout: float = Field(default=10.0, gt=0, le=60, description="Seconds for the call")


class WebhookOutputs(BaseModel):
    """Outputs for later actions."""

    status: int = Field(description="Status of the answer")
    delivery: str = Field(description="Id of the delivery, the same on every attempt")


class WebhookAction(Action[WebhookConfig]):
    """Sends once; a retry sends the same delivery id, by which the receiver knows a repeat."""

    type = "webhook"
    summary = "Sends a signed POST to a receiver."
    resource_type = "webhook-delivery"
    config = WebhookConfig
    outputs = WebhookOutputs
    default_timeout: ClassVar[float | None] = 20.0
    targets: ClassVar[Mapping[str, Escaping]] = {"url": Escaping.URL, "payload": Escaping.JSON}
    examples = (
        {
            "url": "https://hooks.example.com/pao",
            "secret": "{{secrets.hook_signing_key}}",
            "payload": {"name": "{{fields.name}}", "by": "{{request.user.id}}"},
        },
        {
            "url": "https://hooks.example.com/pao",
            "secret": "{{secrets.hook_signing_key}}",
            "payload": '{"request": "{{request.id}}"}',
            "expectedStatus": [202],
        },
    )

    async def look(self, config: WebhookConfig, context: ActionContext) -> NoReturn:
        """Raise ``RepeatIsSafeError``: the delivery id makes a repeat harmless."""
        del config
        raise RepeatIsSafeError(
            f"A receiver cannot be asked. A retry sends the same {DELIVERY} "
            f"({context.idempotency_key}), by which it knows a repeat."
        )

    async def execute(self, config: WebhookConfig, context: ActionContext) -> ActionResult:
        """Sign and send."""
        body = _encode_payload(config.payload)
        headers = {name: str(one) for name, one in config.headers.items() if one is not None}
        signed = signature(config.secret, body, int(time.time()))
        context.secrets.add(config.secret)
        context.secrets.add(signed[SIGNATURE].removeprefix("sha256="))
        answer = await context.http.request(
            "POST",
            config.url,
            headers={
                **headers,
                "Content-Type": "application/json",
                "X-Correlation-ID": context.request.correlation_id,
                DELIVERY: context.idempotency_key,
                **signed,
            },
            content=body,
            seconds=config.timeout,
        )
        _require_expected(config, answer)
        return ActionResult(
            outputs={"status": answer.status, "delivery": context.idempotency_key},
            external_reference=context.idempotency_key,
        )

    def in_doubt(self, config: WebhookConfig, context: ActionContext) -> InDoubt:
        """Return the delivery, by which the receiver knows a repeat."""
        return InDoubt(
            askable=self.askable(config),
            retry=f"A retry sends the same {DELIVERY}, by which the receiver knows a repeat.",
            by_hand=f"ask the receiver whether it received delivery {context.idempotency_key}",
        )

    def place(self, config: WebhookConfig) -> str:
        """Return the receiver."""
        return f"the receiver {config.url}"

    def cleanup(self, result: ActionResult) -> str:
        """Return what to do about the delivery when the request is abandoned."""
        return f"Tell the receiver that delivery {result.external_reference} no longer counts."


def signature(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the signature headers: HMAC-SHA256 over timestamp and body."""
    signed = f"{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {TIMESTAMP: str(timestamp), SIGNATURE: f"sha256={digest}"}


def _encode_payload(payload: Any) -> bytes:
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return text.encode(errors="replace")


def _require_expected(config: WebhookConfig, answer: TargetResponse) -> None:
    expected = config.expected_status
    if answer.status in expected or (not expected and answer.is_success):
        return
    message = f"The receiver answered {answer.status}."
    if answer.is_success:
        message = f"{message} That is not what the item expects."
    raise answer.failure(message)


ACTION = WebhookAction()
