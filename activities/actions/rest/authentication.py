"""Authentication of calls: headers, query, OAuth 2 tokens, AWS signatures."""

import base64
import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote, unquote_to_bytes, urlencode

import httpx

from activities.action_errors import ActionError, ActionFailedError
from activities.actions.rest.bodies import build_url
from activities.actions.rest.config import (
    ApiKey,
    Authentication,
    AwsSignature,
    Basic,
    Bearer,
    ClientCredentials,
)
from activities.base import ActionContext
from activities.outgoing import TargetResponse
from pao.clients.oauth import AccessToken, TokenBusyError, TokenCache, read_token
from pao.core.answers import safe_url
from pao.core.failure_classes import NOT_READY

UNAUTHORIZED = 401
S3 = "s3"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request before it is sent."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None = field(default=None, repr=False)

    def with_headers(self, **more: str) -> "HttpRequest":
        """Return the same with more headers."""
        return replace(self, headers={**self.headers, **more})


async def authenticate(
    outbound: HttpRequest,
    authentication: Authentication,
    context: ActionContext,
    tokens: TokenCache,
) -> HttpRequest:
    """Return the request with credentials, each of which is masked from now on."""
    for credential in _credentials_in(authentication):
        context.secrets.add(credential)
    if isinstance(authentication, Basic):
        pair = f"{authentication.username}:{authentication.password}".encode()
        return _with_authorization(outbound, "Basic", base64.b64encode(pair).decode(), context)
    if isinstance(authentication, Bearer):
        return _with_authorization(outbound, "Bearer", authentication.token, context)
    if isinstance(authentication, ClientCredentials):
        token = await _client_token(authentication, context, tokens)
        return _with_authorization(outbound, "Bearer", token, context)
    if isinstance(authentication, ApiKey):
        if authentication.place == "query":
            return replace(
                outbound, url=build_url(outbound.url, {authentication.name: authentication.key})
            )
        return outbound.with_headers(**{authentication.name: authentication.key})
    return (
        _sign(outbound, authentication, context)
        if isinstance(authentication, AwsSignature)
        else outbound
    )


def _credentials_in(authentication: Authentication) -> list[str]:
    """Return the credentials that the configuration holds."""
    if isinstance(authentication, Basic):
        return [authentication.password]
    if isinstance(authentication, Bearer):
        return [authentication.token]
    if isinstance(authentication, ApiKey):
        return [authentication.key]
    if isinstance(authentication, ClientCredentials):
        return [authentication.client_secret]
    if isinstance(authentication, AwsSignature):
        return [
            authentication.secret_access_key,
            *([authentication.session_token] if authentication.session_token else []),
        ]
    return []


def _with_authorization(
    outbound: HttpRequest, scheme: str, value: str, context: ActionContext
) -> HttpRequest:
    context.secrets.add(value)
    return outbound.with_headers(Authorization=f"{scheme} {value}")


def _sign(outbound: HttpRequest, sigv4: AwsSignature, context: ActionContext) -> HttpRequest:
    from botocore import auth  # noqa: PLC0415 -- a large library, and few items need it
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 -- as above
    from botocore.credentials import Credentials  # noqa: PLC0415 -- as above

    outbound = replace(outbound, url=_canonical_url(outbound.url, path=sigv4.service == S3))
    request = AWSRequest(
        method=outbound.method,
        url=outbound.url,
        data=outbound.content or b"",
        headers=outbound.headers,
    )
    keys = Credentials(sigv4.access_key_id, sigv4.secret_access_key, sigv4.session_token)
    # S3 signs the path as it is sent, and the body by a separate header.
    signer = auth.S3SigV4Auth if sigv4.service == S3 else auth.SigV4Auth
    signer(keys, sigv4.service, sigv4.region).add_auth(request)
    signature = str(request.headers.get("Authorization", "")).rpartition("Signature=")[2]
    context.secrets.add(signature)
    return replace(outbound, headers=dict(request.headers.items()))


def _canonical_url(url: str, *, path: bool) -> str:
    """Return an address with its query, and optionally its path, encoded as AWS signs it."""
    read = httpx.URL(url)
    target, mark, query = read.raw_path.decode("ascii").partition("?")
    if path:
        target = "/".join(map(_percent_encode, target.split("/")))
    # A blank may be encoded as "+", which AWS takes for a plus sign.
    pairs = (one.split("=", 1) for one in query.replace("+", "%20").split("&"))
    query = "&".join("=".join(map(_percent_encode, pair)) for pair in pairs)
    return str(read.copy_with(raw_path=f"{target}{mark}{query}".encode(), fragment=None))


def _percent_encode(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="")


async def _client_token(
    credentials: ClientCredentials, context: ActionContext, tokens: TokenCache
) -> str:
    try:
        return await tokens.token(
            token_key(credentials),
            partial(_fetch_token, credentials, context),
            seconds=context.deadline.remaining(),
        )
    except TokenBusyError:
        raise ActionFailedError(
            f"The OAuth 2 token endpoint {safe_url(credentials.token_url)} gave no token in time: "
            "another call is still waiting for it. Nothing was sent; retry later.",
            judged=NOT_READY,
        ) from None


async def _fetch_token(credentials: ClientCredentials, context: ActionContext) -> AccessToken:
    asked = {
        "grant_type": "client_credentials",
        "scope": credentials.scope,
        "audience": credentials.audience,
    }
    form = {name: value for name, value in asked.items() if value}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    if credentials.style == "basic":
        pair = base64.b64encode(
            f"{credentials.client_id}:{credentials.client_secret}".encode()
        ).decode()
        context.secrets.add(pair)
        headers["Authorization"] = f"Basic {pair}"
    else:
        form |= {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    # Fetching a token has no effect in the target: a lost answer is a plain failure.
    try:
        answer = await context.http.request(
            "POST",
            credentials.token_url,
            headers=headers,
            content=urlencode(form).encode(),
            reading=True,
        )
    except ActionError as error:
        where = safe_url(credentials.token_url)
        error.message = f"The OAuth 2 token endpoint {where} gave no token: {error.message}"
        raise
    return _read_token(answer, credentials)


def _read_token(answer: TargetResponse, credentials: ClientCredentials) -> AccessToken:
    where = f"The OAuth 2 token endpoint {safe_url(credentials.token_url)}"
    if not answer.is_success:
        raise answer.failure(f"{where} gave no token: it answered {answer.status}.", reading=True)
    try:
        return read_token(answer.body)
    except ValueError as error:
        raise answer.unreadable(f"{where} gave no token: {error}.") from error


def token_key(credentials: ClientCredentials) -> str:
    """Return the key of a client's tokens in the cache; it contains no secret."""
    client = (
        credentials.client_id,
        credentials.client_secret,
        str(credentials.scope),
        str(credentials.audience),
    )
    text = "\n".join((credentials.token_url, *client))
    return hashlib.sha256(text.encode()).hexdigest()
