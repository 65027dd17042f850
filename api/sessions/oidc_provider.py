"""An OpenID provider as PAO calls it: its endpoints, and what their answers mean."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from api.auth.key_sets import CACHE_SECONDS, FAILURE_SECONDS, unavailable
from pao.clients.bounded_http import BoundedAnswer, BoundedHttp, UnusableAnswerError
from pao.core.answers import message_text, parse_answer, safe_url, shorten
from pao.core.failure_classes import UNREADABLE, Cause, FailureClass, classify_answer
from pao.runtime.masking import hide_secrets

_log = logging.getLogger(__name__)

_OK = 200
_LARGEST_ANSWER = 256 * 1024
_LONGEST_REASON = 500
_ERROR = re.compile(r"[a-z_]{1,60}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TRANSIENT = frozenset({Cause.QUOTA, Cause.TARGET_DOWN})


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What an endpoint answered: a document, or why it refused, with OAuth's error code.

    ``error`` is empty where there is no such code.
    """

    status: int
    document: dict[str, Any] | None = field(repr=False)
    failure_class: FailureClass = UNREADABLE
    error: str = ""

    @property
    def summary(self) -> str:
        """The refusal in short, for people."""
        return f"HTTP {self.status}, {self.error}" if self.error else f"HTTP {self.status}"


class Provider:
    """One provider; its discovery document is kept for ten minutes."""

    def __init__(self, issuer: str, http: BoundedHttp) -> None:
        self._issuer = issuer
        self._http = http
        self._document: dict[str, Any] = {}
        self._read_at: float | None = None
        self._failed_at: float | None = None
        self._lock = asyncio.Lock()

    async def keys_address(self) -> str:
        """Return where its keys are."""
        return await self.endpoint("jwks_uri")

    async def accepts_basic_auth(self) -> bool:
        """Return whether PAO may identify itself in the header of a call."""
        methods = (await self._discovery()).get("token_endpoint_auth_methods_supported")
        return not isinstance(methods, list) or "client_secret_basic" in methods

    async def endpoint(self, name: str) -> str:
        """Return one of the provider's addresses; raises ``SERVICE_UNAVAILABLE`` without it."""
        address = await self.optional_endpoint(name)
        if address is None:
            _log.error("the discovery document of the identity provider has no usable %s", name)
            raise unavailable()
        return address

    async def optional_endpoint(self, name: str) -> str | None:
        """Return one of the provider's addresses, or None."""
        address = (await self._discovery()).get(name)
        return address if isinstance(address, str) and _is_safe(address) else None

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        hidden: Sequence[str] = (),
    ) -> ProviderAnswer:
        """Return what an endpoint answers; what it says of a failure is logged without ``hidden``.

        Raises ``SERVICE_UNAVAILABLE`` where the same call may succeed later.
        """
        try:
            answer = await self._http.send(
                method, url, most=_LARGEST_ANSWER, headers=headers, content=content
            )
            if answer.status == _OK:
                found = answer.json()
                return ProviderAnswer(_OK, found if isinstance(found, dict) else None)
        except UnusableAnswerError as error:
            raise unavailable() from error
        text = answer.body.decode(errors="replace")
        refusal = ProviderAnswer(
            answer.status, None, classify_answer(answer.status, {}, text), _error_of(answer)
        )
        message = shorten(hide_secrets(message_text(text), hidden), _LONGEST_REASON)
        reason = message or "it gave no reason"
        _log.warning(
            "the identity provider answered %s at %s: %s", refusal.summary, safe_url(url), reason
        )
        if refusal.failure_class.cause in _TRANSIENT:
            raise unavailable()
        return refusal

    async def _discovery(self) -> dict[str, Any]:
        async with self._lock:
            now = time.monotonic()
            if self._read_at is None or now - self._read_at >= CACHE_SECONDS:
                # While the provider is unavailable, calls fail at once instead of queueing.
                if self._failed_at is not None and now - self._failed_at < FAILURE_SECONDS:
                    raise unavailable()
                self._failed_at = now
                self._document, self._read_at = await self._read(), now
                self._failed_at = None
        return self._document

    async def _read(self) -> dict[str, Any]:
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            answer = await self._http.send("GET", address, most=_LARGEST_ANSWER)
            document = answer.json() if answer.status == _OK else None
        except UnusableAnswerError as error:
            _log.warning("the identity provider cannot be read: %s", error)
            raise unavailable() from error
        if answer.status != _OK:
            _log.warning("the identity provider cannot be read: HTTP %d", answer.status)
            raise unavailable()
        if not isinstance(document, dict) or document.get("issuer") != self._issuer:
            _log.error("the identity provider's document is not that of PAO_OIDC_ISSUER")
            raise unavailable()
        return document


def _is_safe(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def is_error_code(text: str) -> bool:
    """Return whether a text has the form of OAuth's error codes, so that it may be shown."""
    return _ERROR.fullmatch(text) is not None


def _error_of(answer: BoundedAnswer) -> str:
    try:
        document = parse_answer(answer.body)
    except ValueError:
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, str) and is_error_code(error) else ""
