"""Which identity source a call is for. A call bears one credential; what is off is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from api.auth.claim import is_presigned
from api.auth.keys import KeysIdentity, unauthorized
from api.auth.principal import Principal
from api.auth.raw import RawRequest
from api.auth.signature_errors import Reason, SignatureError, malformed
from api.auth.sources import gateway, jwt, sts
from pao.clients.aws.signing import HEADER as STS_HEADER

KEYS = "keys"
_STS = STS_HEADER.lower().encode()
# Nothing behind the gate reads these, so they are removed, whoever sent them.
REMOVED_HEADERS = (_STS, gateway.SECRET, gateway.ARN, gateway.USER_ID)
REMOVED_PREFIXES = (b"x-amzn-oidc-", b"x-amzn-lattice-")


class Authenticator(Protocol):
    """An identity source: says who a caller is."""

    def check_head(self, request: RawRequest, now: datetime) -> None:
        """Refuse what can be refused before the body is read."""
        ...

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        """Return the caller."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """Identifies callers by the sources that are switched on.

    ``keys`` is always there: a session's key is valid while the source that opened it is on.
    """

    keys: KeysIdentity
    others: Mapping[str, Authenticator]
    accepts_issued_keys: bool = True

    def check_head(self, request: RawRequest, now: datetime) -> None:
        """Raise ``UNAUTHORIZED`` for what can be refused before the body is read."""
        try:
            self._source(request).check_head(request, now)
        except SignatureError as error:
            raise unauthorized(error.reason, error.message) from None

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        """Return who calls; raise ``UNAUTHORIZED`` with the reason class."""
        try:
            caller = await self._source(request).authenticate(request, now)
        except SignatureError as error:
            raise unauthorized(error.reason, error.message) from None
        if not self.accepts(caller.source):
            raise unauthorized(Reason.MISSING, _disabled_message(caller.source))
        return caller

    def accepts(self, source: str) -> bool:
        """Return whether a source is configured; what it has opened goes with it."""
        return self.accepts_issued_keys if source == KEYS else source in self.others

    async def is_still_valid(self, caller: Principal, now: datetime) -> bool:
        """Return whether the caller is still valid, for long-running answers."""
        if caller.access_key_id is not None:
            return await self.keys.is_still_valid(caller, now)
        return caller.valid_until is not None and now < caller.valid_until

    def _source(self, request: RawRequest) -> Authenticator:
        names = _credentials_in(request)
        # A gateway passes on what it has verified, the caller's own signature included.
        if gateway.NAME in names and gateway.NAME in self.others:
            return self.others[gateway.NAME]
        names.discard(gateway.NAME)
        if len(names) > 1:
            raise malformed(f"the call carries several credentials ({', '.join(sorted(names))})")
        name = next(iter(names), KEYS)
        if name == KEYS:
            return self.keys
        if name not in self.others:
            raise SignatureError(Reason.MISSING, _disabled_message(name))
        return self.others[name]


def source_of(request: RawRequest) -> str:
    """Return the source of the credential that a call bears; ``none``, or ``several``."""
    names = sorted(_credentials_in(request))
    return "several" if len(names) > 1 else names[0] if names else "none"


def _credentials_in(request: RawRequest) -> set[str]:
    found = set()
    if request.values(_STS):
        found.add(sts.NAME)
    for value in request.values(b"authorization"):
        found.add(jwt.NAME if value.lower().startswith(jwt.SCHEME) else KEYS)
    if is_presigned(request.raw_query):
        found.add(KEYS)
    if gateway.has_gateway_headers(request):
        found.add(gateway.NAME)
    return found


def without_claims(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of a call without those that claim an identity."""
    return [
        (name, value)
        for name, value in headers
        if name not in REMOVED_HEADERS and not name.startswith(REMOVED_PREFIXES)
    ]


def _disabled_message(name: str) -> str:
    return f"the identity source {name} is not switched on here (PAO_IDENTITY_SOURCES)"
