"""The action type rest-api: one call to an HTTP interface, followed until it is done."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from activities.action_errors import (
    ActionError,
    ActionFailedError,
    RepeatIsSafeError,
)
from activities.actions.rest import answers, bodies
from activities.actions.rest.config import REPEATABLE, Asynchronous, LookConfig, RestApiConfig
from activities.actions.rest.polling import ACCEPTED, GONE, evaluate, poll, result_of, resume_poll
from activities.actions.rest.sending import Sender
from activities.base import Action, ActionContext, CamelCaseOutputs, InDoubt
from activities.outgoing import READING, TargetResponse
from activities.search_lag import look_until_certain
from catalog.templating import Escaping
from pao.core.answers import KEPT_CHARACTERS, safe_url
from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending

# With these a target says that there is nothing at the address of a look.
ABSENT = GONE | {204}


class RestApiOutputs(CamelCaseOutputs):
    """What later actions may use, besides what ``response.extract`` names."""

    model_config = ConfigDict(extra="allow")

    status: int = Field(description="Status of the answer")
    body: Any = Field(
        default=None,
        description="The answer: JSON, or else text; if over 64 kB, the beginning as text",
    )
    body_truncated: bool = Field(default=False, description="Whether the body was truncated")


class RestApiAction(Action[RestApiConfig]):
    """Calls once, and again only if a repeat is known to be harmless."""

    type = "rest-api"
    summary = "Calls an HTTP interface, and follows it until it is done."
    resource_type = "http-call"
    config = RestApiConfig
    outputs = RestApiOutputs
    default_timeout: ClassVar[float | None] = 60.0
    targets: ClassVar[Mapping[str, Escaping]] = {
        "endpoint.url": Escaping.URL,
        "look.url": Escaping.URL,
        "authentication.tokenUrl": Escaping.URL,
        "body.contentTemplate?body.type=json": Escaping.JSON,
        "body.contentTemplate?body.type=": Escaping.JSON,
        "body.contentTemplate?body.type=xml": Escaping.XML,
        "body.contentTemplate?body.type=form": Escaping.FORM,
    }
    examples = (
        {
            "endpoint": {"url": "https://dns.example.com/zones/{{fields.zone}}/records"},
            "authentication": {"type": "bearer", "token": "{{secrets.dns_token}}"},
            "body": {"type": "json", "contentTemplate": {"name": "{{fields.name}}", "ttl": 300}},
            "idempotencyHeader": "Idempotency-Key",
            "response": {"extract": {"recordId": {"path": "$.id", "type": "string"}}},
        },
        {
            "endpoint": {"url": "https://clusters.example.com/v1/clusters", "method": "POST"},
            "body": {"type": "json", "contentTemplate": '{"name": "{{fields.name}}"}'},
            "look": {
                "url": "https://clusters.example.com/v1/clusters",
                "query": {"name": "{{fields.name}}"},
                "found": {"path": "$.items[0].id"},
            },
            "async": {
                "until": {"path": "$.state", "values": ["ready"]},
                "failWhen": {"path": "$.state", "values": ["failed"]},
                "every": 10,
            },
            "response": {"extract": {"endpoint": "$.endpoint"}},
        },
    )

    def __init__(self) -> None:
        self._sender = Sender()

    async def look(self, config: RestApiConfig, context: ActionContext) -> ActionResult | None:
        """Look as configured; without a look, raise whether a repeat is harmless.

        If an earlier attempt was still waiting, its status address is polled first.
        """
        if context.earlier is not None and config.asynchronous is not None:
            known = await resume_poll(self._sender, config, context, context.earlier)
            if known is not None:
                return known.result
        if config.look is None:
            raise _no_look_error(config, context)
        asked = config.look
        return await look_until_certain(
            lambda: self._look_once(config, asked, context),
            settles_in=context.settles_in(asked.lag),
            seconds=context.deadline.remaining() / 2,
        )

    async def _look_once(
        self, config: RestApiConfig, asked: LookConfig, context: ActionContext
    ) -> ActionResult | None:
        url = bodies.build_url(asked.url, asked.query)
        answer = await self._sender.read(config, context, url)
        if answer.status in ABSENT:
            return None
        if not answer.is_success:
            raise answer.failure(
                f"The look for an earlier effect was answered with {answer.status}.", reading=True
            )
        if not await evaluate(answers.can_disprove, asked.found, answer, reading=True):
            raise answer.unreadable(
                f"The look for an earlier effect was answered with {answer.status}, but not with "
                "a JSON document that can be read, so it proves nothing. Nothing was sent."
            )
        if not await evaluate(answers.holds, asked.found, answer, reading=True):
            return None
        return await evaluate(_found_result, config, answer)

    async def execute(self, config: RestApiConfig, context: ActionContext) -> ActionResult:
        """Call once."""
        answer = await self._sender.call(config, context)
        await context.log.info(f"The target answered {answer.status}.")
        _require_expected(config, answer)
        if config.asynchronous is not None and answer.status == ACCEPTED:
            return await evaluate(_pending_result, answer, config.asynchronous)
        return await evaluate(_created_result, config, answer)

    async def follow(
        self, config: RestApiConfig, context: ActionContext, pending: Pending
    ) -> ActionResult:
        """Poll the status address until the condition holds; outages do not end it."""
        return await poll(self._sender, config, context, str(pending.state["url"]))

    def kept(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs with a body of limited length; a longer one becomes a text."""
        body = outputs.get("body")
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        if len(text) <= KEPT_CHARACTERS:
            return outputs
        return {**outputs, "body": text[:KEPT_CHARACTERS], "bodyTruncated": True}

    def place(self, config: RestApiConfig) -> str:
        """Return the call's method and address."""
        return f"{config.endpoint.method} {config.endpoint.url}"

    def askable(self, config: RestApiConfig) -> bool:
        """Return whether the document says how to look, or the target recognizes a repeat."""
        repeatable = config.endpoint.method in REPEATABLE
        return config.look is not None or bool(config.idempotency_header) or repeatable

    def in_doubt(self, config: RestApiConfig, context: ActionContext) -> InDoubt:
        """Return where a retry polls, or why it has no second effect."""
        following = context.earlier.state.get("url") if context.earlier else None
        if following and config.asynchronous:
            where = safe_url(str(following))
            return InDoubt(
                retry=f"A retry continues to poll {where}.",
                by_hand=f"ask at {where} what became of the call, and undo what it has made",
            )
        return InDoubt(
            askable=self.askable(config),
            retry=_retry_sentence(config),
            by_hand="look in its target for what the call has made (X-Correlation-ID "
            f"{context.request.correlation_id}), and undo it",
        )

    def promised(self, config: RestApiConfig) -> list[str]:
        """Return the status, and every output that the document promises."""
        return [
            *super().promised(config),
            *(
                name
                for name, one in config.response.extract.items()
                if isinstance(one, str) or one.required
            ),
        ]

    def cleanup(self, result: ActionResult) -> str:
        """Return what to do about the effect when the request is abandoned."""
        what = f" ({result.external_reference})" if result.external_reference else ""
        return f"Undo in the target by hand what this call has made{what}."


def _retry_sentence(config: RestApiConfig) -> str:
    if config.look is not None:
        return "A retry looks first, as the item says, and adopts what exists."
    if config.idempotency_header:
        header = config.idempotency_header
        return f"A retry sends the same {header}, by which the target knows a repeat."
    return f"A retry calls again; {config.endpoint.method} may be repeated without a second effect."


def _no_look_error(config: RestApiConfig, context: ActionContext) -> ActionError:
    method = config.endpoint.method
    if config.idempotency_header:
        return RepeatIsSafeError(
            f"The target cannot be asked, but a retry sends the same {config.idempotency_header}, "
            "by which the target recognizes a repeated call."
        )
    if method in REPEATABLE:
        return RepeatIsSafeError(f"The target cannot be asked, but {method} may be repeated.")
    if not context.unclear:
        return RepeatIsSafeError("Every earlier attempt was refused, so nothing was created.")
    error = ActionFailedError(
        f"An earlier {method} may have taken effect, and the item does not say how to look for it "
        "(look, or idempotencyHeader). Nothing was sent. Look in the target by hand, then retry "
        "with what you saw there as evidence.",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
    )
    error.askable = False
    return error


def _require_expected(config: RestApiConfig, answer: TargetResponse) -> None:
    expected = config.expected_status
    if answer.status in expected or (not expected and answer.is_success):
        return
    wanted = ", ".join(map(str, expected)) or "2xx"
    message = f"The target answered {answer.status}; expected {wanted}."
    raise answer.failure(message, reading=config.endpoint.method in READING)


def _pending_result(answer: TargetResponse, following: Asynchronous) -> ActionResult:
    url = answers.status_url(following.status_url, answer)
    if url is None:
        raise answer.unreadable(
            "The target has accepted the call, but names no status address.", reading=False
        )
    body = answers.read_body(answer)
    return ActionResult(
        outputs={"status": answer.status, "body": body},
        pending=Pending("follow", {"url": url}),
    )


def _created_result(config: RestApiConfig, answer: TargetResponse) -> ActionResult:
    return result_of(config, answer, reading=config.endpoint.method in READING)


def _found_result(config: RestApiConfig, answer: TargetResponse) -> ActionResult:
    return result_of(config, answer, reading=True)


ACTION = RestApiAction()
