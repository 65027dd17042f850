"""AWS credentials, proven by a signed call to STS: what counts, and everything that must not."""

import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.auth.signature_errors import Reason, SignatureError
from api.auth.sources.sts import StsIdentity
from pao.clients.aws.sts import LARGEST_ANSWER
from pao.clients.bounded_http import BoundedHttp
from pao.core.errors import ErrorCode, PaoError
from tests.api.auth.sources.office import (
    PATH,
    QUERY,
    SERVER,
    Forger,
    office,
    request,
    sts_header,
)
from tests.support.aws import ACCOUNT, Aws, identity


@pytest.fixture
async def http() -> AsyncIterator[BoundedHttp]:
    http = BoundedHttp()
    yield http
    await http.close()


@pytest.fixture(scope="module")
def dana(running_aws_server: Aws) -> tuple[str, ReadOnlyCredentials]:
    return running_aws_server.user("sts-dana", "sts-orders", path="/people/")


@pytest.fixture
def sts(aws: Aws, http: BoundedHttp) -> StsIdentity:
    return office(aws, http)


def now() -> datetime:
    return datetime.now(UTC)


Dana = tuple[str, ReadOnlyCredentials]


async def test_aws_says_who_signed(aws: Aws, sts: StsIdentity, dana: Dana) -> None:
    unique_id, credentials = dana
    caller = await sts.authenticate(request(sts_header(aws, credentials)), now())
    assert (caller.id, caller.account, caller.source) == (unique_id, ACCOUNT, "sts")
    assert caller.arn == f"arn:aws:iam::{ACCOUNT}:user/people/sts-dana"
    assert caller.teams == (f"arn:aws:iam::{ACCOUNT}:group/sts-orders",)


async def test_the_call_to_aws_is_built_here(aws: Aws, sts: StsIdentity, dana: Dana) -> None:
    await sts.authenticate(request(sts_header(aws, dana[1])), now())
    [asked] = aws.asked
    assert asked["method"] == "POST"
    assert asked["body"] == "Action=GetCallerIdentity&Version=2011-06-15"
    assert asked["host"] == aws.sts_url.removeprefix("http://")
    assert asked["x-pao-server-id"] == SERVER


ELSEWHERE: dict[str, dict[str, Any]] = {
    "another service": {"server_id": "https://other.example.com"},
    "another method": {"method": "POST"},
    "another path": {"raw_path": b"/api/v1/catalog"},
    "another query": {"raw_query": b"limit=2"},
    "no query": {"raw_query": b""},
    "another body": {"body": b"{}"},
    "another host": {"sts_url": "https://sts.evil.example"},
}


@pytest.mark.parametrize("what", ELSEWHERE, ids=str)
async def test_a_signature_for_something_else_is_refused(
    aws: Aws, sts: StsIdentity, dana: Dana, what: str
) -> None:
    header = sts_header(aws, dana[1], **ELSEWHERE[what])
    with pytest.raises(SignatureError) as caught:
        await sts.authenticate(request(header), now())
    assert caught.value.reason is Reason.SIGNATURE_MISMATCH


FORGED: dict[str, dict[str, Any]] = {
    "another action": {"body": b"Action=GetSessionToken&Version=2011-06-15"},
    "another version": {"body": b"Action=GetCallerIdentity&Version=2012-01-01"},
    "GET": {"method": "GET", "body": b""},
    "a query": {"url": "QUERY"},
    "a path": {"url": "PATH"},
    "another type of answer": {"headers": {"Accept": "text/xml"}},
}


@pytest.mark.parametrize("what", FORGED, ids=str)
async def test_no_other_call_to_aws_proves_anything(
    aws: Aws, sts: StsIdentity, dana: Dana, what: str
) -> None:
    given = dict(FORGED[what])
    places = {"QUERY": f"{aws.sts_url}/?Action=AssumeRole", "PATH": f"{aws.sts_url}/x"}
    if "url" in given:
        given["url"] = places[given["url"]]
    proof = Forger(aws, dana[1]).proof(**given)
    with pytest.raises(SignatureError) as caught:
        await sts.authenticate(request(proof.encode()), now())
    assert caught.value.reason is Reason.SIGNATURE_MISMATCH


async def test_a_token_of_5_kb_is_asked_about_and_a_forged_one_refused(
    aws: Aws, sts: StsIdentity, dana: Dana
) -> None:
    _, credentials = dana
    forged = ReadOnlyCredentials(credentials.access_key, credentials.secret_key, "t" * 5000)
    aws.answer = JSONResponse({"Error": {"Code": "InvalidClientTokenId"}}, 403)
    with pytest.raises(SignatureError) as caught:
        await sts.authenticate(request(sts_header(aws, forged)), now())
    assert caught.value.reason is Reason.SIGNATURE_MISMATCH
    assert aws.asked[0]["x-amz-security-token"] == "t" * 5000


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_each_signature_is_good_once(
    aws: Aws, sts: StsIdentity, dana: Dana, method: str
) -> None:
    call = request(sts_header(aws, dana[1], method=method), method)
    await sts.authenticate(call, now())
    again = dataclasses.replace(call, headers=(*call.headers, (b"idempotency-key", b"k")))
    for repeat in (call, again):
        with pytest.raises(SignatureError) as caught:
            await sts.authenticate(repeat, now())
        assert caught.value.reason is Reason.EXPIRED


async def test_credentials_that_have_expired_are_told_apart(
    aws: Aws, sts: StsIdentity, dana: Dana
) -> None:
    aws.answer = JSONResponse({"Error": {"Code": "ExpiredToken", "Message": "secret"}}, 403)
    with pytest.raises(SignatureError) as caught:
        await sts.authenticate(request(sts_header(aws, dana[1])), now())
    assert caught.value.reason is Reason.EXPIRED
    assert "secret" not in caught.value.message


USER = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/eve", "UserId": "AIDA" + "X" * 17}
ROLE = {
    "Account": ACCOUNT,
    "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build",
    "UserId": "AROA" + "X" * 17 + ":build",
}
GOOD = json.dumps(identity(**USER))


def text_response(text: str, status: int = 200, kind: str = "application/json") -> Response:
    return Response(text, status, media_type=kind)


ANSWERS: dict[str, Response] = {
    "a redirect": RedirectResponse("http://127.0.0.1:1/"),
    "10 MB": text_response(" " * 10_000_000 + GOOD),
    "just too much": text_response(" " * LARGEST_ANSWER + GOOD),
    "nested": text_response("[" * 16_000),
    "XML": text_response("<GetCallerIdentityResponse/>", kind="text/xml"),
    "JSON that calls itself XML": text_response(GOOD, kind="text/xml"),
    "no JSON": text_response("{"),
    "JSON after a byte order mark": text_response(f"\ufeff{GOOD}"),
    "JSON of a key set": text_response(GOOD, kind="application/jwk-set+json"),
    "a list": text_response("[]"),
    "a document more": text_response(json.dumps(identity(**USER) | {"x": 1})),
    "a key more": text_response(json.dumps(identity(**USER, Name="x"))),
    "a key less": text_response(json.dumps(identity(Account=ACCOUNT, Arn=USER["Arn"]))),
    "an account twice": text_response(
        GOOD.replace('"Account"', f'"Account": "{ACCOUNT}", "Account"')
    ),
    "a number": text_response(GOOD.replace(f'"{ACCOUNT}"', ACCOUNT)),
    "another account in the ARN": text_response(
        json.dumps(identity(**USER | {"Account": "1" * 12}))
    ),
    "another session in the ARN": text_response(
        json.dumps(identity(**ROLE | {"UserId": "AROA" + "X" * 17 + ":other"}))
    ),
    "a role that is called a user": text_response(
        json.dumps(identity(**USER | {"UserId": ROLE["UserId"]}))
    ),
    "a null in the ARN": text_response(json.dumps(identity(**USER | {"Arn": f"{USER['Arn']}\0"}))),
    "no ARN": text_response(json.dumps(identity(**USER | {"Arn": "dana"}))),
    "an answer of another action": text_response(json.dumps({"AssumeRoleResponse": {}})),
    "201": text_response(GOOD, 201),
    "500": text_response(GOOD, 500),
    "429": text_response(GOOD, 429),
    "throttled": text_response('{"Error": {"Code": "Throttling"}}', 400),
    "a number beyond all bounds": text_response(GOOD.replace(f'"{ACCOUNT}"', "1e400")),
}


@pytest.mark.parametrize("what", ANSWERS, ids=str)
async def test_an_answer_is_not_believed_that_is(
    aws: Aws, sts: StsIdentity, dana: Dana, what: str
) -> None:
    aws.answer = ANSWERS[what]
    with pytest.raises(PaoError) as caught:
        await sts.authenticate(request(sts_header(aws, dana[1])), now())
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE


async def test_callers_of_another_account_are_not_let_in(
    aws: Aws, sts: StsIdentity, dana: Dana
) -> None:
    other = {"Account": "9" * 12, "Arn": f"arn:aws:iam::{'9' * 12}:user/eve"}
    aws.answer = JSONResponse(identity(**USER | other))
    with pytest.raises(PaoError) as caught:
        await sts.authenticate(request(sts_header(aws, dana[1])), now())
    assert caught.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    ("arn", "user_id"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/dana", f"{ACCOUNT}:dana"),
    ],
    ids=["root", "federated"],
)
async def test_root_and_federated_users_are_known_and_in_no_team(
    aws: Aws, sts: StsIdentity, dana: Dana, arn: str, user_id: str
) -> None:
    aws.answer = JSONResponse(identity(Account=ACCOUNT, Arn=arn, UserId=user_id))
    caller = await sts.authenticate(request(sts_header(aws, dana[1])), now())
    assert (caller.id, caller.teams) == (user_id, ())


def test_what_is_signed_is_what_the_manual_says() -> None:
    from pao.clients.aws.signing import request_hash, signed_headers  # noqa: PLC0415 -- only here

    assert signed_headers(with_token=True) == (
        "accept;content-type;host;x-amz-date;x-amz-security-token;"
        "x-pao-nonce;x-pao-request-sha256;x-pao-server-id"
    )
    # printf 'GET\n/api/v1/requests\nlimit=1\n%s' "$(printf '' | sha256sum | cut -c-64)" | sha256sum
    assert request_hash("GET", PATH, QUERY, b"") == (
        "108adfcf7567fed92ba447a90a2fb1dcdf690f1105ad5b1d3452c6a293e4d90b"
    )
