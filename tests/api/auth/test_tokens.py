"""Tokens of an issuer: what holds, and everything that must not."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.api_jws import PyJWS

from api.auth.signature_errors import Reason, SignatureError
from api.auth.tokens import (
    LONGEST_TOKEN,
    TokenRules,
    moment,
    read_header,
    select_key,
    usable_keys,
    verify_token,
)
from tests.support.issuer import (
    CLIENT,
    EC_KEY,
    OTHER_EC_KEY,
    OTHER_RSA_KEY,
    RSA_KEY,
    Issuer,
    published_keys,
)


class PublishedKeys:
    """The issuer's keys, without a server."""

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        return select_key(usable_keys(published_keys()), kid)


ISSUER = Issuer()
ISSUER.url = "https://issuer.example.com"
RULES = TokenRules(issuer=ISSUER.url, audience=CLIENT)
PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def forge_token(header: dict[str, Any], claims: bytes, signature: bytes = b"") -> str:
    """Return a token put together by hand."""
    parts = (json.dumps(header).encode(), claims, signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def token(header: dict[str, Any] | None = None, **given: Any) -> str:
    ISSUER.header = header or {}
    return ISSUER.token(**given)


def hmac_with_public_key() -> str:
    """Return a token "signed" by the public key as if it were a shared secret."""
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    text = forge_token({"alg": "HS256", "kid": "rsa"}, usual()).rpartition(".")[0]
    signature = algorithm.sign(text.encode(), PEM)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def usual(**more: Any) -> bytes:
    now = int(time.time())
    claims = {"iss": ISSUER.url, "aud": CLIENT, "sub": "eve", "iat": now, "exp": now + 300}
    return json.dumps(claims | more).encode()


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA_KEY, "RS256"), (EC_KEY, "ES256")], ids=["RS256", "ES256"]
)
async def test_a_token_of_the_issuer_holds(key: Any, algorithm: str) -> None:
    claims = await verify_token(token(key=key, algorithm=algorithm), RULES, PublishedKeys())
    assert claims["sub"] == "248289761001"


@pytest.mark.parametrize("seconds", [50, -50], ids=["future", "past"])
async def test_clocks_may_differ_by_a_minute(seconds: int) -> None:
    now = int(time.time())
    made = token(iat=now + seconds, exp=now + seconds if seconds < 0 else now + 300)
    assert await verify_token(made, RULES, PublishedKeys())


def token_maker(**given: Any) -> Any:
    return lambda: token(**given)


def timed_token_maker(**offsets: int) -> Callable[[], str]:
    """Return what makes a token with times so many seconds from when the test runs."""

    def made() -> str:
        now = int(time.time())
        times: dict[str, Any] = {name: now + offset for name, offset in offsets.items()}
        return token(**times)

    return made


REFUSED: dict[str, tuple[Any, Reason]] = {
    "expired": (timed_token_maker(iat=-900, exp=-600), Reason.EXPIRED),
    "not yet": (timed_token_maker(iat=600, exp=900), Reason.MALFORMED),
    "not before": (timed_token_maker(nbf=600), Reason.MALFORMED),
    "another issuer": (token_maker(iss="https://evil.example"), Reason.MALFORMED),
    "issuer with a slash": (token_maker(iss=f"{ISSUER.url}/"), Reason.MALFORMED),
    "another audience": (token_maker(aud="grafana"), Reason.MALFORMED),
    "no audience": (token_maker(aud=None), Reason.MALFORMED),
    "no expiry": (token_maker(exp=None), Reason.MALFORMED),
    "no time": (token_maker(iat=None), Reason.MALFORMED),
    "no subject": (token_maker(sub=None), Reason.MALFORMED),
    "no issuer": (token_maker(iss=None), Reason.MALFORMED),
    "a subject that is no text": (
        lambda: PyJWS().encode(usual(sub=7), RSA_KEY, "RS256", {"kid": "rsa"}),
        Reason.MALFORMED,
    ),
    "another key": (token_maker(key=OTHER_RSA_KEY), Reason.SIGNATURE_MISMATCH),
    "another curve's key": (
        token_maker(key=OTHER_EC_KEY, algorithm="ES256"),
        Reason.SIGNATURE_MISMATCH,
    ),
    "unknown kid": (token_maker(header={"kid": "new"}), Reason.SIGNATURE_MISMATCH),
    "an empty kid": (token_maker(header={"kid": ""}), Reason.SIGNATURE_MISMATCH),
    "no kid among several keys": (token_maker(header={"kid": None}), Reason.SIGNATURE_MISMATCH),
    "a kid that is no text": (
        lambda: forge_token({"alg": "RS256", "kid": 1}, usual()),
        Reason.MALFORMED,
    ),
    "kid of an encryption key": (
        token_maker(header={"kid": "for-encryption"}),
        Reason.SIGNATURE_MISMATCH,
    ),
    "kid of a shared secret": (token_maker(header={"kid": "secret"}), Reason.SIGNATURE_MISMATCH),
    "key of another algorithm": (
        token_maker(header={"kid": "rsa"}, key=EC_KEY, algorithm="ES256"),
        Reason.SIGNATURE_MISMATCH,
    ),
    "RS512": (token_maker(algorithm="RS512"), Reason.MALFORMED),
    "PS256": (token_maker(algorithm="PS256"), Reason.MALFORMED),
    "HS256 with the public key": (hmac_with_public_key, Reason.MALFORMED),
    "none": (lambda: forge_token({"alg": "none", "kid": "rsa"}, usual()), Reason.MALFORMED),
    "None": (lambda: forge_token({"alg": "None", "kid": "rsa"}, usual()), Reason.MALFORMED),
    "jku": (token_maker(header={"jku": "https://evil.example/jwks"}), Reason.MALFORMED),
    "x5u": (token_maker(header={"x5u": "https://evil.example/x"}), Reason.MALFORMED),
    "jwk": (token_maker(header={"jwk": {"kty": "RSA"}}), Reason.MALFORMED),
    "critical": (token_maker(header={"crit": ["b64"], "b64": False}), Reason.MALFORMED),
    "no signature": (
        lambda: forge_token({"alg": "RS256", "kid": "rsa"}, usual()),
        Reason.SIGNATURE_MISMATCH,
    ),
    "two parts": (lambda: token().rpartition(".")[0], Reason.MALFORMED),
    "five parts": (lambda: token() + "..", Reason.MALFORMED),
    "claims that are a list": (
        lambda: forge_token({"alg": "RS256", "kid": "rsa"}, b"[]"),
        Reason.MALFORMED,
    ),
    "nested claims": (
        lambda: forge_token({"alg": "RS256", "kid": "rsa"}, b"[" * 9000),
        Reason.MALFORMED,
    ),
    "a claim given twice": (
        lambda: forge_token({"alg": "RS256", "kid": "rsa"}, b'{"sub":"dana","sub":"eve"}'),
        Reason.MALFORMED,
    ),
    "too long": (token_maker(padding="x" * 16_384), Reason.MALFORMED),
    "no text at all": (lambda: "", Reason.MALFORMED),
    "no base64": (lambda: "*.*.*", Reason.MALFORMED),
}


@pytest.mark.parametrize("what", REFUSED, ids=str)
async def test_a_token_is_refused_for(what: str) -> None:
    make, reason = REFUSED[what]
    with pytest.raises(SignatureError) as caught:
        await verify_token(make(), RULES, PublishedKeys())
    assert caught.value.reason is reason, caught.value.message


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("another audience", "the token is for another audience (aud)"),
        ("another issuer", "the token is from another issuer (iss)"),
        ("no subject", "the token lacks the claim sub"),
        ("not before", "the token is not valid yet; check the issuer's clock"),
        ("critical", "the token is not readable"),
        ("a subject that is no text", "the token is not readable"),
        ("expired", "the token has expired; get a new one"),
        ("another key", "the signature of the token does not match"),
        ("unknown kid", "the issuer has no such key for the token"),
        ("jku", "the token brings its own key (jku), which is not accepted"),
        ("RS512", "the token's algorithm must be one of RS256, ES256, ES384"),
        ("too long", "the token is longer than 16384 bytes"),
        ("five parts", "the token must have three parts"),
        ("a kid that is no text", "the token's key id (kid) is not a string"),
        ("claims that are a list", "the token is not readable"),
    ],
)
async def test_a_refusal_says_what_is_wrong(what: str, told: str) -> None:
    with pytest.raises(SignatureError) as caught:
        await verify_token(REFUSED[what][0](), RULES, PublishedKeys())
    assert caught.value.message == told


# What PyJWT would read as a number, or compare with any: (JSON of) values that are no time.
NO_TIMES = (
    *("true", "false", "null", '"1700000000"', "[]", "{}", "-1", "-1e300", "1e300", "1e400", "NaN"),
    *(str(int(time.time()) * 1000), "9" * 400),
)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
async def test_a_time_is_a_number_of_seconds(name: str) -> None:
    for written in NO_TIMES:
        claims = usual(**{name: "HERE"}).replace(b'"HERE"', written.encode())
        made = PyJWS().encode(claims, RSA_KEY, algorithm="RS256", headers={"kid": "rsa"})
        with pytest.raises(SignatureError) as caught:
            await verify_token(made, RULES, PublishedKeys())
        assert caught.value.reason is Reason.MALFORMED, written
        if written not in {"1e400", "NaN"}:
            assert caught.value.message == f"the token's {name} is not a time in seconds", written
    parts_of_seconds: dict[str, Any] = {name: time.time() + (30 if name == "exp" else -30) + 0.25}
    assert await verify_token(token(**parts_of_seconds), RULES, PublishedKeys())


async def test_a_token_with_many_groups_is_not_too_long() -> None:
    groups = [f"{one:08x}-0000-4000-8000-000000000000" for one in range(120)]
    made = token(groups=groups)
    assert len(made) > 5000
    assert (await verify_token(made, RULES, PublishedKeys()))["groups"] == groups


def test_a_token_has_16_kb_at_most() -> None:
    padded = (usual(padding="x" * length) for length in range(12_000, 12_300))
    made = (forge_token({"alg": "RS256"}, claims) for claims in padded)
    longest = next(one for one in made if len(one) == LONGEST_TOKEN)
    assert read_header(longest) == {"alg": "RS256"}
    with pytest.raises(SignatureError, match="longer than 16384 bytes"):
        read_header(f"{longest}x")


@pytest.mark.parametrize("second", [0, 1, 0.5])
def test_time_begins_in_1970(second: float) -> None:
    assert moment(second) == datetime.fromtimestamp(second, UTC)
    assert moment(-second - 1) is None


def test_an_algorithm_that_a_key_leaves_out_is_that_of_its_kind() -> None:
    ec_as = jwt.algorithms.ECAlgorithm.to_jwk
    documents = [
        jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True),
        ec_as(EC_KEY.public_key(), as_dict=True) | {"kid": "p256"},
        ec_as(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True) | {"kid": "p384"},
    ]
    found = {kid: key.algorithm_name for kid, key in usable_keys(documents).items()}
    assert found == {"": "RS256", "p256": "ES256", "p384": "ES384"}


def test_weak_and_private_keys_verify_nothing() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 -- weak
    p521 = ec.generate_private_key(ec.SECP521R1())
    rsa_as, ec_as = jwt.algorithms.RSAAlgorithm.to_jwk, jwt.algorithms.ECAlgorithm.to_jwk
    documents = [
        rsa_as(weak.public_key(), as_dict=True) | {"kid": "weak"},
        rsa_as(RSA_KEY, as_dict=True) | {"kid": "private"},
        ec_as(p521.public_key(), as_dict=True) | {"kid": "p521"},
        rsa_as(RSA_KEY.public_key(), as_dict=True) | {"kid": "hmac", "alg": "HS256"},
        "no key",
    ]
    assert usable_keys(documents) == {}


@pytest.mark.parametrize("odd", [[], {}, ["RSA"], 1, None])
@pytest.mark.parametrize("name", ["kty", "kid", "alg", "use", "n"])
def test_a_key_of_odd_parts_is_passed_over(name: str, odd: Any) -> None:
    document = jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True)
    good = document | {"kid": "good"}

    assert "good" in usable_keys([document | {name: odd}, good])


def test_an_only_key_needs_no_id() -> None:
    document = jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True)
    only = usable_keys([document])
    assert select_key(only, None) is not None
    assert select_key(only, "rsa") is None
    assert select_key({**only, "another": only[""]}, None) is None
