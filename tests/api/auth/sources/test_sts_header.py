"""The header of a call that AWS is to vouch for, and what becomes of the answer, without AWS."""

import asyncio
import dataclasses
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import ReadOnlyCredentials

from api.auth.signature_errors import Reason, SignatureError
from api.auth.sources.sts import LONGEST_HEADER, MAX_CONCURRENT, StsConfig, StsIdentity
from pao.clients.aws.caller import AwsCaller, read_caller
from pao.clients.aws.sts import Sts, StsRefusedError
from pao.clients.bounded_http import BoundedHttp
from pao.core.errors import ErrorCode, PaoError
from tests.api.auth.signing import ReplaysInMemory
from tests.api.auth.sources.office import (
    SERVER,
    Forger,
    encode_header,
    office,
    people,
    request,
    sts_header,
)
from tests.support.aws import ACCOUNT, REGION, Aws

AWAY = Aws("http://127.0.0.1:9", "http://127.0.0.1:9")
"""Nobody listens there: whatever is asked for is no refusal of the header."""
CREDENTIALS = ReadOnlyCredentials("AKIA" + "X" * 16, "s" * 40, None)
FORGER = Forger(AWAY, CREDENTIALS)


@pytest.fixture
async def sts() -> AsyncIterator[StsIdentity]:
    http = BoundedHttp()
    yield office(AWAY, http)
    await http.close()


UNREADABLE: dict[str, Callable[[Forger], bytes]] = {
    "an extra header": lambda forger: (
        forger.proof(headers={"X-Forwarded-For": "1.2.3.4"}).encode().encode()
    ),
    "a header less": lambda forger: forger.proof(headers={"X-PAO-Nonce": ""}).encode().encode(),
    "a token that is not signed": lambda forger: encode_header(forger.document(token="t" * 100)),
    "another service of AWS": lambda forger: forger.proof(service="s3").encode().encode(),
    "another region": lambda forger: forger.proof(region="us-east-1").encode().encode(),
    "another algorithm": lambda forger: encode_header(
        forger.document(
            authorization=forger.proof().authorization.replace("HMAC-SHA256", "ECDSA-P256-SHA256")
        )
    ),
    "two signatures": lambda forger: encode_header(
        forger.document(authorization=f"{forger.proof().authorization}, Signature={'0' * 64}")
    ),
    "a line break": lambda forger: encode_header(
        forger.document(authorization=f"{forger.proof().authorization}\r\nHost: evil")
    ),
    "a date of another day": lambda forger: encode_header(forger.document(date="20200101T000000Z")),
    "a scope of another day": lambda forger: encode_header(
        forger.document(
            authorization=re.sub(r"/\d{8}/", "/20200101/", forger.proof().authorization)
        )
    ),
    "a day beyond the calendar": lambda forger: encode_header(
        forger.document(
            date="20261399T000000Z",
            authorization=re.sub(r"/\d{8}/", "/20261399/", forger.proof().authorization),
        )
    ),
    "a date that is none": lambda forger: encode_header(forger.document(date="20261399T000000Z")),
    "a date with more": lambda forger: encode_header(
        forger.document(date="20261129T220000Z\r\nX: y")
    ),
    "a short nonce": lambda forger: encode_header(forger.document(nonce="n")),
    "a nonce with more": lambda forger: encode_header(forger.document(nonce="n" * 32 + "\r\nX: y")),
    "a member more": lambda forger: encode_header(forger.document(host="sts.evil.example")),
    "a member less": lambda forger: encode_header(forger.document(nonce=None)),
    "a member twice": lambda forger: encode_header(
        json.dumps(forger.document())[:-1] + ',"date":"20200101T000000Z"}'
    ),
    "a number": lambda forger: encode_header(forger.document(nonce=1)),
    "a list": lambda _: encode_header([]),
    "nested": lambda _: encode_header("[" * 5000),
    "no JSON": lambda _: encode_header("authorization"),
    "no base64": lambda _: b"{}",
    "spaces": lambda forger: forger.proof().encode().encode() + b" ",
    "more than 8 kB": lambda forger: encode_header(forger.document(token="t" * 6200)),
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("what", UNREADABLE, ids=str)
async def test_a_header_is_refused_without_asking_aws_for(sts: StsIdentity, what: str) -> None:
    call, now = request(UNREADABLE[what](FORGER)), datetime.now(UTC)
    with pytest.raises(SignatureError) as caught:
        sts.check_head(call, now)
    assert caught.value.reason in {Reason.MALFORMED, Reason.EXPIRED}
    with pytest.raises(SignatureError):
        await sts.authenticate(call, now)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("another region", f"sign for STS in the region {REGION}"),
        ("a scope of another day", "the credential's date differs from the call's date"),
        ("a day beyond the calendar", "the date is not a valid date"),
        ("a token that is not signed", "SignedHeaders must be exactly accept;.*-security-token"),
        ("a short nonce", "the nonce must be 16 to 64"),
    ],
)
def test_a_header_that_is_refused_says_what_to_correct(
    sts: StsIdentity, what: str, told: str
) -> None:
    with pytest.raises(SignatureError, match=told):
        sts.check_head(request(UNREADABLE[what](FORGER)), datetime.now(UTC))


async def test_a_header_that_is_readable_is_asked_about(sts: StsIdentity) -> None:
    call = request(sts_header(AWAY, CREDENTIALS))
    sts.check_head(call, datetime.now(UTC))
    with pytest.raises(PaoError, match="AWS cannot identify you now"):
        await sts.authenticate(call, datetime.now(UTC))


def test_the_header_comes_once(sts: StsIdentity) -> None:
    call = request(sts_header(AWAY, CREDENTIALS))
    for headers in (call.headers * 2, ()):
        with pytest.raises(SignatureError, match="must be sent once"):
            sts.check_head(dataclasses.replace(call, headers=headers), datetime.now(UTC))


@pytest.mark.parametrize(("beyond", "good"), [(0, True), (1, False)])
def test_a_header_may_have_8_kb(sts: StsIdentity, beyond: int, *, good: bool) -> None:
    # Three bytes of a token make four of the header; spaces of the document fill the rest.
    document = FORGER.document(token="t" * 5000)
    document["authorization"] = document["authorization"].replace(
        "host;x-amz-date;", "host;x-amz-date;x-amz-security-token;"
    )
    text = json.dumps(document)
    header = encode_header(text + " " * (LONGEST_HEADER // 4 * 3 + beyond - len(text)))
    assert len(header) - LONGEST_HEADER == (2 if beyond else 0)
    if good:
        sts.check_head(request(header), datetime.now(UTC))
        return
    with pytest.raises(SignatureError, match="is longer than"):
        sts.check_head(request(header), datetime.now(UTC))


@pytest.mark.parametrize(
    ("seconds", "good"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_clocks_may_differ_by_five_minutes(sts: StsIdentity, seconds: int, *, good: bool) -> None:
    document = FORGER.document()
    made = datetime.strptime(document["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    call, now = request(encode_header(document)), made + timedelta(seconds=seconds)
    if good:
        sts.check_head(call, now)
        return
    with pytest.raises(SignatureError) as caught:
        sts.check_head(call, now)
    assert caught.value.reason is Reason.EXPIRED
    assert f"signed at {made:%Y-%m-%dT%H:%M:%SZ}" in caught.value.message
    assert f"{now:%Y-%m-%dT%H:%M:%SZ}" in caught.value.message


ROOT = read_caller(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)
"""Somebody in no group, so that the directory is not asked."""


class Answering(Sts):
    """Answers as a test says, and when it says so."""

    def __init__(self, answer: AwsCaller | StsRefusedError) -> None:
        self.answer = answer
        self.asked: list[Mapping[str, str]] = []
        self.may_answer, self.all_asked = asyncio.Event(), asyncio.Event()

    async def identify(self, headers: Mapping[str, str]) -> AwsCaller:
        self.asked.append(headers)
        if len(self.asked) == MAX_CONCURRENT:
            self.all_asked.set()
        await self.may_answer.wait()
        if isinstance(self.answer, StsRefusedError):
            raise self.answer
        return self.answer


def asking(sts: Answering) -> StsIdentity:
    config = StsConfig(url=AWAY.sts_url, region=REGION, server_id=SERVER)
    return StsIdentity(config, sts, people(AWAY), ReplaysInMemory(datetime.now(UTC)))


async def test_who_aws_names_is_the_caller_for_an_hour_and_by_one_call() -> None:
    sts = Answering(ROOT)
    sts.may_answer.set()
    source, call, now = asking(sts), request(sts_header(AWAY, CREDENTIALS)), datetime.now(UTC)
    caller = await source.authenticate(call, now)
    assert (caller.id, caller.account, caller.arn) == (ACCOUNT, ACCOUNT, ROOT.arn)
    assert (caller.source, caller.teams, caller.aws) == ("sts", (), ROOT)
    assert caller.valid_until == now + timedelta(hours=1)
    [asked] = sts.asked
    assert asked["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAXXXX")
    assert (asked["Host"], asked["X-PAO-Server-Id"]) == ("127.0.0.1:9", SERVER)
    with pytest.raises(SignatureError, match="already used") as caught:
        await source.authenticate(call, now + timedelta(minutes=4))
    assert caught.value.reason is Reason.EXPIRED
    another = request(sts_header(AWAY, CREDENTIALS))
    assert (await source.authenticate(another, now)).id == ACCOUNT


@pytest.mark.parametrize(
    ("code", "reason"),
    [("ExpiredToken", Reason.EXPIRED), ("SignatureDoesNotMatch", Reason.SIGNATURE_MISMATCH)],
)
async def test_a_refusal_of_aws_is_told_with_its_code(code: str, reason: Reason) -> None:
    sts = Answering(StsRefusedError(code))
    sts.may_answer.set()
    with pytest.raises(SignatureError, match=rf"\({code}\).*made for {SERVER}") as caught:
        await asking(sts).authenticate(request(sts_header(AWAY, CREDENTIALS)), datetime.now(UTC))
    assert caught.value.reason is reason


async def test_aws_is_asked_for_fifty_calls_at_once_and_again_when_one_has_ended() -> None:
    sts = Answering(StsRefusedError("AccessDenied"))
    source, call, now = asking(sts), request(sts_header(AWAY, CREDENTIALS)), datetime.now(UTC)
    for _ in range(2):
        sts.asked.clear()
        sts.may_answer.clear()
        sts.all_asked.clear()
        waiting = [
            asyncio.create_task(source.authenticate(call, now)) for _ in range(MAX_CONCURRENT)
        ]
        await sts.all_asked.wait()
        with pytest.raises(PaoError, match="AWS cannot identify you now") as caught:
            await source.authenticate(call, now)
        assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
        assert caught.value.headers == {"Retry-After": "5"}
        assert len(sts.asked) == MAX_CONCURRENT == 50
        sts.may_answer.set()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, SignatureError) for one in ended)
