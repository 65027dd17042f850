"""The identity source `gateway`: API Gateway or VPC Lattice has verified the signature already.

Anybody could send its headers, so they count only from a configured proxy that knows the shared
secret. They are removed from all other calls before anything else reads them.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from api.auth.aws_people import AwsPeople
from api.auth.principal import Principal, aws_user
from api.auth.raw import RawRequest
from api.auth.signature_errors import Reason, SignatureError, malformed
from pao.clients.aws.caller import AwsCaller, CallerError, CallerKind, read_arn, read_caller
from pao.core.errors import ErrorCode, PaoError
from pao.runtime.networks import Networks

NAME = "gateway"
SECRET = b"x-pao-gateway-secret"
ARN, USER_ID = b"x-pao-caller-arn", b"x-pao-caller-id"
LATTICE = b"x-amzn-lattice-identity"
LASTS = timedelta(hours=1)
_LONGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """The proxies that may speak for callers, and the secrets that they may send along."""

    proxies: tuple[str, ...]
    secrets: Sequence[SecretStr]


class GatewayIdentity:
    """Accepts the identity headers of a trusted proxy."""

    def __init__(self, config: GatewayConfig, people: AwsPeople) -> None:
        self._proxies = Networks(config.proxies)
        self._secrets = config.secrets
        self._people = people

    def check_head(self, request: RawRequest, now: datetime) -> None:  # noqa: ARG002 -- as all sources
        """Raise ``SignatureError`` unless a trusted proxy speaks, and of one caller."""
        self._require_trust(request)
        _identity_headers(request)

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        """Return the caller that the gateway names."""
        self._require_trust(request)
        caller = await self._caller(*_identity_headers(request))
        return aws_user(
            await self._people.user_id(caller),
            caller,
            teams=await self._people.teams(caller),
            source=NAME,
            valid_until=now + LASTS,
        )

    def _require_trust(self, request: RawRequest) -> None:
        given = request.values(SECRET)
        is_known = len(given) == 1 and self._is_known(given[0])
        if not is_known or not self._proxies.contain(request.peer):
            raise SignatureError(
                Reason.SIGNATURE_MISMATCH,
                "identity headers are taken from the gateway only; call through it, or sign",
            )

    def _is_known(self, given: bytes) -> bool:
        """Compare with each secret as it is now, in constant time."""
        matches = False
        for secret in self._secrets:
            matches |= hmac.compare_digest(given, secret.get_secret_value().encode())
        return matches

    async def _caller(self, arn: str, user_id: str | None) -> AwsCaller:
        try:
            account, kind, name, session = read_arn(arn)
            if user_id is None:
                user_id = await self._unique_id(account, kind, name)
                user_id = user_id if session is None else f"{user_id}:{session}"
            return read_caller(account=account, arn=arn, user_id=user_id)
        except CallerError as error:
            raise malformed(f"the gateway's identity is not usable: {error}") from None

    async def _unique_id(self, account: str, kind: CallerKind, name: str) -> str:
        """Return the unique id that VPC Lattice leaves out."""
        directory = self._people.directory
        if kind is CallerKind.USER:
            found = await directory.user_id(account, name)
        else:
            role = await directory.role(account, name)
            found = role.unique_id if role else None
        if found is None:
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                "AWS cannot identify you now. Try again.",
                headers={"Retry-After": "10"},
            )
        return found


def has_gateway_headers(request: RawRequest) -> bool:
    """Return whether a call has a gateway's headers, trusted or not."""
    return any(request.values(name) for name in (SECRET, ARN, USER_ID, LATTICE))


def _identity_headers(request: RawRequest) -> tuple[str, str | None]:
    """Return the ARN that a gateway names, and the user id if it names that too."""
    arns, ids, lattice = (request.values(name) for name in (ARN, USER_ID, LATTICE))
    if len(lattice) == 1 and not arns and not ids:
        return _lattice_principal(lattice[0]), None
    if len(arns) == 1 and len(ids) == 1 and not lattice:
        return _text(arns[0]), _text(ids[0])
    raise malformed("the gateway must name exactly one caller")


def _lattice_principal(value: bytes) -> str:
    """Return the principal of `Principal=...; SessionName=...; Type=AWS_IAM`."""
    found: dict[str, str] = {}
    for part in _text(value).split(";"):
        name, _, given = part.strip().partition("=")
        if name in found:
            raise malformed("the gateway's header repeats a name")
        found[name] = given
    if found.get("Type") != "AWS_IAM" or not found.get("Principal"):
        raise malformed("VPC Lattice has not authenticated the caller by AWS IAM")
    return found["Principal"]


def _text(value: bytes) -> str:
    if len(value) > _LONGEST:
        raise malformed("the gateway's header is too long")
    return value.decode("latin-1").strip()
