"""Signing in to the pages by OpenID Connect: the code flow with PKCE, state and nonce.

What the browser must bring back is in a cookie that only this service can read and write. Nothing
is stored here until the provider has said who signed in.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

from pydantic import SecretStr

from api.auth.claims import ClaimedUser, ClaimRules, ClaimsError, claim, read_claims
from api.auth.key_sets import KeySet
from api.auth.replay import ReplayStore
from api.auth.signature_errors import SignatureError
from api.auth.tokens import TokenRules, verify_token
from api.sessions.oidc_provider import Provider, ProviderAnswer, is_error_code
from pao.clients.bounded_http import BoundedHttp
from pao.core.failure_classes import Cause
from pao.runtime.crypto import SecretBox, SecretUnreadableError

LIFETIME = timedelta(minutes=10)
_CONTEXT = "oidc sign-in"
_LONGEST_CODE = 4096
# What OAuth says where it is PAO itself that is not accepted (RFC 6749, section 5.2).
_CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})


class SignInError(Exception):
    """A sign-in failed; the message is for the person, ``reason`` for the log."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcConfig:
    """The provider, how PAO is registered there, and which claims count."""

    issuer: str
    client_id: str
    client_secret: SecretStr | None
    scopes: tuple[str, ...]
    name: str
    claims: ClaimRules


@dataclass(frozen=True, slots=True)
class SignInStart:
    """The address to redirect the browser to, and the cookie that it must bring back."""

    url: str
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignInResult:
    """Who signed in, and which page they wanted."""

    user: ClaimedUser
    to: str


class OidcSignIn:
    """Redirects browsers to the provider, and verifies who signed in there."""

    def __init__(
        self,
        config: OidcConfig,
        http: BoundedHttp,
        box: SecretBox,
        replays: ReplayStore,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self._now = now
        self._http = http
        self._box = box
        self._replays = replays
        self._provider = Provider(config.issuer, http)
        self._keys = KeySet(http, self._provider.keys_address)
        self._rules = TokenRules(issuer=config.issuer, audience=config.client_id)

    async def begin(self, *, redirect_uri: str, to: str) -> SignInStart:
        """Return the provider's page to sign in at; ``to`` is the page that is wanted after it."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        endpoint = await self._provider.endpoint("authorization_endpoint")
        query = urlencode(
            {
                "response_type": "code",
                # Another mode is a cross-site POST, which brings no cookie along.
                "response_mode": "query",
                "client_id": self.config.client_id,
                "redirect_uri": redirect_uri,
                "scope": " ".join(("openid", *self.config.scopes)),
                "state": state,
                "nonce": nonce,
                "code_challenge": _challenge(verifier),
                "code_challenge_method": "S256",
            }
        )
        content = {
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "to": to,
            "ends": self._now() + LIFETIME.total_seconds(),
        }
        cookie = self._box.seal(json.dumps(content), context=_CONTEXT)
        return SignInStart(f"{endpoint}{'&' if '?' in endpoint else '?'}{query}", cookie)

    async def finish(
        self, *, cookie: str, query: Mapping[str, str], redirect_uri: str
    ) -> SignInResult:
        """Return who signed in at the provider; raises ``SignInError`` if the sign-in is refused.

        Each started sign-in can be finished once.
        """
        if "error" in query:
            raise _refused_by_provider(query["error"])
        begun = self._open_cookie(cookie)
        state = query.get("state", "")
        if not hmac.compare_digest(state.encode(), str(begun["state"]).encode()):
            raise _stale("state")
        code = query.get("code", "")
        # RFC 9207: an answer of another provider that PAO is registered with as well.
        if not 0 < len(code) <= _LONGEST_CODE or query.get("iss", self.config.issuer) != (
            self.config.issuer
        ):
            raise _stale("answer")
        await self._use_up(state)
        tokens = await self._redeem(
            code, verifier=str(begun["verifier"]), redirect_uri=redirect_uri
        )
        claims = await self._claims(tokens, nonce=str(begun["nonce"]))
        try:
            return SignInResult(read_claims(claims, self.config.claims), str(begun["to"]))
        except ClaimsError as error:
            raise SignInError("claims", str(error)) from None

    def _open_cookie(self, cookie: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self._box.open(cookie, context=_CONTEXT))
        except SecretUnreadableError:
            raise _stale("cookie") from None
        if content["ends"] < self._now():
            raise _stale("late")
        return content

    async def _use_up(self, state: str) -> None:
        digest = hashlib.sha256(f"{_CONTEXT}\n{state}".encode()).digest()
        holder = secrets.token_bytes(32)
        expires_at = datetime.now(UTC) + LIFETIME
        claim = await self._replays.claim(digest, holder=holder, expires_at=expires_at)
        if claim.holder != holder:
            raise _stale("replayed")

    async def _redeem(self, code: str, *, verifier: str, redirect_uri: str) -> dict[str, Any]:
        endpoint = await self._provider.endpoint("token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        # As it is now: it may have been read again.
        given = self.config.client_secret
        secret = given.get_secret_value() if given else None
        if secret is None:
            form["client_id"] = self.config.client_id
        elif await self._provider.accepts_basic_auth():
            headers["Authorization"] = _basic_auth(self.config.client_id, secret)
        else:
            form |= {"client_id": self.config.client_id, "client_secret": secret}
        answer = await self._provider.ask(
            "POST",
            endpoint,
            headers=headers,
            content=urlencode(form).encode(),
            hidden=tuple(filter(None, (code, verifier, secret))),
        )
        if answer.document is None:
            raise _not_redeemed(answer)
        return answer.document

    async def _claims(self, tokens: Mapping[str, Any], *, nonce: str) -> dict[str, Any]:
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise _untrusted("there is no ID token")
        try:
            claims = dict(await verify_token(token, self._rules, self._keys))
        except SignatureError as error:
            raise _untrusted(error.message) from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise _untrusted("its nonce belongs to another sign-in")
        audience = claims["aud"]
        others = isinstance(audience, list) and len(audience) > 1
        if claims.get("azp", self.config.client_id if not others else "") != self.config.client_id:
            raise _untrusted("it was issued for another client (azp)")
        return await self._with_userinfo(claims, tokens.get("access_token"))

    async def _with_userinfo(self, claims: dict[str, Any], access_token: Any) -> dict[str, Any]:
        """Add claims of the userinfo endpoint; those of the ID token take precedence."""
        wanted = (self.config.claims.user, self.config.claims.groups, "email")
        if all(claim(claims, name) is not None for name in wanted):
            return claims
        endpoint = await self._provider.optional_endpoint("userinfo_endpoint")
        if endpoint is None or not isinstance(access_token, str):
            return claims
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = await self._provider.ask("GET", endpoint, headers=headers, hidden=(access_token,))
        more = answer.document
        if more is None or more.get("sub") != claims["sub"]:
            return claims
        return more | claims


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _basic_auth(client_id: str, secret: str) -> str:
    login = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(login.encode()).decode()


def _stale(reason: str) -> SignInError:
    return SignInError(
        reason,
        "This sign-in was started in another browser, is older than ten minutes, or has already "
        "been used. Sign in again.",
    )


def _refused_by_provider(error: str) -> SignInError:
    code = error if is_error_code(error) else "an error"
    return SignInError(
        "provider", f"The identity provider did not sign you in ({code}). Try again, or ask there."
    )


def _not_redeemed(answer: ProviderAnswer) -> SignInError:
    """Return why a code did not become a token: by PAO's fault, the provider's or the person's."""
    if answer.failure_class.cause is Cause.ACCESS or answer.error in _CLIENT_ERRORS:
        return SignInError(
            "client",
            f"The identity provider does not accept PAO ({answer.summary}). The operator must "
            "replace PAO's client secret, or correct how PAO is registered there.",
        )
    if not answer.error:
        return SignInError(
            "endpoint",
            f"The identity provider gave an unexpected answer ({answer.summary}). Sign in again; "
            "if that does not help, tell the operator.",
        )
    return SignInError(
        "code",
        f"The identity provider did not accept the sign-in ({answer.summary}): it was already "
        "used, took too long, or PAO is not registered there correctly. Sign in again.",
    )


def _untrusted(why: str) -> SignInError:
    return SignInError(
        "token",
        f"What the identity provider sent cannot be trusted: {why}. You were not signed in; "
        "tell the operator.",
    )
