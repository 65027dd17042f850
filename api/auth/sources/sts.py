"""The identity source `sts`: AWS credentials, proven by a signed call to STS in a header."""

import base64
import binascii
import hashlib
import logging
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.auth.aws_people import AwsPeople
from api.auth.principal import Principal, aws_user
from api.auth.raw import RawRequest
from api.auth.replay import REMEMBERED, ReplayStore
from api.auth.signature_errors import Reason, SignatureError, malformed
from pao.clients.aws.caller import AwsCaller
from pao.clients.aws.signing import HEADER, Proof, request_hash, signed_headers, sts_headers
from pao.clients.aws.sts import Sts, StsRefusedError
from pao.clients.bounded_http import UnusableAnswerError
from pao.core.errors import ErrorCode, PaoError
from pao.core.strict_json import read_json

_log = logging.getLogger(__name__)

NAME = "sts"
LONGEST_HEADER = 8 * 1024
CLOCK_SKEW = timedelta(minutes=5)
# How long a call such as a stream stays authenticated.
LASTS = timedelta(hours=1)
# Each proof costs a call to STS, so no more than this run at the same time.
MAX_CONCURRENT = 50
_HEADER = HEADER.lower().encode()
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[A-Z0-9]{16,128})/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)"
    r"/sts/aws4_request, SignedHeaders=(?P<headers>[a-z0-9;-]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StsConfig:
    """The endpoint that is asked, its region, and the name by which this service is signed for."""

    url: str
    region: str
    server_id: str


@dataclass(frozen=True, slots=True)
class _ParsedProof:
    proof: Proof
    signature: str


class StsIdentity:
    """Lets STS check a signature that is valid for this call only, once."""

    def __init__(
        self, config: StsConfig, sts: Sts, people: AwsPeople, replays: ReplayStore
    ) -> None:
        self._config = config
        self._sts = sts
        self._people = people
        self._replays = replays
        self._running = 0

    def check_head(self, request: RawRequest, now: datetime) -> None:
        """Raise ``SignatureError`` for what can be refused before the body is read."""
        self._read(request, now)

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        """Return who signed. Each signature is accepted once here; STS itself accepts repeats."""
        read = self._read(request, now)
        headers = sts_headers(
            sts_url=self._config.url,
            date=read.proof.date,
            nonce=read.proof.nonce,
            token=read.proof.token,
            request_sha256=request_hash(
                request.method, request.raw_path, request.raw_query, request.body
            ),
            server_id=self._config.server_id,
        )
        caller = await self._ask(headers | {"Authorization": read.proof.authorization})
        await self._use_up(read.signature, now)
        return aws_user(
            await self._people.user_id(caller),
            caller,
            teams=await self._people.teams(caller),
            source=NAME,
            valid_until=now + LASTS,
        )

    def _read(self, request: RawRequest, now: datetime) -> _ParsedProof:
        values = request.values(_HEADER)
        if len(values) != 1:
            raise malformed(f"the header {HEADER} must be sent once")
        proof = _proof(values[0])
        match = _AUTHORIZATION.fullmatch(proof.authorization)
        if match is None:
            raise malformed("the authorization is not that of a signed call to STS")
        wanted = signed_headers(with_token=proof.token is not None)
        if match["headers"] != wanted:
            raise malformed(f"SignedHeaders must be exactly {wanted}")
        if match["region"] != self._config.region:
            raise malformed(f"sign for STS in the region {self._config.region}")
        if match["day"] != proof.date[:8]:
            raise malformed("the credential's date differs from the call's date; sign again")
        _check_clock(proof.date, now)
        return _ParsedProof(proof, match["signature"])

    async def _ask(self, headers: dict[str, str]) -> AwsCaller:
        if self._running >= MAX_CONCURRENT:
            raise _unavailable()
        self._running += 1
        try:
            return await self._sts.identify(headers)
        except StsRefusedError as error:
            reason = Reason.EXPIRED if error.expired else Reason.SIGNATURE_MISMATCH
            raise SignatureError(
                reason,
                f"AWS does not accept the signature ({error.code}); check the credentials, and "
                f"that it was made for {self._config.server_id} and for this call",
            ) from None
        except UnusableAnswerError as error:
            _log.warning("STS gave no usable answer: %s", error)
            raise _unavailable() from error
        finally:
            self._running -= 1

    async def _use_up(self, signature: str, now: datetime) -> None:
        digest = hashlib.sha256(f"{NAME}\n{signature}".encode()).digest()
        holder = os.urandom(16)
        claim = await self._replays.claim(digest, holder=holder, expires_at=now + REMEMBERED)
        if claim.holder != holder:
            raise SignatureError(
                Reason.EXPIRED, "this signature was already used; sign each call separately"
            )


def _proof(value: bytes) -> Proof:
    if len(value) > LONGEST_HEADER:
        raise malformed(f"the header {HEADER} is longer than {LONGEST_HEADER} bytes")
    try:
        text = base64.b64decode(value + b"=" * (-len(value) % 4), b"-_", validate=True).decode()
        found = read_json(text)
    except (binascii.Error, ValueError, RecursionError):
        raise malformed(f"the header {HEADER} must be base64url of JSON") from None
    required = {"authorization", "date", "nonce"}
    if not isinstance(found, dict) or found.keys() not in (required, required | {"token"}):
        raise malformed(
            f"the header {HEADER} must hold authorization, date, nonce and, optionally, token"
        )
    if not all(isinstance(one, str) for one in found.values()):
        raise malformed(f"the values in the header {HEADER} must be strings")
    proof = Proof(**found)
    if _NONCE.fullmatch(proof.nonce) is None:
        raise malformed("the nonce must be 16 to 64 letters, digits, - and _")
    if _DATE.fullmatch(proof.date) is None:
        raise malformed("the date must be a UTC time written like 20260131T235959Z")
    if proof.token is not None and _TOKEN.fullmatch(proof.token) is None:
        raise malformed("the token is not an AWS session token")
    return proof


def _check_clock(date: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise malformed("the date is not a valid date") from None
    if not -CLOCK_SKEW <= now - signed_at <= CLOCK_SKEW:
        raise SignatureError(
            Reason.EXPIRED,
            f"signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}, which is not valid at this server's time "
            f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}; check the clock and sign again",
        )


def _unavailable() -> PaoError:
    return PaoError(
        ErrorCode.SERVICE_UNAVAILABLE,
        "AWS cannot identify you now. Try again.",
        headers={"Retry-After": "5"},
    )
