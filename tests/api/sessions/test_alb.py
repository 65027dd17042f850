"""What a load balancer says of a browser: its own signed word only."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import RedirectResponse, Response

from api.auth.claims import ClaimRules, ClaimsError
from api.auth.groups import GroupMap
from api.auth.signature_errors import Reason, SignatureError
from api.sessions.alb import AlbConfig, AlbSignIn
from pao.clients.bounded_http import BoundedHttp
from pao.core.errors import ErrorCode, PaoError
from tests.support.issuer import ALB, OTHER_EC_KEY, RSA_KEY, Issuer

CLAIMS = ClaimRules(user="preferred_username", groups="groups", map=GroupMap())
DANA: dict[str, Any] = {
    "sub": "1",
    "preferred_username": "dana",
    "email": "dana@example.com",
    "email_verified": "true",
}


class Clock:
    """Seconds that a test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alb(issuer: Issuer, http: BoundedHttp, clock: Clock) -> AlbSignIn:
    config = AlbConfig(arn=ALB, issuer=issuer.url, keys_url=f"{issuer.url}/keys", claims=CLAIMS)
    return AlbSignIn(config, http, clock=clock)


async def test_the_balancers_word_counts(alb: AlbSignIn, issuer: Issuer) -> None:
    token = issuer.balancer_token(**DANA)
    assert "=" in token
    known = await alb.read(token)
    assert (known.user_id, known.email, known.lacks_groups) == ("dana", "dana@example.com", True)
    assert (await alb.read(issuer.balancer_token(**DANA, groups=["a"]))).teams == ("a",)
    assert issuer.asked == ["/keys/key-1"]


def token_maker(header: dict[str, Any] | None = None, **given: Any) -> Callable[[Issuer], str]:
    return lambda issuer: issuer.balancer_token(header=header, **(DANA | given))


OTHER_ALB = ALB.replace("app/pao/", "app/attacker/")
REFUSED: dict[str, tuple[Callable[[Issuer], str], Reason]] = {
    "another balancer of the region": (
        token_maker({"signer": OTHER_ALB}),
        Reason.SIGNATURE_MISMATCH,
    ),
    "no signer": (token_maker({"signer": None}), Reason.SIGNATURE_MISMATCH),
    "another issuer": (token_maker({"iss": "https://evil.example"}), Reason.MALFORMED),
    "another issuer of the claims": (token_maker(iss="https://evil.example"), Reason.MALFORMED),
    "expired": (token_maker({"exp": int(time.time()) - 120}), Reason.EXPIRED),
    "expired claims": (token_maker(exp=int(time.time()) - 120), Reason.EXPIRED),
    "no expiry": (token_maker({"exp": None}), Reason.MALFORMED),
    "expiry as text": (token_maker({"exp": "9999999999"}), Reason.MALFORMED),
    "expiry as a truth value": (token_maker({"exp": True}), Reason.MALFORMED),
    "expiry in milliseconds": (token_maker({"exp": int(time.time()) * 1000}), Reason.MALFORMED),
    "expiry beyond the calendar": (token_maker({"exp": 10**400}), Reason.MALFORMED),
    "expiry of claims as text": (token_maker(exp="9999999999"), Reason.MALFORMED),
    "issued at a truth value": (token_maker(iat=True), Reason.MALFORMED),
    "another key": (token_maker(key=OTHER_EC_KEY), Reason.SIGNATURE_MISMATCH),
    "an unknown key": (token_maker({"kid": "key-2"}), Reason.SIGNATURE_MISMATCH),
    "a key id that is a path": (token_maker({"kid": "../keys/key-1"}), Reason.SIGNATURE_MISMATCH),
    "no key id": (token_maker({"kid": None}), Reason.SIGNATURE_MISMATCH),
    "RS256": (
        lambda issuer: issuer.token(key=RSA_KEY, algorithm="RS256"),
        Reason.MALFORMED,
    ),
    "none": (token_maker({"alg": "none"}), Reason.MALFORMED),
    "its own key": (token_maker({"jwk": {"kty": "EC"}}), Reason.MALFORMED),
    "no token": (lambda _: "dana", Reason.MALFORMED),
}


@pytest.mark.parametrize("what", REFUSED, ids=str)
async def test_a_token_is_refused_for(alb: AlbSignIn, issuer: Issuer, what: str) -> None:
    make, reason = REFUSED[what]
    with pytest.raises(SignatureError) as caught:
        await alb.read(make(issuer))
    assert caught.value.reason is reason, caught.value.message


async def test_claims_without_a_user_id_name_nobody(alb: AlbSignIn, issuer: Issuer) -> None:
    with pytest.raises(ClaimsError):
        await alb.read(issuer.balancer_token(sub="1"))


async def test_made_up_key_ids_do_not_flood_the_key_server(
    alb: AlbSignIn, issuer: Issuer, clock: Clock
) -> None:
    async def read_made_up() -> None:
        for one in range(50):
            with pytest.raises(SignatureError):
                await alb.read(issuer.balancer_token(header={"kid": f"made-up-{one}"}))

    await alb.read(issuer.balancer_token(**DANA))
    await read_made_up()
    first = len(issuer.asked)
    assert first <= 6
    assert (await alb.read(issuer.balancer_token(**DANA))).user_id == "dana"
    assert len(issuer.asked) == first
    clock.now = 61
    await read_made_up()
    assert len(issuer.asked) <= first + 5


AWAY = {
    "down": Response(status_code=503),
    "redirecting": RedirectResponse("http://127.0.0.1:1/key-1"),
    "too large": Response(b"x" * 100_000),
}


@pytest.mark.parametrize("what", AWAY, ids=str)
async def test_a_key_server_that_is_away_is_an_outage(
    alb: AlbSignIn, issuer: Issuer, what: str
) -> None:
    issuer.answers["/keys/key-1"] = AWAY[what]
    with pytest.raises(PaoError) as caught:
        await alb.read(issuer.balancer_token(**DANA))
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
    issuer.answers.clear()
    assert (await alb.read(issuer.balancer_token(**DANA))).user_id == "dana"
