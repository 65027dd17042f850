"""What a provider's refusals mean: to the person who signs in, and to the operator in the log."""

import base64
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from api.auth.claims import ClaimRules
from api.auth.groups import GroupMap
from api.sessions.oidc import OidcConfig, OidcSignIn, SignInError
from pao.clients.bounded_http import BoundedHttp
from pao.core.errors import ErrorCode, PaoError
from pao.runtime.crypto import SecretBox, generate_key
from tests.api.auth.signing import ReplaysInMemory
from tests.support.issuer import CLIENT, CLIENT_SECRET, Issuer

BACK = "https://pao.example.com/signin/oidc/callback"
DISCOVERY = "/.well-known/openid-configuration"
EXPIRED = "The provided client secret keys are expired."


@pytest.fixture
def oidc(issuer: Issuer, http: BoundedHttp) -> OidcSignIn:
    config = OidcConfig(
        issuer=issuer.url,
        client_id=CLIENT,
        client_secret=SecretStr(CLIENT_SECRET),
        scopes=(),
        name="Example",
        claims=ClaimRules(user="preferred_username", groups="groups", map=GroupMap()),
    )
    box = SecretBox(f"k1:{generate_key()}")
    return OidcSignIn(config, http, box, ReplaysInMemory(datetime.now(UTC)))


async def sign_in(oidc: OidcSignIn, issuer: Issuer) -> None:
    begun = await oidc.begin(redirect_uri=BACK, to="/")
    query = issuer.authorized(begun.url)
    await oidc.finish(cookie=begun.cookie, query=query, redirect_uri=BACK)


def error(code: str, description: str = "", *, status: int = 400) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status)


@pytest.mark.parametrize(
    ("answer", "reason", "told"),
    [
        (error("invalid_client", EXPIRED, status=401), "client", "replace PAO's client secret"),
        (error("invalid_client", EXPIRED), "client", "HTTP 400, invalid_client"),
        (error("unauthorized_client"), "client", "how PAO is registered"),
        (JSONResponse({"message": "blocked"}, 403), "client", "HTTP 403"),
        (Response("<html>", 400, media_type="text/html"), "endpoint", "HTTP 400"),
        (error("<b>call 555-1234</b>"), "endpoint", "HTTP 400"),
        (JSONResponse([]), "endpoint", "HTTP 200"),
        (error("invalid_grant"), "code", "already"),
        (error("invalid_grant", status=409), "code", "HTTP 409, invalid_grant"),
    ],
)
async def test_a_refusal_says_whose_turn_it_is(
    oidc: OidcSignIn, issuer: Issuer, answer: Response, reason: str, told: str
) -> None:
    issuer.answers["/token"] = answer

    with pytest.raises(SignInError, match=told) as caught:
        await sign_in(oidc, issuer)

    assert caught.value.reason == reason
    assert "555" not in caught.value.message


async def test_the_log_has_the_words_of_the_provider_without_secrets(
    oidc: OidcSignIn, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.answers["/token"] = error(
        "invalid_client", f"{EXPIRED} It was {CLIENT_SECRET}", status=401
    )

    with pytest.raises(SignInError):
        await sign_in(oidc, issuer)

    (said,) = (
        one.getMessage() for one in caplog.records if one.name == "api.sessions.oidc_provider"
    )
    assert "HTTP 401" in said
    assert f"{issuer.url}/token: {EXPIRED}" in said
    assert "invalid_client" in said
    assert CLIENT_SECRET not in said


async def test_the_log_has_no_secret_that_the_provider_gives_back_encoded(
    oidc: OidcSignIn, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    encoded = base64.b64encode(CLIENT_SECRET.encode()).decode()
    issuer.answers["/token"] = error("invalid_client", f"not {encoded}", status=401)

    with pytest.raises(SignInError):
        await sign_in(oidc, issuer)

    assert "HTTP 401, invalid_client" in caplog.text
    assert encoded not in caplog.text


async def test_a_provider_that_is_down_is_not_taken_for_another(
    oidc: OidcSignIn, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.answers[DISCOVERY] = JSONResponse({"message": "down"}, 503)

    with pytest.raises(PaoError):
        await oidc.begin(redirect_uri=BACK, to="/")

    assert "HTTP 503" in caplog.text
    assert "PAO_OIDC_ISSUER" not in caplog.text


@pytest.mark.parametrize("address", ["https://idp.example.com:x/token", "https://idp:99999999/"])
async def test_an_address_that_nobody_can_call_is_an_outage(
    oidc: OidcSignIn, issuer: Issuer, address: str
) -> None:
    endpoints = {"authorization_endpoint": f"{issuer.url}/authorize", "token_endpoint": address}
    issuer.answers[DISCOVERY] = JSONResponse({"issuer": issuer.url, **endpoints})

    with pytest.raises(PaoError) as caught:
        await sign_in(oidc, issuer)

    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
