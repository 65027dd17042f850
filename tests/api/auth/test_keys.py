import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.auth.keys import (
    KeysIdentity,
    StoredKey,
    create_key,
    invalid_reason,
    principal_now,
    principal_of,
)
from api.auth.raw import RawRequest
from api.auth.replay import SIGNED_ALIKE
from pao.clients.aws.caller import AwsCaller, read_caller
from pao.core.errors import ErrorCode, PaoError
from pao.runtime.crypto import SecretBox, generate_key
from tests.api.auth.signing import REGION, Office, open_office, sign

BODY = b'{"catalogItemId": "kafka-topic"}'


@pytest.fixture
def office() -> Office:
    return open_office()


def sign_call(
    office: Office, method: str = "GET", *, headers: dict[str, str] | None = None
) -> RawRequest:
    body = b"" if method == "GET" else BODY
    key = office.key
    return sign(method, body=body, headers=headers, key_id=key.access_key_id, secret=key.secret)


async def refusal_of(office: Office, request: RawRequest, now: datetime | None = None) -> PaoError:
    with pytest.raises(PaoError) as caught:
        await office.identity.authenticate(request, now or datetime.now(UTC))
    return caught.value


def with_unsigned_idempotency_key(request: RawRequest, key: str) -> RawRequest:
    header = (b"idempotency-key", key.encode())
    return dataclasses.replace(request, headers=(*request.headers, header))


async def test_who_signed_is_known_with_teams_and_key(office: Office) -> None:
    principal = await office.identity.authenticate(sign_call(office), datetime.now(UTC))
    assert (principal.id, principal.email, principal.teams) == (
        "ada",
        "ada@example.com",
        ("platform",),
    )
    assert principal.arn == "arn:pao:iam::local:user/ada"
    assert principal.source == "keys"
    assert principal.access_key_id == office.key.access_key_id


async def test_a_refusal_says_the_reason_class_and_how_to_sign(office: Office) -> None:
    bare = RawRequest("GET", b"/", b"", ((b"host", b"h"),), b"")
    error = await refusal_of(office, bare)
    assert error.code is ErrorCode.UNAUTHORIZED
    assert error.status == 401
    assert error.message.startswith("missing: ")
    assert error.headers == {"WWW-Authenticate": "AWS4-HMAC-SHA256"}


async def test_an_expired_request_is_told_the_servers_time(office: Office) -> None:
    late = datetime.now(UTC) + timedelta(minutes=6)
    error = await refusal_of(office, sign_call(office), late)
    assert error.details[0].constraint == "expired"
    assert f"{late:%Y-%m-%dT%H:%M:%SZ}" in error.message


async def test_an_unknown_key_and_a_wrong_secret_get_the_same_answer(office: Office) -> None:
    unknown = await refusal_of(office, sign(key_id="PAOUNKNOWN", secret=office.key.secret))
    wrong = await refusal_of(office, sign(key_id=office.key.access_key_id, secret="wrong"))
    assert (unknown.message, unknown.details) == (wrong.message, wrong.details)
    assert unknown.message.startswith("signature mismatch: the access key is unknown or the ")


async def test_a_revocation_holds_at_once(office: Office) -> None:
    await office.identity.authenticate(sign_call(office), datetime.now(UTC))
    key_id = office.key.access_key_id
    revoked = dataclasses.replace(office.keys.keys[key_id], revoked_at=datetime.now(UTC))
    office.keys.keys[key_id] = revoked
    assert "was revoked" in (await refusal_of(office, sign_call(office))).message


async def test_only_the_holder_of_the_secret_learns_that_a_key_was_revoked(office: Office) -> None:
    key_id = office.key.access_key_id
    revoked = dataclasses.replace(office.keys.keys[key_id], revoked_at=datetime.now(UTC))
    office.keys.keys[key_id] = revoked
    error = await refusal_of(office, sign(key_id=key_id, secret="wrong"))
    assert error.message.startswith("signature mismatch: ")


async def test_an_expired_key_is_refused_from_that_moment_on(office: Office) -> None:
    key_id, now = office.key.access_key_id, datetime.now(UTC)
    stored = office.keys.keys[key_id]
    office.keys.keys[key_id] = dataclasses.replace(stored, expires_at=now + timedelta(seconds=1))
    await office.identity.authenticate(sign_call(office), now)
    late = now + timedelta(seconds=1)
    assert "expired at" in (await refusal_of(office, sign_call(office), late)).message


@pytest.mark.parametrize(
    ("minutes", "noted"), [(0, False), (4, False), (5, True), (None, True)], ids=str
)
async def test_a_use_is_noted_once_in_five_minutes(
    office: Office, minutes: int | None, *, noted: bool
) -> None:
    key_id, now = office.key.access_key_id, datetime.now(UTC)
    last = None if minutes is None else now - timedelta(minutes=minutes)
    office.keys.keys[key_id] = dataclasses.replace(office.keys.keys[key_id], last_used_at=last)
    await office.identity.authenticate(sign_call(office), now)
    assert office.keys.used == ([(key_id, timedelta(minutes=5))] if noted else [])


async def test_a_captured_request_that_acts_is_good_for_one_use(office: Office) -> None:
    request = sign_call(office, "POST")
    await office.identity.authenticate(request, datetime.now(UTC))
    error = await refusal_of(office, request)
    assert "sign again or send an Idempotency-Key" in error.message


async def test_who_sends_no_key_holds_a_signature_that_nobody_can_name(office: Office) -> None:
    await office.identity.authenticate(sign_call(office, "POST"), datetime.now(UTC))
    await office.identity.authenticate(
        sign_call(office, "POST", headers={"Idempotency-Key": "k-1"}), datetime.now(UTC)
    )
    # Told apart by their lengths; a store takes 32 bytes at most.
    assert [len(one.holder) for one in office.replays.used.values()] == [31, 32]
    assert {len(one) for one in office.replays.used} == {32}


async def test_reading_twice_with_one_signature_is_allowed(office: Office) -> None:
    request = sign_call(office)
    await office.identity.authenticate(request, datetime.now(UTC))
    await office.identity.authenticate(request, datetime.now(UTC))


async def test_a_refused_request_does_not_use_a_signature_up(office: Office) -> None:
    request = sign_call(office, "POST")
    await refusal_of(office, dataclasses.replace(request, body=b"{}"))
    await office.identity.authenticate(request, datetime.now(UTC))


@pytest.mark.parametrize("key_is_signed", [True, False], ids=["signed", "unsigned"])
async def test_an_idempotent_repeat_passes(office: Office, key_is_signed: object) -> None:
    if key_is_signed:
        request = sign_call(office, "POST", headers={"Idempotency-Key": "k-1"})
    else:
        request = with_unsigned_idempotency_key(sign_call(office, "POST"), "k-1")
    for _ in range(3):
        await office.identity.authenticate(request, datetime.now(UTC))


async def test_a_captured_request_with_another_idempotency_key_is_refused(office: Office) -> None:
    request, now = sign_call(office, "POST"), datetime.now(UTC)
    later = now + SIGNED_ALIKE + timedelta(milliseconds=1)
    await office.identity.authenticate(with_unsigned_idempotency_key(request, "k-1"), now)
    for key in ("k-2", "k-2", "k-3"):
        await refusal_of(office, with_unsigned_idempotency_key(request, key), later)
    await refusal_of(office, request, now)
    await office.identity.authenticate(with_unsigned_idempotency_key(request, "k-1"), later)


async def test_honest_calls_signed_alike_within_a_second_act_for_each_of_their_keys(
    office: Office,
) -> None:
    request, now = sign_call(office, "POST"), datetime.now(UTC)
    calls = [with_unsigned_idempotency_key(request, key) for key in ("k-1", "k-2", "k-3")]
    for call, seconds in zip(calls, (0, 1, 3), strict=True):
        await office.identity.authenticate(call, now + timedelta(seconds=seconds))
    for call in calls:
        await office.identity.authenticate(call, now + timedelta(minutes=1))
    await refusal_of(office, request, now)


async def test_a_client_whose_clock_is_wrong_may_sign_alike_as_well(office: Office) -> None:
    request, now = sign_call(office, "POST"), datetime.now(UTC) + timedelta(minutes=4)
    for key in ("k-1", "k-2"):
        await office.identity.authenticate(with_unsigned_idempotency_key(request, key), now)


async def test_a_signed_key_cannot_be_replaced(office: Office) -> None:
    request, now = sign_call(office, "POST", headers={"Idempotency-Key": "k-1"}), datetime.now(UTC)
    await office.identity.authenticate(request, now)
    headers = tuple(
        (name, b"k-2" if name == b"idempotency-key" else value) for name, value in request.headers
    )
    await refusal_of(office, dataclasses.replace(request, headers=headers), now)


async def test_a_captured_request_without_a_key_cannot_be_given_one(office: Office) -> None:
    request = sign_call(office, "POST")
    await office.identity.authenticate(request, datetime.now(UTC))
    for _ in range(2):
        await refusal_of(office, with_unsigned_idempotency_key(request, "k-1"))


async def test_a_signature_is_remembered_for_as_long_as_it_is_valid(office: Office) -> None:
    request = sign_call(office, "POST")
    signed_at = datetime.now(UTC)
    await office.identity.authenticate(request, signed_at - timedelta(minutes=4, seconds=55))
    office.replays.now = signed_at + timedelta(minutes=5)
    await refusal_of(office, request, signed_at + timedelta(minutes=4, seconds=55))


async def test_a_secret_that_cannot_be_opened_is_the_operators_matter(office: Office) -> None:
    other = KeysIdentity(
        office.keys, SecretBox(f"k9:{generate_key()}"), office.replays, region=REGION
    )
    with pytest.raises(PaoError) as caught:
        await other.authenticate(sign_call(office), datetime.now(UTC))
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
    assert "encryption key" in caught.value.message
    assert caught.value.headers == {"Retry-After": "60"}
    assert office.key.secret not in caught.value.message


async def test_a_head_is_refused_by_its_form_and_never_for_its_key(office: Office) -> None:
    office.identity.check_head(sign(key_id="PAOUNKNOWN"), datetime.now(UTC))
    bare = RawRequest("GET", b"/", b"", ((b"host", b"h"),), b"")
    with pytest.raises(PaoError) as caught:
        office.identity.check_head(bare, datetime.now(UTC))
    [detail] = caught.value.details
    assert (caught.value.code, caught.value.status) == (ErrorCode.UNAUTHORIZED, 401)
    assert (detail.field, detail.constraint) == ("Authorization", "missing")
    assert caught.value.message == f"missing: {detail.message}"
    assert "sign it with AWS Signature Version 4" in detail.message


@pytest.mark.parametrize(
    ("ended", "good"),
    [
        ({}, True),
        ({"expires_at": 1}, True),
        ({"expires_at": 0}, False),
        ({"revoked_at": 1}, False),
        ({"access_key_id": "PAOUNKNOWN"}, False),
        ({"access_key_id": None}, False),
    ],
    ids=str,
)
async def test_a_caller_is_good_as_long_as_the_key_is(
    office: Office, ended: dict[str, Any], *, good: bool
) -> None:
    now = datetime.now(UTC)
    caller = await office.identity.authenticate(sign_call(office), now)
    given = {"access_key_id": office.key.access_key_id} | ended
    caller = dataclasses.replace(caller, access_key_id=given.pop("access_key_id"))
    times: dict[str, Any] = {
        name: now + timedelta(seconds=seconds) for name, seconds in given.items()
    }
    key_id = office.key.access_key_id
    office.keys.keys[key_id] = dataclasses.replace(office.keys.keys[key_id], **times)
    assert await office.identity.is_still_valid(caller, now) is good


async def test_a_session_that_aws_vouched_for_has_the_teams_of_today() -> None:
    async def teams(caller: AwsCaller) -> tuple[str, ...]:
        return (f"today-of-{caller.name}",)

    office = open_office(teams)
    key_id, arn = office.key.access_key_id, "arn:aws:sts::123456789012:assumed-role/dana/build"
    dana = read_caller(account="123456789012", arn=arn, user_id=f"AROA{'D' * 17}:build")
    stored = dataclasses.replace(office.keys.keys[key_id], user_id="dana", aws=dana, source="sts")
    office.keys.keys[key_id] = stored
    known = await office.identity.authenticate(sign_call(office), datetime.now(UTC))
    assert known == await principal_now(stored, teams)
    assert (await principal_now(stored, teams, source="link")).source == "link"
    assert (known.id, known.arn, known.account) == ("dana", arn, "123456789012")
    assert (known.email, known.session, known.aws) == (None, "build", dana)
    assert (known.teams, known.source) == (("today-of-dana",), "sts")
    assert known.access_key_id == key_id
    assert (await principal_now(stored, None)).teams == ()
    assert principal_of(stored, source="oidc").source == "oidc"
    own = principal_of(dataclasses.replace(stored, aws=None), source="link")
    assert (own.source, own.teams, own.access_key_id) == ("link", ("platform",), key_id)
    assert own.arn == "arn:pao:iam::local:user/dana"


def test_the_key_of_a_session_ends_whatever_its_row_says() -> None:
    box, end = SecretBox(f"k1:{generate_key()}"), datetime(2026, 11, 30, 12, tzinfo=UTC)
    for until in (end, end - timedelta(milliseconds=1)):
        key = create_key(box, session_until=until)
        assert re.fullmatch(rf"PAO-{end.timestamp():.0f}-[A-Z2-7]{{17}}", key.access_key_id)
        forged = StoredKey(
            access_key_id=key.access_key_id,
            sealed_secret=key.sealed_secret,
            user_id="ceo",
            email=None,
            teams=("pao-admins",),
            revoked_at=None,
        )
        assert invalid_reason(forged, end - timedelta(seconds=1)) is None
        assert "expired at 2026-11-30T12:00:00" in (invalid_reason(forged, end) or "")
        earlier = dataclasses.replace(forged, expires_at=end - timedelta(hours=1))
        assert "2026-11-30T11:00:00" in (invalid_reason(earlier, end) or "")
    issued = dataclasses.replace(forged, access_key_id=create_key(box).access_key_id)
    assert invalid_reason(issued, end) is None


def test_a_new_key_looks_like_one_and_hides_its_secret() -> None:
    box = SecretBox(f"k1:{generate_key()}")
    key = create_key(box)
    assert re.fullmatch(r"PAO[A-Z2-7]{17}", key.access_key_id)
    assert re.fullmatch(r"[A-Za-z0-9]{40}", key.secret)
    assert key.secret not in repr(key)
    assert box.open(key.sealed_secret, context=f"access-key:{key.access_key_id}") == key.secret
