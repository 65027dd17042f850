"""A token in the Authorization header: how it must come, and whom it names."""

import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from api.auth.claims import ClaimRules
from api.auth.groups import GroupMap
from api.auth.raw import RawRequest
from api.auth.signature_errors import Reason, SignatureError
from api.auth.sources.jwt import JwtIdentity
from api.auth.tokens import TokenRules, select_key, usable_keys
from pao.core.errors import ErrorCode, PaoError
from tests.support.issuer import CLIENT, Issuer, published_keys

NOW = datetime.now(UTC)


class PublishedKeys:
    """The issuer's keys, without a server."""

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        return select_key(usable_keys(published_keys()), kid)


ISSUER = Issuer()
ISSUER.url = "https://issuer.example.com"


@pytest.fixture
def source() -> JwtIdentity:
    rules = TokenRules(issuer=ISSUER.url, audience=CLIENT)
    claims = ClaimRules(user="preferred_username", groups="groups", map=GroupMap())
    return JwtIdentity(rules, PublishedKeys(), claims)


def bearing(
    *values: bytes, method: str = "GET", path: bytes = b"/", key: bytes | None = None
) -> RawRequest:
    headers = [(b"authorization", value) for value in values]
    own = [(b"idempotency-key", key)] if key is not None else []
    return RawRequest(method, path, b"", (*headers, *own), b"")


def token(**claims: Any) -> bytes:
    return ISSUER.token(**{"preferred_username": "dana", **claims}).encode()


async def test_a_token_names_user_teams_and_its_own_end(source: JwtIdentity) -> None:
    end = int(time.time()) + 250
    made = token(groups=["team-orders"], email="d@example.com", email_verified=True, exp=end)
    caller = await source.authenticate(bearing(b"Bearer " + made), NOW)
    assert (caller.id, caller.email, caller.teams) == ("dana", "d@example.com", ("team-orders",))
    assert (caller.source, caller.access_key_id, caller.session) == ("jwt", None, None)
    assert caller.valid_until == datetime.fromtimestamp(end, UTC)


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER   "])
async def test_the_scheme_is_written_as_clients_do(source: JwtIdentity, scheme: bytes) -> None:
    call = bearing(scheme + token() + b" ")
    source.check_head(call, NOW)
    assert (await source.authenticate(call, NOW)).id == "dana"


MISPLACED: dict[str, Callable[[bytes], RawRequest]] = {
    "twice": lambda made: bearing(b"Bearer " + made, b"Bearer " + made),
    "not at all": lambda _: bearing(),
    "as Basic": lambda made: bearing(b"Basic " + made),
    "alone": bearing,
    "glued to its scheme": lambda made: bearing(b"Bearer" + made),
}


@pytest.mark.parametrize("how", MISPLACED)
async def test_a_token_comes_once_as_bearer(source: JwtIdentity, how: str) -> None:
    call = MISPLACED[how](token())
    with pytest.raises(SignatureError, match="must be sent once, as Bearer and a token"):
        source.check_head(call, NOW)
    with pytest.raises(SignatureError, match="must be sent once, as Bearer and a token"):
        await source.authenticate(call, NOW)


def test_a_token_that_is_none_is_refused_before_the_body(source: JwtIdentity) -> None:
    with pytest.raises(SignatureError, match="three parts"):
        source.check_head(bearing(b"Bearer x"), NOW)


async def test_claims_that_name_nobody_are_malformed(source: JwtIdentity) -> None:
    call = bearing(b"Bearer " + token(preferred_username="with space"))
    with pytest.raises(SignatureError, match="preferred_username") as caught:
        await source.authenticate(call, NOW)
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_acts_by_a_token_names_itself(source: JwtIdentity, method: str) -> None:
    call = bearing(b"Bearer " + token(), method=method, path=b"/api/v1/requests")
    with pytest.raises(PaoError, match="Idempotency-Key") as caught:
        source.check_head(call, NOW)
    assert (caught.value.code, caught.value.status) == (ErrorCode.VALIDATION_ERROR, 400)
    [detail] = caught.value.details
    assert (detail.field, detail.constraint) == ("Idempotency-Key", "required")
    assert detail.message == caught.value.message
    named = bearing(b"Bearer " + token(), method=method, path=b"/api/v1/requests", key=b"k-1")
    source.check_head(named, NOW)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_reads_by_a_token_needs_no_name(source: JwtIdentity, method: str) -> None:
    source.check_head(bearing(b"Bearer " + token(), method=method), NOW)


def test_opening_a_session_by_a_token_needs_no_name(source: JwtIdentity) -> None:
    call = bearing(b"Bearer " + token(), method="POST", path=b"/api/v1/sessions")
    source.check_head(call, NOW)
    with pytest.raises(PaoError, match="Idempotency-Key"):
        source.check_head(dataclasses.replace(call, raw_path=b"/api/v1/sessions/1"), NOW)
