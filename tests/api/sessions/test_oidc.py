"""Signing in by OpenID Connect: the code flow, and every way in which it must not end well."""

import base64
import dataclasses
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.auth.claims import ClaimRules
from api.auth.groups import GroupMap
from api.sessions.oidc import OidcConfig, OidcSignIn, SignInError, SignInResult
from pao.clients.bounded_http import BoundedHttp
from pao.core.errors import ErrorCode, PaoError
from pao.runtime.crypto import SecretBox, generate_key
from tests.api.auth.signing import ReplaysInMemory
from tests.support.issuer import CLIENT, CLIENT_SECRET, EC_KEY, OTHER_RSA_KEY, Issuer

BACK = "https://pao.example.com/signin/oidc/callback"
CLAIMS = ClaimRules(user="preferred_username", groups="groups", map=GroupMap())
DANA: dict[str, Any] = {
    "preferred_username": "dana",
    "email": "dana@example.com",
    "email_verified": True,
    "groups": ["team-orders"],
}


@dataclasses.dataclass
class Moment:
    """The time, some seconds later than it is."""

    later: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.later


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def oidc(issuer: Issuer, http: BoundedHttp, moment: Moment) -> OidcSignIn:
    issuer.claims |= DANA
    config = OidcConfig(
        issuer=issuer.url,
        client_id=CLIENT,
        client_secret=SecretStr(CLIENT_SECRET),
        scopes=("email", "profile"),
        name="Example",
        claims=CLAIMS,
    )
    box = SecretBox(f"k1:{generate_key()}")
    return OidcSignIn(config, http, box, ReplaysInMemory(datetime.now(UTC)), now=moment)


Change = Callable[[dict[str, str]], dict[str, str]]


async def sign_in(
    oidc: OidcSignIn, issuer: Issuer, change: Change = lambda query: query
) -> SignInResult:
    begun = await oidc.begin(redirect_uri=BACK, to="/catalog")
    query = change(issuer.authorized(begun.url))
    return await oidc.finish(cookie=begun.cookie, query=query, redirect_uri=BACK)


async def sign_in_error(
    oidc: OidcSignIn, issuer: Issuer, change: Change = lambda query: query
) -> SignInError:
    with pytest.raises(SignInError) as caught:
        await sign_in(oidc, issuer, change)
    return caught.value


async def test_whoever_the_provider_names_is_known(oidc: OidcSignIn, issuer: Issuer) -> None:
    finished = await sign_in(oidc, issuer)
    assert finished.to == "/catalog"
    assert dataclasses.asdict(finished.user) == {
        "user_id": "dana",
        "email": "dana@example.com",
        "teams": ("team-orders",),
        "lacks_groups": False,
    }


async def test_the_provider_is_asked_with_all_that_protects_the_flow(
    oidc: OidcSignIn, issuer: Issuer
) -> None:
    begun = await oidc.begin(redirect_uri=BACK, to="/")
    asked = {name: one for name, [one] in parse_qs(urlsplit(begun.url).query).items()}
    assert asked["response_mode"] == "query"
    assert asked["scope"] == "openid email profile"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    for secret in (asked["state"], asked["nonce"], "/catalog"):
        assert secret not in begun.cookie
    query = issuer.authorized(begun.url)
    await oidc.finish(cookie=begun.cookie, query=query, redirect_uri=BACK)
    [form] = issuer.forms
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    assert asked["code_challenge_method"] == "S256"
    assert CLIENT_SECRET not in str(form)


async def test_no_two_sign_ins_share_anything(oidc: OidcSignIn) -> None:
    first, second = [await oidc.begin(redirect_uri=BACK, to="/") for _ in range(2)]
    one, other = (parse_qs(urlsplit(begun.url).query) for begun in (first, second))
    for name in ("state", "nonce", "code_challenge"):
        assert one[name] != other[name]


ANSWERS: dict[str, tuple[Change, str]] = {
    "another state": (lambda query: query | {"state": "x" * 43}, "state"),
    "no state": (lambda query: {"code": query["code"]}, "state"),
    "no code": (lambda query: {"state": query["state"]}, "answer"),
    "a huge code": (lambda query: query | {"code": "x" * 5000}, "answer"),
    "another code": (lambda query: query | {"code": "made-up"}, "code"),
    "another provider": (lambda query: query | {"iss": "https://evil.example"}, "answer"),
    "a refusal": (lambda query: {"state": query["state"], "error": "access_denied"}, "provider"),
}


@pytest.mark.parametrize("what", ANSWERS, ids=str)
async def test_nobody_is_signed_in_by(oidc: OidcSignIn, issuer: Issuer, what: str) -> None:
    change, reason = ANSWERS[what]
    assert (await sign_in_error(oidc, issuer, change)).reason == reason


async def test_what_a_provider_says_of_an_error_is_not_repeated(
    oidc: OidcSignIn, issuer: Issuer
) -> None:
    error = await sign_in_error(
        oidc, issuer, lambda query: {"state": query["state"], "error": "<b>call 555-1234</b>"}
    )
    assert "555" not in error.message


async def test_an_end_is_good_once(oidc: OidcSignIn, issuer: Issuer) -> None:
    begun = await oidc.begin(redirect_uri=BACK, to="/")
    query = issuer.authorized(begun.url)
    await oidc.finish(cookie=begun.cookie, query=query, redirect_uri=BACK)
    # Even with a code that the provider would take.
    fresh = issuer.authorized(begun.url)
    with pytest.raises(SignInError) as caught:
        await oidc.finish(cookie=begun.cookie, query=fresh, redirect_uri=BACK)
    assert caught.value.reason == "replayed"


async def test_a_code_of_another_sign_in_does_not_fit(oidc: OidcSignIn, issuer: Issuer) -> None:
    mine, theirs = [await oidc.begin(redirect_uri=BACK, to="/") for _ in range(2)]
    query = issuer.authorized(mine.url) | {"code": issuer.authorized(theirs.url)["code"]}
    with pytest.raises(SignInError) as caught:
        await oidc.finish(cookie=mine.cookie, query=query, redirect_uri=BACK)
    assert caught.value.reason == "code"


async def test_another_browser_cannot_end_it(oidc: OidcSignIn, issuer: Issuer) -> None:
    begun = await oidc.begin(redirect_uri=BACK, to="/")
    query = issuer.authorized(begun.url)
    foreign = SecretBox(f"k1:{generate_key()}").seal("{}", context="oidc sign-in")
    for cookie in ("", "x", foreign, begun.cookie[:-3]):
        with pytest.raises(SignInError) as caught:
            await oidc.finish(cookie=cookie, query=query, redirect_uri=BACK)
        assert caught.value.reason == "cookie"


async def test_after_ten_minutes_it_begins_anew(
    oidc: OidcSignIn, issuer: Issuer, moment: Moment
) -> None:
    begun = await oidc.begin(redirect_uri=BACK, to="/")
    query = issuer.authorized(begun.url)
    moment.later += 601
    with pytest.raises(SignInError) as caught:
        await oidc.finish(cookie=begun.cookie, query=query, redirect_uri=BACK)
    assert caught.value.reason == "late"


TOKENS: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "grafana"},
    "another issuer": {"iss": "https://evil.example"},
    "expired": {"iat": 1_700_000_000, "exp": 1_700_000_300},
    "issued at no time": {"iat": True},
    "for several, by nobody": {"aud": [CLIENT, "grafana"]},
    "for several, by another": {"aud": [CLIENT, "grafana"], "azp": "grafana"},
    "for us, by another": {"azp": "grafana"},
}


@pytest.mark.parametrize("what", TOKENS, ids=str)
async def test_an_id_token_is_refused_for(oidc: OidcSignIn, issuer: Issuer, what: str) -> None:
    issuer.claims |= TOKENS[what]
    assert (await sign_in_error(oidc, issuer)).reason == "token"


async def test_an_id_token_for_several_is_good_if_it_was_issued_to_us(
    oidc: OidcSignIn, issuer: Issuer
) -> None:
    issuer.claims |= {"aud": [CLIENT, "grafana"], "azp": CLIENT}
    assert (await sign_in(oidc, issuer)).user.user_id == "dana"


async def test_a_token_must_be_signed_by_the_provider(oidc: OidcSignIn, issuer: Issuer) -> None:
    issuer.key = OTHER_RSA_KEY
    assert (await sign_in_error(oidc, issuer)).reason == "token"
    issuer.key, issuer.algorithm = EC_KEY, "ES256"
    assert (await sign_in(oidc, issuer)).user.user_id == "dana"
    issuer.header |= {"jku": f"{issuer.url}/jwks"}
    assert (await sign_in_error(oidc, issuer)).reason == "token"


async def test_groups_may_come_from_userinfo(oidc: OidcSignIn, issuer: Issuer) -> None:
    issuer.claims["groups"] = None
    issuer.userinfo |= {"sub": "248289761001", "groups": ["team-a"], "preferred_username": "eve"}
    known = (await sign_in(oidc, issuer)).user
    assert (known.user_id, known.teams) == ("dana", ("team-a",))
    # Of somebody else: the access token was swapped.
    issuer.userinfo["sub"] = "another"
    assert (await sign_in(oidc, issuer)).user.lacks_groups


async def test_without_a_usable_user_id_nobody_is_signed_in(
    oidc: OidcSignIn, issuer: Issuer
) -> None:
    issuer.claims["preferred_username"] = None
    error = await sign_in_error(oidc, issuer)
    assert (error.reason, "preferred_username" in error.message) == ("claims", True)


AWAY: dict[str, tuple[str, Response]] = {
    "no discovery": ("/.well-known/openid-configuration", Response(status_code=404)),
    "discovery of another": (
        "/.well-known/openid-configuration",
        JSONResponse({"issuer": "https://evil.example", "jwks_uri": "https://evil.example"}),
    ),
    "token endpoint down": ("/token", Response(status_code=502)),
    "token endpoint overrun": ("/token", JSONResponse({"error": "too_many_requests"}, 429)),
    "gateway of the token endpoint": ("/token", Response(status_code=408)),
    "too many calls for a firewall": ("/token", JSONResponse({"error": "rate_limited"}, 403)),
    "token endpoint redirects": ("/token", RedirectResponse("http://127.0.0.1:1/token", 307)),
    "10 MB of token": ("/token", Response(b" " * 10_000_000, media_type="application/json")),
    "nested token": ("/token", Response("[" * 100_000, media_type="application/json")),
    "no keys": ("/jwks", Response(status_code=500)),
}


@pytest.mark.parametrize("what", AWAY, ids=str)
async def test_a_provider_that_does_not_answer_well_is_an_outage(
    oidc: OidcSignIn, issuer: Issuer, what: str
) -> None:
    path, answer = AWAY[what]
    issuer.answers[path] = answer
    with pytest.raises(PaoError) as caught:
        await sign_in(oidc, issuer)
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
    assert "127.0.0.1" not in caught.value.message


async def test_a_provider_that_is_away_is_not_asked_for_everybody(
    oidc: OidcSignIn, issuer: Issuer
) -> None:
    issuer.answers["/.well-known/openid-configuration"] = Response(status_code=503)
    for _ in range(5):
        with pytest.raises(PaoError):
            await oidc.begin(redirect_uri=BACK, to="/")
    assert len(issuer.asked) == 1


@pytest.mark.parametrize("address", ["http://issuer.example.com/authorize", "https://[idp/a"])
async def test_addresses_without_tls_or_sense_are_not_followed(
    oidc: OidcSignIn, issuer: Issuer, address: str
) -> None:
    issuer.answers["/.well-known/openid-configuration"] = JSONResponse(
        {"issuer": issuer.url, "authorization_endpoint": address}
    )
    with pytest.raises(PaoError):
        await oidc.begin(redirect_uri=BACK, to="/")
