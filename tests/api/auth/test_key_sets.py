"""The keys of an issuer: kept for a while, bounded, and not asked for again at once."""

from collections.abc import AsyncIterator, Iterator

import jwt
import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.auth.key_sets import LARGEST_JWKS, KeySet
from pao.clients.bounded_http import BoundedHttp
from pao.core.errors import ErrorCode, PaoError
from tests.support.issuer import (
    RSA_KEY,
    Issuer,
    published_keys,
)


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


class Clock:
    """Seconds that a test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(running: Issuer, clock: Clock) -> AsyncIterator[KeySet]:
    async def address() -> str:
        return f"{running.url}/jwks"

    running.reset()
    http = BoundedHttp()
    yield KeySet(http, address, clock=clock)
    await http.close()


async def test_keys_are_kept_for_ten_minutes(running: Issuer, keys: KeySet, clock: Clock) -> None:
    for seconds, asked in ((0, 1), (599, 1), (600, 2)):
        clock.now = seconds
        assert await keys.find("rsa")
        assert len(running.asked) == asked


async def test_made_up_key_ids_ask_once_a_minute(
    running: Issuer, keys: KeySet, clock: Clock
) -> None:
    assert await keys.find("rsa")
    clock.now = 59
    assert await keys.find("made-up") is None
    assert len(running.asked) == 1
    clock.now = 60
    for one in range(200):
        assert await keys.find(f"made-up-{one}") is None
    assert len(running.asked) == 2


async def test_an_issuer_has_100_keys_at_most(running: Issuer, keys: KeySet) -> None:
    document = jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True)
    many = [document | {"kid": str(number)} for number in range(101)]
    running.answers["/jwks"] = JSONResponse({"keys": many})
    assert await keys.find("99")
    assert await keys.find("100") is None


LEFT: dict[str, Response] = {
    "too large": Response(b" " * (LARGEST_JWKS + 1), media_type="application/json"),
    "redirected": RedirectResponse("http://127.0.0.1:1/jwks"),
    "not JSON": Response("<html>", media_type="text/html"),
    "broken": Response("{", media_type="application/json"),
    "nested": Response("[" * 20_000, media_type="application/json"),
    "a list": JSONResponse(published_keys()),
    "no list": JSONResponse({"keys": {"kid": "rsa"}}),
    "an error": JSONResponse({"keys": published_keys()}, 500),
}


@pytest.mark.parametrize("what", LEFT, ids=str)
async def test_an_unusable_answer_is_an_outage_and_not_asked_for_again_at_once(
    running: Issuer, keys: KeySet, clock: Clock, what: str
) -> None:
    running.answers["/jwks"] = LEFT[what]
    clock.now = 100
    for _ in range(3):
        with pytest.raises(PaoError, match="provider does not respond") as caught:
            await keys.find("rsa")
        assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
        assert caught.value.headers == {"Retry-After": "10"}
    assert len(running.asked) == 1
    running.answers.clear()
    clock.now = 105
    assert await keys.find("rsa")


async def test_keys_may_have_their_own_media_type(running: Issuer, keys: KeySet) -> None:
    document = {"keys": published_keys()}
    running.answers["/jwks"] = JSONResponse(document, media_type="application/jwk-set+json")
    assert await keys.find("rsa")


async def test_old_keys_do_not_outlive_the_issuer_that_is_away(
    running: Issuer, keys: KeySet, clock: Clock
) -> None:
    assert await keys.find("rsa")
    running.answers["/jwks"] = Response(status_code=503)
    clock.now = 599
    assert await keys.find("rsa")
    clock.now = 600
    with pytest.raises(PaoError):
        await keys.find("rsa")
