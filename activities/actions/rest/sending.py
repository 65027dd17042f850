"""Sends the calls of rest-api, with credentials, retrying once with a new token on a 401."""

from urllib.parse import urlsplit

from activities.actions.rest import bodies
from activities.actions.rest.authentication import (
    UNAUTHORIZED,
    HttpRequest,
    authenticate,
    token_key,
)
from activities.actions.rest.config import ClientCredentials, NoAuthentication, RestApiConfig
from activities.base import ActionContext
from activities.outgoing import TargetResponse
from pao.clients.oauth import TokenCache
from pao.core.answers import READ_BYTES


class Sender:
    """Sends the calls of one process, which share their OAuth 2 tokens."""

    def __init__(self) -> None:
        self._tokens = TokenCache()

    async def call(self, config: RestApiConfig, context: ActionContext) -> TargetResponse:
        """Make the call that the document describes."""
        content, kind = bodies.build_content(config.body, context.mark)
        headers = kind | bodies.build_headers(config, correlation_id=context.request.correlation_id)
        if config.idempotency_header:
            headers[config.idempotency_header] = context.idempotency_key
        url = bodies.build_url(config.endpoint.url, config.query)
        return await self._send(
            HttpRequest(config.endpoint.method, url, headers, content), config, context
        )

    async def read(
        self,
        config: RestApiConfig,
        context: ActionContext,
        url: str,
        *,
        max_body: int = READ_BYTES,
    ) -> TargetResponse:
        """Read an address of the configuration, of its answer at most ``max_body`` bytes."""
        headers = bodies.build_headers(config, correlation_id=context.request.correlation_id)
        return await self._send(HttpRequest("GET", url, headers), config, context, max_body)

    async def read_named(
        self, config: RestApiConfig, context: ActionContext, url: str
    ) -> TargetResponse:
        """Read an address that the target named.

        Another host gets neither credentials nor the document's headers.
        """
        return await self.read(_without_credentials(config, url), context, url)

    async def _send(
        self,
        outbound: HttpRequest,
        config: RestApiConfig,
        context: ActionContext,
        max_body: int = READ_BYTES,
    ) -> TargetResponse:
        given = config.authentication
        sent = await authenticate(outbound, given, context, self._tokens)
        answer = await _send_once(sent, config, context, max_body)
        if answer.status == UNAUTHORIZED and isinstance(given, ClientCredentials):
            # Refused before anything was done: the cached token may have been revoked.
            refused = sent.headers["Authorization"].removeprefix("Bearer ")
            self._tokens.forget(token_key(given), refused)
            sent = await authenticate(outbound, given, context, self._tokens)
            answer = await _send_once(sent, config, context, max_body)
        return answer


async def _send_once(
    sent: HttpRequest, config: RestApiConfig, context: ActionContext, max_body: int
) -> TargetResponse:
    return await context.http.request(
        sent.method,
        sent.url,
        headers=sent.headers,
        content=sent.content,
        seconds=config.timeout,
        max_body=max_body,
    )


def _without_credentials(config: RestApiConfig, url: str) -> RestApiConfig:
    own, other = urlsplit(config.endpoint.url), urlsplit(url)
    if (own.scheme, own.netloc) == (other.scheme, other.netloc):
        return config
    return config.model_copy(update={"authentication": NoAuthentication(), "headers": {}})
