import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.raw import RawRequest, raw_request_from_scope
from api.auth.signature_errors import Reason, SignatureError
from api.auth.sigv4 import SigV4Config, matches, parse
from tests.api.auth.signing import KEY_ID, REGION, SECRET, presign, sign

CONFIG = SigV4Config(region=REGION)
BODY = b'{"catalogItemId": "database-postgresql-standard", "fields": {"size": 100}}'


def holds(request: RawRequest, *, secret: str = SECRET) -> bool:
    return matches(parse(request, CONFIG, datetime.now(UTC)), request, secret)


def refusal(request: RawRequest, *, now: datetime | None = None) -> SignatureError:
    with pytest.raises(SignatureError) as caught:
        parse(request, CONFIG, now or datetime.now(UTC))
    return caught.value


def is_refused(request: RawRequest) -> bool:
    try:
        return not holds(request)
    except SignatureError:
        return True


def with_header(request: RawRequest, name: str, value: str) -> RawRequest:
    return dataclasses.replace(request, headers=(*request.headers, (name.encode(), value.encode())))


def change_header(
    request: RawRequest, name: bytes, change: Callable[[bytes], bytes | None]
) -> RawRequest:
    changed = [(key, change(value) if key == name else value) for key, value in request.headers]
    kept = tuple((key, value) for key, value in changed if value is not None)
    return dataclasses.replace(request, headers=kept)


def test_a_signed_request_holds_and_names_its_key() -> None:
    request = sign("POST", "/api/v1/requests?a=1", body=BODY)
    assert parse(request, CONFIG, datetime.now(UTC)).access_key_id == KEY_ID
    assert holds(request)
    assert not holds(request, secret="another")


@pytest.mark.parametrize("path", ["/api/v1/lists/../requests", "/a/b/c/../../d//./e/"])
def test_a_path_is_signed_without_its_dots(path: str) -> None:
    assert holds(sign(target=path))


def test_a_presigned_url_holds() -> None:
    request = presign("/api/v1/requests?status=failed&a=%20b")
    assert holds(request)
    assert not holds(request, secret="another")


@pytest.mark.parametrize("make", [sign, presign])
def test_each_byte_of_the_path_is_signed(make: Callable[..., RawRequest]) -> None:
    request = make(target="/api/v1/requests/7b0c?limit=5&status=failed")
    for position in range(len(request.raw_path)):
        for byte in b"/.x7%+ ":
            path = _with_byte(request.raw_path, position, byte)
            if path != request.raw_path:
                assert is_refused(dataclasses.replace(request, raw_path=path)), path


@pytest.mark.parametrize("make", [sign, presign])
def test_each_byte_of_the_query_is_signed(make: Callable[..., RawRequest]) -> None:
    request = make(target="/api/v1/requests?limit=5&q=a%20b&status=failed")
    for position in range(len(request.raw_query)):
        for byte in b"&=x7%+":
            query = _with_byte(request.raw_query, position, byte)
            if query != request.raw_query:
                assert is_refused(dataclasses.replace(request, raw_query=query)), query


def test_each_byte_of_the_body_is_signed() -> None:
    request = sign("POST", body=BODY)
    for position in range(len(BODY)):
        changed = _with_byte(BODY, position, BODY[position] ^ 1)
        assert is_refused(dataclasses.replace(request, body=changed))
    assert is_refused(dataclasses.replace(request, body=BODY + b" "))
    assert is_refused(dataclasses.replace(request, body=b""))


@pytest.mark.parametrize("name", [b"host", b"x-amz-date", b"content-type"])
def test_each_byte_of_a_signed_header_is_signed(name: bytes) -> None:
    request = sign("POST", body=BODY, headers={"Content-Type": "application/json"})
    (value,) = request.values(name)
    for position in range(len(value)):
        changed = _with_byte(value, position, value[position] ^ 1)
        if changed.split() != value.split():
            assert is_refused(change_header(request, name, partial(_instead, new=changed))), changed
            assert is_refused(with_header(request, name.decode(), changed.decode("latin-1")))


def test_each_digit_of_the_signature_counts() -> None:
    request = sign()
    (value,) = request.values(b"authorization")
    for position in range(len(value) - 64, len(value)):
        changed = _with_byte(value, position, value[position] ^ 1)
        assert is_refused(change_header(request, b"authorization", partial(_instead, new=changed)))


def test_the_method_is_signed() -> None:
    request = sign("POST", "/api/v1/requests/7b0c/retry", body=BODY)
    assert is_refused(dataclasses.replace(request, method="PUT"))


def test_a_signed_plus_sign_cannot_become_a_space_where_something_is_done() -> None:
    request = sign("POST", "/api/v1/requests?q=a%2Bb", body=BODY)
    assert is_refused(dataclasses.replace(request, raw_query=b"q=a+b"))
    assert is_refused(dataclasses.replace(request, raw_query=b"q=a%20b"))


def test_the_path_goes_as_it_was_sent_not_as_it_decodes() -> None:
    request = sign(target="/api/v1/requests/a%2Fb")
    assert holds(request)
    assert is_refused(dataclasses.replace(request, raw_path=b"/api/v1/requests/a/b"))


def test_an_unsigned_request_is_missing_its_signature() -> None:
    bare = RawRequest("GET", b"/", b"", ((b"host", b"pao.example"),), b"")
    assert refusal(bare).reason is Reason.MISSING


@pytest.mark.parametrize(
    "shift", [timedelta(minutes=5, seconds=2), -timedelta(minutes=5, seconds=2)]
)
def test_a_clock_that_differs_by_more_than_five_minutes_is_expired(shift: timedelta) -> None:
    now = datetime.now(UTC)
    assert refusal(sign(), now=now + shift).reason is Reason.EXPIRED
    parse(sign(), CONFIG, now + shift * 0.98)


def test_a_presigned_url_ends_when_it_said() -> None:
    now = datetime.now(UTC)
    request = presign(expires=600)
    parse(request, CONFIG, now + timedelta(seconds=598))
    assert refusal(request, now=now + timedelta(seconds=602)).reason is Reason.EXPIRED
    assert refusal(request, now=now - timedelta(minutes=6)).reason is Reason.EXPIRED


@pytest.mark.parametrize("expires", [0, -1, 604801, 99999999])
def test_a_presigned_url_lives_seven_days_at_most(expires: int) -> None:
    told = refusal(presign(expires=expires)).message
    assert told == "X-Amz-Expires must be a number of seconds from 1 to 604800"


@pytest.mark.parametrize("expires", [1, 604800])
def test_a_presigned_url_may_live_a_second_or_seven_days(expires: int) -> None:
    request = presign(expires=expires)
    [text] = parse_qs(request.raw_query.decode())["X-Amz-Date"]
    ends = datetime.strptime(text, "%Y%m%dT%H%M%S%z") + timedelta(seconds=expires)
    parse(request, CONFIG, ends)
    late = refusal(request, now=ends + timedelta(microseconds=1))
    assert late.reason is Reason.EXPIRED


def test_a_presigned_url_is_good_for_reading_only() -> None:
    assert "GET only" in refusal(presign(method="POST")).message
    assert "GET only" in refusal(presign(method="HEAD")).message


def test_a_presigned_url_without_one_of_its_parameters_is_malformed() -> None:
    request = presign()
    for pair in request.raw_query.split(b"&"):
        query = b"&".join(p for p in request.raw_query.split(b"&") if p != pair)
        assert "lacks X-Amz-" in refusal(dataclasses.replace(request, raw_query=query)).message


def test_a_presigned_parameter_s_name_ends_at_its_first_equals_sign() -> None:
    request = presign()
    for pair in request.raw_query.split(b"&"):
        query = request.raw_query.replace(pair, pair + b"=")
        assert "lacks" not in refusal(dataclasses.replace(request, raw_query=query)).message


def test_a_presigned_parameter_sent_twice_or_misspelt_is_malformed() -> None:
    request = presign()
    for pair in request.raw_query.split(b"&"):
        query = request.raw_query + b"&" + pair
        assert "must be sent once" in refusal(dataclasses.replace(request, raw_query=query)).message
    misspelt = dataclasses.replace(request, raw_query=request.raw_query.replace(b"X-", b"x-"))
    assert "spelled exactly like this" in refusal(misspelt).message


@pytest.mark.parametrize("name", ["X-Amz-Security-Token", "X-Amz-Content-Sha256"])
def test_what_else_a_presigned_url_carries_is_sent_once_and_spelt_well(name: str) -> None:
    request = presign()
    for query in (f"{name.lower()}=x", f"{name}=x&{name}=x"):
        given = request.raw_query + b"&" + query.encode()
        told = refusal(dataclasses.replace(request, raw_query=given)).message
        assert f"{name} must be sent once" in told


def test_a_presigned_url_may_declare_the_hash_of_its_body() -> None:
    digest = parse(presign(), CONFIG, datetime.now(UTC)).payload_hash
    target = "/api/v1/requests?X-Amz-Content-Sha256={}"
    parse(presign(target.format(digest)), CONFIG, datetime.now(UTC))
    wrong = refusal(presign(target.format("0" * 64)))
    assert wrong.reason is Reason.SIGNATURE_MISMATCH
    beside = with_header(presign(), "x-amz-content-sha256", "0" * 64)
    assert refusal(beside).reason is Reason.SIGNATURE_MISMATCH
    assert "UNSIGNED-PAYLOAD is not" in refusal(presign(target.format("UNSIGNED-PAYLOAD"))).message


@pytest.mark.parametrize(("length", "good"), [(1, True), (128, True), (129, False)])
def test_an_access_key_id_has_128_characters_at_most(length: int, *, good: bool) -> None:
    request = sign(key_id="A" * length)
    if good:
        assert parse(request, CONFIG, datetime.now(UTC)).access_key_id == "A" * length
        return
    assert "the credential must be <access key id>" in refusal(request).message


def test_credentials_in_header_and_query_at_once_are_refused() -> None:
    both = dataclasses.replace(presign(), headers=sign().headers)
    assert "send one of them" in refusal(both).message
    partly = dataclasses.replace(sign(), raw_query=b"X-Amz-Signature=" + b"0" * 64)
    assert "send one of them" in refusal(partly).message


@pytest.mark.parametrize("request_", [sign(region="us-east-1"), sign(service="sts")])
def test_another_region_or_service_is_malformed_and_says_which_to_use(
    request_: RawRequest,
) -> None:
    error = refusal(request_)
    assert error.reason is Reason.MALFORMED
    assert "'eu-west-1'" in error.message
    assert "'execute-api'" in error.message


def test_the_scope_has_the_date_of_the_request() -> None:
    day = datetime.now(UTC).strftime("%Y%m%d").encode()
    request = change_header(sign(), b"authorization", lambda value: value.replace(day, b"20200101"))
    assert "date differs" in refusal(request).message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256"),
        (b"AWS4-HMAC-SHA256", b"Bearer"),
        (b"aws4_request", b"aws4_requests"),
        (b"Credential=", b"Credentials="),
        (b"Credential=PAOTESTKEY", b"Credential="),
        (b"Signature=", b"Signature=0"),
        (b"SignedHeaders=host;x-amz-date", b"SignedHeaders=x-amz-date;host"),
        (b"SignedHeaders=host;x-amz-date", b"SignedHeaders=host;host;x-amz-date"),
        (b"SignedHeaders=host;x-amz-date", b"SignedHeaders=Host;x-amz-date"),
        (b"SignedHeaders=host;x-amz-date", b"SignedHeaders=x-amz-date"),
        (b"SignedHeaders=host;x-amz-date", b"SignedHeaders=host"),
        (b"SignedHeaders=host;x-amz-date", b"SignedHeaders="),
        (b"SignedHeaders=host;x-amz-date", b"SignedHeaders=absent;host;x-amz-date"),
        (b"SignedHeaders=", b"SignedHeaders=host, SignedHeaders="),
    ],
)
def test_an_authorization_that_is_not_well_formed_is_refused(old: bytes, new: bytes) -> None:
    request = sign()
    assert old in request.values(b"authorization")[0]
    changed = change_header(request, b"authorization", lambda value: value.replace(old, new))
    assert refusal(changed).reason is Reason.MALFORMED


@given(st.binary())
def test_no_authorization_header_breaks_the_parser(value: bytes) -> None:
    refusal(RawRequest("GET", b"/", b"", ((b"host", b"h"), (b"authorization", value)), b""))


@given(st.binary(), st.binary())
def test_no_path_or_query_breaks_the_verifier(path: bytes, query: bytes) -> None:
    assert is_refused(dataclasses.replace(sign(), raw_path=path, raw_query=query))


@pytest.mark.parametrize(
    "date",
    [
        "",
        "20260230T000000Z",
        "99991231T235959Z",
        "00010101T000000Z",
        "2026-01-31T23:59:59Z",
        "\u0662\u0660\u0662\u0666\u0660\u0661\u0663\u0661T000000Z",
    ],
)
def test_a_date_that_is_no_date_is_refused(date: str) -> None:
    request = change_header(sign(), b"x-amz-date", lambda _: date.encode())
    day = datetime.now(UTC).strftime("%Y%m%d").encode()
    scoped = change_header(
        request, b"authorization", lambda value: value.replace(day, date[:8].encode())
    )
    assert refusal(scoped).reason in {Reason.MALFORMED, Reason.EXPIRED}


def test_a_request_without_its_date_is_malformed() -> None:
    assert "no X-Amz-Date" in refusal(change_header(sign(), b"x-amz-date", lambda _: None)).message


@pytest.mark.parametrize(
    "name",
    ["authorization", "host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"],
)
def test_a_header_that_decides_may_come_once(name: str) -> None:
    digest = parse(sign(), CONFIG, datetime.now(UTC)).payload_hash
    request = sign(token="a-session", headers={"X-Amz-Content-SHA256": digest})
    repeated = with_header(request, name, request.values(name.encode())[0].decode())
    assert f"{name} was sent more than once" in refusal(repeated).message


def test_an_amazon_header_that_is_not_signed_is_refused() -> None:
    request = with_header(sign(), "x-amz-target", "Delete")
    assert "must be signed: x-amz-target" in refusal(request).message


def test_a_content_hash_may_be_unsigned_when_it_is_true() -> None:
    digest = parse(sign("POST", body=BODY), CONFIG, datetime.now(UTC)).payload_hash
    request = sign("POST", body=BODY)
    assert holds(with_header(request, "x-amz-content-sha256", digest))
    wrong = with_header(request, "x-amz-content-sha256", "0" * 64)
    assert refusal(wrong).reason is Reason.SIGNATURE_MISMATCH


@pytest.mark.parametrize("declared", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"])
def test_a_body_that_is_not_hashed_is_refused(declared: str) -> None:
    request = sign("POST", body=BODY, headers={"X-Amz-Content-SHA256": declared})
    error = refusal(request)
    assert error.reason is Reason.MALFORMED
    assert "sign the hash of the body" in error.message


def test_no_refusal_tells_the_expected_signature_or_the_secret() -> None:
    request = sign("POST", body=BODY)
    error = refusal(with_header(request, "x-amz-content-sha256", "0" * 64))
    assert SECRET not in repr(error)
    assert parse(request, CONFIG, datetime.now(UTC)).payload_hash not in error.message


def test_a_request_is_taken_from_its_scope_as_its_bytes_came() -> None:
    scope = {
        "method": "PUT",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"c=%2F",
        "headers": [(b"X-A", b"One"), (b"x-a", b"two")],
    }
    headers = ((b"x-a", b"One"), (b"x-a", b"two"))
    request = RawRequest("PUT", b"/a%20b", b"c=%2F", headers, b"body")
    assert raw_request_from_scope(scope, b"body") == request
    reached = raw_request_from_scope(scope | {"pao.peer": "10.1.2.3"}, b"body")
    assert reached == dataclasses.replace(request, peer="10.1.2.3")
    assert reached.values(b"x-a") == [b"One", b"two"]


def test_a_server_without_raw_paths_is_told_of_once() -> None:
    scope = {"method": "GET", "path": "/", "query_string": b"", "headers": []}
    with pytest.raises(TypeError, match="raw_path"):
        raw_request_from_scope(scope, b"")


def _instead(_: bytes, *, new: bytes) -> bytes:
    return new


def _with_byte(text: bytes, position: int, byte: int) -> bytes:
    return text[:position] + bytes([byte]) + text[position + 1 :]
