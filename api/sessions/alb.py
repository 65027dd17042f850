"""Who an application load balancer says is there: its own signed word about a signed-in browser.

The balancer signs a token (`x-amzn-oidc-data`) for every request that it passes on. Its form is
AWS's: base64 with padding, issuer and expiry in the header, the signer's ARN beside them. Any load
balancer of the region signs with the region's keys, so the ARN is what counts.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cachetools import TTLCache
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from api.auth.claims import ClaimedUser, ClaimRules, read_claims
from api.auth.key_sets import CACHE_SECONDS, REFETCH_SECONDS, unavailable
from api.auth.signature_errors import Reason, SignatureError, malformed
from api.auth.tokens import LEEWAY_SECONDS, moment, read_header
from pao.clients.bounded_http import BoundedHttp, UnusableAnswerError

HEADER = "x-amzn-oidc-data"
_ALGORITHM = "ES256"
_KEY_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_LARGEST_KEY = 4096
# During a rotation there are two keys; made-up ids may cost a few more requests.
_ASKED_AT_MOST = 5
_MOST_KEYS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbConfig:
    """The load balancer, its issuer, where its region's keys are, and which claims count."""

    arn: str
    issuer: str
    keys_url: str
    claims: ClaimRules


class AlbSignIn:
    """Reads what the load balancer says; ``clock`` counts seconds, ``now`` gives the time."""

    def __init__(
        self,
        config: AlbConfig,
        http: BoundedHttp,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._now = now
        self._keys = _RegionKeys(config.keys_url, http, clock)

    async def read(self, token: str) -> ClaimedUser:
        """Return who is signed in at the balancer.

        Raises ``SignatureError`` with the reason class, ``ClaimsError`` for claims without a usable
        user, and ``SERVICE_UNAVAILABLE`` when the region's keys cannot be read.
        """
        header = read_header(token)
        self._check(header)
        key = await self._keys.find(str(header.get("kid", "")))
        if key is None:
            raise SignatureError(Reason.SIGNATURE_MISMATCH, "there is no such key in the region")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=[_ALGORITHM],
                leeway=LEEWAY_SECONDS,
                options={"verify_aud": False},
            )
        except jwt.ExpiredSignatureError:
            raise SignatureError(Reason.EXPIRED, "the balancer's token has expired") from None
        except jwt.InvalidTokenError:
            raise SignatureError(
                Reason.SIGNATURE_MISMATCH, "the balancer's token is invalid"
            ) from None
        if claims.get("iss", self._config.issuer) != self._config.issuer:
            raise malformed("the balancer's token names another issuer")
        return read_claims(claims, self._config.claims)

    def _check(self, header: Mapping[str, Any]) -> None:
        if header["alg"] != _ALGORITHM:
            raise malformed(f"the balancer's token must be signed with {_ALGORITHM}")
        if header.get("signer") != self._config.arn:
            raise SignatureError(
                Reason.SIGNATURE_MISMATCH,
                "the token was signed by a load balancer other than the configured one",
            )
        if header.get("iss") != self._config.issuer:
            raise malformed("the balancer's token is from another issuer")
        ends = moment(header.get("exp"))
        if ends is None:
            raise malformed("the balancer's token has no valid expiry")
        if ends.timestamp() + LEEWAY_SECONDS < self._now():
            raise SignatureError(Reason.EXPIRED, "the balancer's token has expired")


class _RegionKeys:
    """The public keys of a region, each fetched by its id and kept for ten minutes."""

    def __init__(self, url: str, http: BoundedHttp, clock: Callable[[], float]) -> None:
        self._url = url
        self._http = http
        self._clock = clock
        self._keys_by_id: TTLCache[str, EllipticCurvePublicKey] = TTLCache(
            _MOST_KEYS, CACHE_SECONDS, timer=clock
        )
        self._asked_ids: TTLCache[str, bool] = TTLCache(
            _ASKED_AT_MOST, REFETCH_SECONDS, timer=clock
        )
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        if _KEY_ID.fullmatch(kid) is None:
            return None
        if (found := self._keys_by_id.get(kid)) is not None:
            return found
        async with self._lock:
            if kid not in self._keys_by_id and kid not in self._asked_ids:
                # A full table is not evicted from: it holds the ids asked for in the last minute.
                self._asked_ids.expire()
                if len(self._asked_ids) >= _ASKED_AT_MOST:
                    return None
                self._asked_ids[kid] = True
                await self._fetch(kid)
        return self._keys_by_id.get(kid)

    async def _fetch(self, kid: str) -> None:
        try:
            answer = await self._http.send("GET", f"{self._url}/{kid}", most=_LARGEST_KEY)
        except UnusableAnswerError as error:
            del self._asked_ids[kid]
            raise unavailable() from error
        if answer.status >= 500:  # noqa: PLR2004 -- its own fault
            del self._asked_ids[kid]
            raise unavailable()
        try:
            key = load_pem_public_key(answer.body)
        except ValueError:
            return
        if answer.status != 200 or not isinstance(key, EllipticCurvePublicKey):  # noqa: PLR2004
            return
        if isinstance(key.curve, SECP256R1):
            self._keys_by_id[kid] = key
