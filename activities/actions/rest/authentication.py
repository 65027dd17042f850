"""Authentication of calls: headers, query, OAuth 2 tokens, AWS signatures."""

import base64
import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from activities.action_errors import ActionError, ActionFailedError
from activities.actions.rest.bodies import address
from activities.actions.rest.config import (
    ApiKey,
    Authentication,
    Basic,
    Bearer,
    ClientCredentials,
    SigV4,
)
from activities.base import ActionContext
from activities.outgoing import TargetResponse
from pao.clients.oauth import AccessToken, TokenCache, read_token
from pao.core.answers import place
from pao.core.judgement import UNREADABLE

UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Outbound:
    """One request before it is sent."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None = field(default=None, repr=False)

    def with_headers(self, **more: str) -> "Outbound":
        """Return the same with more headers."""
        return replace(self, headers={**self.headers, **more})


async def authenticated(
    outbound: Outbound, given: Authentication, context: ActionContext, tokens: TokenCache
) -> Outbound:
    """Return the request with credentials, each of which is masked from now on."""
    for credential in _written(given):
        context.secrets.add(credential)
    if isinstance(given, Basic):
        pair = f"{given.username}:{given.password}".encode()
        return _bearing(outbound, "Basic", base64.b64encode(pair).decode(), context)
    if isinstance(given, Bearer):
        return _bearing(outbound, "Bearer", given.token, context)
    if isinstance(given, ClientCredentials):
        token = await tokens.token(token_key(given), partial(_fetch, given, context))
        return _bearing(outbound, "Bearer", token, context)
    if isinstance(given, ApiKey):
        if given.place == "query":
            return replace(outbound, url=address(outbound.url, {given.name: given.key}))
        return outbound.with_headers(**{given.name: given.key})
    return _signed(outbound, given, context) if isinstance(given, SigV4) else outbound


def _written(given: Authentication) -> list[str]:
    """Return the credentials that the configuration holds."""
    if isinstance(given, Basic):
        return [given.password]
    if isinstance(given, Bearer):
        return [given.token]
    if isinstance(given, ApiKey):
        return [given.key]
    if isinstance(given, ClientCredentials):
        return [given.client_secret]
    if isinstance(given, SigV4):
        return [given.secret_access_key, *([given.session_token] if given.session_token else [])]
    return []


def _bearing(outbound: Outbound, scheme: str, value: str, context: ActionContext) -> Outbound:
    context.secrets.add(value)
    return outbound.with_headers(Authorization=f"{scheme} {value}")


def _signed(outbound: Outbound, given: SigV4, context: ActionContext) -> Outbound:
    from botocore.auth import SigV4Auth  # noqa: PLC0415 -- a large library, and few items need it
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 -- as above
    from botocore.credentials import Credentials  # noqa: PLC0415 -- as above

    # A blank that was written as "+" is signed as a plus sign's %2B by AWS, and refused.
    path, mark, query = outbound.url.partition("?")
    outbound = replace(outbound, url=f"{path}{mark}{query.replace('+', '%20')}")
    request = AWSRequest(
        method=outbound.method,
        url=outbound.url,
        data=outbound.content or b"",
        headers=outbound.headers,
    )
    keys = Credentials(given.access_key_id, given.secret_access_key, given.session_token)
    SigV4Auth(keys, given.service, given.region).add_auth(request)
    signature = str(request.headers.get("Authorization", "")).rpartition("Signature=")[2]
    context.secrets.add(signature)
    return replace(outbound, headers=dict(request.headers.items()))


async def _fetch(given: ClientCredentials, context: ActionContext) -> AccessToken:
    asked = {"grant_type": "client_credentials", "scope": given.scope, "audience": given.audience}
    form = {name: value for name, value in asked.items() if value}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    if given.style == "basic":
        pair = base64.b64encode(f"{given.client_id}:{given.client_secret}".encode()).decode()
        context.secrets.add(pair)
        headers["Authorization"] = f"Basic {pair}"
    else:
        form |= {"client_id": given.client_id, "client_secret": given.client_secret}
    # Fetching a token changes nothing that anybody must know of: its loss is a plain failure.
    try:
        answer = await context.http.request(
            "POST", given.token_url, headers=headers, content=urlencode(form).encode(), reading=True
        )
    except ActionError as error:
        where = place(given.token_url)
        error.message = f"The OAuth 2 token endpoint {where} gave no token: {error.message}"
        raise
    return _read_token(answer, given)


def _read_token(answer: TargetResponse, given: ClientCredentials) -> AccessToken:
    where = f"The OAuth 2 token endpoint {place(given.token_url)}"
    if not answer.is_success:
        raise answer.failure(f"{where} gave no token: it answered {answer.status}.", reading=True)
    try:
        return read_token(_document(answer))
    except ValueError as error:
        raise ActionFailedError(
            f"{where} gave no token: {error}.",
            http_status=answer.status,
            response_body=answer.text,
            judged=UNREADABLE,
        ) from error


def _document(answer: TargetResponse) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def token_key(given: ClientCredentials) -> str:
    """Return by what the tokens of a client are cached; shows no secret."""
    client = (given.client_id, given.client_secret, str(given.scope), str(given.audience))
    text = "\n".join((given.token_url, *client))
    return hashlib.sha256(text.encode()).hexdigest()
