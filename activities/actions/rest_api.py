"""The action type rest-api: one call to an HTTP interface, followed until it is done."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from activities.actions.rest import answers, bodies
from activities.actions.rest.authentication import (
    UNAUTHORIZED,
    Outbound,
    Tokens,
    authenticated,
)
from activities.actions.rest.config import (
    REPEATABLE,
    Asynchronous,
    ClientCredentials,
    NoAuthentication,
    RestApiConfig,
)
from activities.base import Action, ActionContext
from activities.errors import ActionError, ActionFailedError, OutcomeUnknownError, RepeatIsSafeError
from activities.outgoing import READING, Answer
from catalog.templating import Target
from pao.core.errors import ErrorCode
from pao.core.payloads import ActionResult, Pending

ACCEPTED = 202
ABSENT = frozenset({404, 410})
DEFINITE = range(400, 500)
TOO_MANY = 429
T = TypeVar("T")


class RestApiOutputs(BaseModel):
    """What later actions may use, besides what ``response.extract`` names."""

    model_config = ConfigDict(extra="allow")

    status: int = Field(description="Status of the answer")
    body: Any = Field(default=None, description="The answer: JSON, else text; at most 64 kB")


class RestApiAction(Action[RestApiConfig]):
    """Calls once; a repeat happens only where it is known to be harmless."""

    type = "rest-api"
    summary = "Calls an HTTP interface, and follows it until it is done."
    resource_type = "http-call"
    config = RestApiConfig
    outputs = RestApiOutputs
    default_timeout: ClassVar[float | None] = 60.0
    targets: ClassVar[Mapping[str, Target]] = {
        "endpoint.url": Target.URL,
        "look.url": Target.URL,
        "authentication.tokenUrl": Target.URL,
        "body.contentTemplate?body.type=json": Target.JSON,
        "body.contentTemplate?body.type=": Target.JSON,
        "body.contentTemplate?body.type=xml": Target.XML,
        "body.contentTemplate?body.type=form": Target.URL,
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
        self._tokens = Tokens()

    async def look(self, config: RestApiConfig, context: ActionContext) -> ActionResult | None:
        """Ask as the document says; without that, say whether a repeat would be harmless."""
        answers.check_paths(config)
        if config.look is None:
            raise _not_looked(config, context)
        url = bodies.address(config.look.url, config.look.query)
        answer = await self._read(config, context, url)
        if answer.status in ABSENT:
            return None
        if not answer.is_success:
            raise answer.failure(
                f"The look for an earlier effect was answered with {answer.status}.", reading=True
            )
        if not await evaluated(answers.holds, config.look.found, answer, reading=True):
            return None
        return await evaluated(_result, config, answer)

    async def execute(self, config: RestApiConfig, context: ActionContext) -> ActionResult:
        """Call once."""
        answers.check_paths(config)
        answer = await self._call(config, context)
        await context.log.info(f"The target answered {answer.status}.")
        _require_expected(config, answer)
        if config.asynchronous is not None and answer.status == ACCEPTED:
            return await evaluated(_pending, answer, config.asynchronous)
        return await evaluated(_result, config, answer)

    async def follow(
        self, config: RestApiConfig, context: ActionContext, pending: Pending
    ) -> ActionResult:
        """Ask the status address until the condition holds, also where it is away for a while."""
        following = config.asynchronous
        if following is None:
            raise ActionFailedError("The document does not say how the call is followed.")
        since = float(context.progress.saved.get("since") or time.time())
        context.progress.save({"since": since})
        while True:
            answer = await self._asked(config, context, str(pending.state["url"]))
            if answer is not None:
                result = await evaluated(_judged, config, following, answer)
                if result is not None:
                    return result
            if time.time() - since > following.timeout:
                raise OutcomeUnknownError(
                    f"The target was not done after {following.timeout:.0f} s. It may be later: "
                    "look there, then retry.",
                    code=ErrorCode.EXTERNAL_SERVICE_ERROR,
                    retryable=True,
                )
            await asyncio.sleep(following.every)

    def cleanup(self, result: ActionResult) -> str:
        """Say what to do about the effect of an abandoned request."""
        what = f" ({result.external_reference})" if result.external_reference else ""
        return f"Undo in the target by hand what this call has made{what}."

    async def _call(self, config: RestApiConfig, context: ActionContext) -> Answer:
        content, kind = bodies.content(config.body, context.mark)
        headers = kind | bodies.headers(config, correlation_id=context.request.correlation_id)
        if config.idempotencyHeader:
            headers[config.idempotencyHeader] = context.idempotency_key
        url = bodies.address(config.endpoint.url, config.query)
        return await self._send(
            Outbound(config.endpoint.method, url, headers, content), config, context
        )

    async def _read(self, config: RestApiConfig, context: ActionContext, url: str) -> Answer:
        headers = bodies.headers(config, correlation_id=context.request.correlation_id)
        return await self._send(Outbound("GET", url, headers), config, context)

    async def _asked(
        self, config: RestApiConfig, context: ActionContext, url: str
    ) -> Answer | None:
        """Ask for the status; None where the target cannot say now."""
        try:
            answer = await self._read(_without_credentials(config, url), context, url)
        except ActionError as error:
            if not error.retryable:
                raise
            await context.log.warning(f"The target cannot be asked now: {error.message}")
            return None
        if answer.status in DEFINITE and answer.status != TOO_MANY:
            raise answer.failure(f"The status address answered {answer.status}.", reading=True)
        return answer if answer.is_success else None

    async def _send(
        self, outbound: Outbound, config: RestApiConfig, context: ActionContext
    ) -> Answer:
        given = config.authentication
        sent = await authenticated(outbound, given, context, self._tokens)
        answer = await self._once(sent, config, context)
        if answer.status == UNAUTHORIZED and isinstance(given, ClientCredentials):
            # Refused before anything was done: the kept token may have ended early.
            self._tokens.forget(given)
            sent = await authenticated(outbound, given, context, self._tokens)
            answer = await self._once(sent, config, context)
        return answer

    async def _once(self, sent: Outbound, config: RestApiConfig, context: ActionContext) -> Answer:
        return await context.http.request(
            sent.method,
            sent.url,
            headers=sent.headers,
            content=sent.content,
            seconds=config.timeout,
        )


def _not_looked(config: RestApiConfig, context: ActionContext) -> ActionError:
    method = config.endpoint.method
    if config.idempotencyHeader:
        return RepeatIsSafeError(
            f"The target cannot be asked, but a retry sends the same {config.idempotencyHeader}, "
            "by which the target tells a repeat from a new call."
        )
    if method in REPEATABLE:
        return RepeatIsSafeError(f"The target cannot be asked, but {method} may be repeated.")
    if not context.unclear:
        return RepeatIsSafeError("Every earlier attempt was refused, so nothing was made.")
    return ActionFailedError(
        f"An earlier {method} may have taken effect, and the item does not say how to look for it "
        "(look, or idempotencyHeader). Nothing was sent. Look in the target by hand: if the effect "
        "is there, finish by the manual way or abort; if not, abort and submit anew.",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
    )


def _without_credentials(config: RestApiConfig, url: str) -> RestApiConfig:
    """Keep credentials, and the document's headers, from an address of another host."""
    own, other = urlsplit(config.endpoint.url), urlsplit(url)
    if (own.scheme, own.netloc) == (other.scheme, other.netloc):
        return config
    return config.model_copy(update={"authentication": NoAuthentication(), "headers": {}})


def _require_expected(config: RestApiConfig, answer: Answer) -> None:
    expected = config.expectedStatus
    if answer.status in expected or (not expected and answer.is_success):
        return
    wanted = ", ".join(map(str, expected)) or "2xx"
    message = f"The target answered {answer.status}; expected is {wanted}."
    if answer.is_success and config.endpoint.method not in READING:
        raise OutcomeUnknownError(
            f"{message} It may have done what was asked.",
            http_status=answer.status,
            response_body=answer.text,
        )
    raise answer.failure(message, reading=config.endpoint.method in READING)


async def evaluated(read: Callable[..., T], /, *given: Any, reading: bool = False) -> T:
    """Read an answer by the document's JSONPaths, in a thread: that may take up to a second."""
    try:
        return await asyncio.to_thread(read, *given)
    except answers.ExtractError as error:
        kind = ActionFailedError if reading else OutcomeUnknownError
        raise kind(f"The answer cannot be read as the item says: {error}.") from error


def _pending(answer: Answer, following: Asynchronous) -> ActionResult:
    url = answers.status_url(following.statusUrl, answer)
    if url is None:
        raise OutcomeUnknownError(
            "The target has accepted the call, but names no address to ask after.",
            code=ErrorCode.EXTERNAL_SERVICE_ERROR,
            http_status=answer.status,
            response_body=answer.text,
        )
    body = answers.read_body(answer)
    return ActionResult(
        outputs={"status": answer.status, "body": body},
        pending=Pending("follow", {"url": url}),
    )


def _judged(config: RestApiConfig, following: Asynchronous, answer: Answer) -> ActionResult | None:
    if following.failWhen is not None and answers.holds(following.failWhen, answer):
        raise ActionFailedError(
            "The target says that it has failed.",
            http_status=answer.status,
            response_body=answer.text,
        )
    return _result(config, answer) if answers.holds(following.until, answer) else None


def _result(config: RestApiConfig, answer: Answer) -> ActionResult:
    try:
        made = answers.outputs(config, answer)
    except answers.ExtractError as error:
        raise OutcomeUnknownError(
            f"The target answered {answer.status}, but its answer is not as the item promises: "
            f"{error}.",
            http_status=answer.status,
            response_body=answer.text,
        ) from error
    return ActionResult(outputs=made)


ACTION = RestApiAction()
