"""Which source a call is for, and what never reaches the application."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from api.auth.principal import Principal, own_user
from api.auth.raw import RawRequest
from api.auth.sources.identities import Identities, source_of, without_claims
from pao.core.errors import ErrorCode, PaoError
from tests.api.auth.signing import open_office, sign

STS, TOKEN = (b"x-pao-sts", b"x"), (b"authorization", b"Bearer x")
GATEWAY = (b"x-pao-caller-arn", b"x")


class NamedSource:
    """A source that knows everybody as itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heads: list[tuple[RawRequest, datetime]] = []

    def check_head(self, request: RawRequest, now: datetime) -> None:
        """Everything is well."""
        self.heads.append((request, now))

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:
        del request, now
        return own_user(self.name, email=None, teams=(), source=self.name, access_key_id=None)


def identities(*names: str, keys: bool = True) -> Identities:
    return Identities(
        keys=open_office().identity,
        others={name: NamedSource(name) for name in names},
        accepts_issued_keys=keys,
    )


def call(*headers: tuple[bytes, bytes]) -> RawRequest:
    return RawRequest("GET", b"/", b"", headers, b"")


@pytest.mark.parametrize(
    ("headers", "name"),
    [((STS,), "sts"), ((TOKEN,), "jwt"), ((GATEWAY,), "gateway"), ((GATEWAY, TOKEN), "gateway")],
    ids=["sts", "jwt", "gateway", "gateway with what it passes on"],
)
async def test_a_call_is_for_the_source_of_its_credential(
    headers: tuple[tuple[bytes, bytes], ...], name: str
) -> None:
    every = identities("sts", "jwt", "gateway")
    every.check_head(call(*headers), datetime.now(UTC))
    assert (await every.authenticate(call(*headers), datetime.now(UTC))).id == name


async def test_what_a_gateway_says_is_passed_over_where_it_is_off() -> None:
    now = datetime.now(UTC)
    assert (await identities("sts").authenticate(call(GATEWAY, STS), now)).id == "sts"
    with pytest.raises(PaoError, match=r"^missing: the request is not signed"):
        await identities("sts").authenticate(call(GATEWAY), now)


@pytest.mark.parametrize(
    ("source", "keys", "taken"),
    [("keys", True, True), ("keys", False, False), ("sts", False, True), ("jwt", True, False)],
)
def test_a_source_is_taken_that_is_configured(source: str, *, keys: bool, taken: bool) -> None:
    assert identities("sts", keys=keys).accepts(source) is taken


def test_the_source_of_a_call_checks_its_head() -> None:
    every, given, now = identities("sts"), call(STS), datetime.now(UTC)
    every.check_head(given, now)
    source = every.others["sts"]
    assert isinstance(source, NamedSource)
    assert source.heads == [(given, now)]


def test_a_head_of_no_source_is_refused_with_its_reason() -> None:
    with pytest.raises(PaoError, match="sts is not switched on") as caught:
        identities().check_head(call(STS), datetime.now(UTC))
    assert caught.value.details[0].constraint == "missing"
    with pytest.raises(PaoError, match=r"several credentials \(jwt, sts\)") as caught:
        identities("sts", "jwt").check_head(call(STS, TOKEN), datetime.now(UTC))
    assert caught.value.details[0].constraint == "malformed"


@pytest.mark.parametrize(
    ("headers", "query", "source"),
    [
        ((), b"", "none"),
        ((STS,), b"", "sts"),
        ((TOKEN,), b"", "jwt"),
        ((GATEWAY,), b"", "gateway"),
        (((b"authorization", b"AWS4-HMAC-SHA256 x"),), b"", "keys"),
        ((), b"limit=1&X%2Damz-date=1", "keys"),
        ((), b"X-Amz-Security-Token=x&X-Amz", "none"),
        ((STS, TOKEN), b"", "several"),
        ((STS,), b"X-Amz-Signature=0", "several"),
    ],
)
def test_the_log_names_the_source_of_a_call(
    headers: tuple[tuple[bytes, bytes], ...], query: bytes, source: str
) -> None:
    assert source_of(dataclasses.replace(call(*headers), raw_query=query)) == source


async def test_a_key_is_asked_for_as_long_as_its_caller_is_there() -> None:
    office, now = open_office(), datetime.now(UTC)
    every = Identities(keys=office.identity, others={})
    key_id = office.key.access_key_id
    ada = own_user("ada", email=None, teams=(), source="keys", access_key_id=key_id)
    assert await every.is_still_valid(ada, now)
    office.keys.keys[key_id] = dataclasses.replace(office.keys.keys[key_id], expires_at=now)
    assert not await every.is_still_valid(ada, now)
    assert await every.is_still_valid(ada, now - timedelta(seconds=1))
    nobody = dataclasses.replace(ada, access_key_id=None)
    assert not await every.is_still_valid(nobody, now)


@pytest.mark.parametrize(
    "query", [b"X-Amz-Signature=0", b"X-Amz-Signature=a=b", b"a=b&x%2Damz-signature=0"], ids=str
)
async def test_a_presigned_query_is_a_credential_as_well(query: bytes) -> None:
    every = identities("sts", "jwt", "gateway")
    assert source_of(dataclasses.replace(call(), raw_query=query)) == "keys"
    for header in (STS, TOKEN):
        both = dataclasses.replace(call(header), raw_query=query)
        with pytest.raises(PaoError, match="several credentials"):
            await every.authenticate(both, datetime.now(UTC))
    passed_on = dataclasses.replace(call(GATEWAY), raw_query=query)
    assert (await every.authenticate(passed_on, datetime.now(UTC))).id == "gateway"


@pytest.mark.parametrize("headers", [(STS,), (TOKEN,), (STS, TOKEN), (GATEWAY,), ()], ids=str)
async def test_what_is_off_vouches_for_nobody(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(PaoError) as caught:
        await identities().authenticate(call(*headers), datetime.now(UTC))
    assert caught.value.code is ErrorCode.UNAUTHORIZED


async def test_a_key_is_good_as_long_as_the_source_is_on_that_vouched_for_it() -> None:
    office = open_office()
    key = office.key
    aws = {"sts": NamedSource("sts")}
    off = Identities(keys=office.identity, others=aws, accepts_issued_keys=False)

    def signed() -> RawRequest:
        return sign(key_id=key.access_key_id, secret=key.secret)

    with pytest.raises(PaoError, match="not switched on"):
        await off.authenticate(signed(), datetime.now(UTC))
    stored = office.keys.keys[key.access_key_id]
    office.keys.keys[key.access_key_id] = dataclasses.replace(stored, source="sts", is_session=True)
    assert (await off.authenticate(signed(), datetime.now(UTC))).source == "sts"
    with pytest.raises(PaoError, match="sts is not switched on"):
        await dataclasses.replace(off, others={}).authenticate(signed(), datetime.now(UTC))


async def test_a_proof_that_cannot_be_asked_again_ends_by_itself() -> None:
    now = datetime.now(UTC)
    every = identities()
    caller = own_user(
        "dana", email=None, teams=(), source="jwt", access_key_id=None, valid_until=now
    )
    assert await every.is_still_valid(caller, now - timedelta(seconds=1))
    assert not await every.is_still_valid(caller, now)


def test_no_claim_of_an_identity_reaches_the_application() -> None:
    claims = [
        (b"x-pao-sts", b""),
        (b"x-pao-caller-arn", b""),
        (b"x-pao-caller-id", b""),
        (b"x-pao-gateway-secret", b""),
        (b"x-amzn-oidc-data", b""),
        (b"x-amzn-oidc-identity", b""),
        (b"x-amzn-lattice-identity", b""),
    ]
    kept = [(b"host", b"x"), (b"x-amzn-trace-id", b"y")]
    assert without_claims(claims + kept) == kept
