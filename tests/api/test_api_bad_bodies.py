"""Bodies that no honest client sends: each is answered in the envelope, and nothing is stored."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPResponse
from typing import Any

import httpx
import pytest

from tests.support.callers import DANA, Signature
from tests.support.stack import Stack
from tests.support.submissions import ITEM, dns_body, error_of, submit_completed

JSON = {"Content-Type": "application/json"}

UNREADABLE = {
    "empty": b"",
    "blank": b"   ",
    "not JSON": b"catalogItemId=network-dns-record",
    "cut off": b'{"catalogItemId": "network-dns',
    "two documents": b"{} {}",
    "invalid UTF-8": b'{"catalogItemId": "\xff\xfe"}',
    "UTF-16": '{"catalogItemId": "x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NaN": b'{"catalogItemId": "x", "fields": {"ttl": NaN}}',
    "Infinity": b'{"catalogItemId": "x", "fields": {"ttl": -Infinity}}',
    "10,000 lists": b'{"catalogItemId": "x", "fields": {"a": '
    + b"[" * 10_000
    + b"]" * 10_000
    + b"}}",
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "10,000 open brackets": b"[" * 10_000,
    "the same key twice": b'{"catalogItemId": "x", "catalogItemId": "y"}',
    "the same field twice": b'{"catalogItemId": "x", "fields": {"a": 1, "a": 2}}',
    "a number of 5,000 digits": b'{"catalogItemId": "x", "fields": {"a": ' + b"9" * 5_000 + b"}}",
    "a number without end": b'{"catalogItemId": "x", "fields": {"a": 1e999}}',
}

WRONG: dict[str, Any] = {
    "a list": [],
    "a text": "network-dns-record",
    "a number": 7,
    "null": None,
    "nothing in it": {},
    "an unknown key": {**dns_body(), "catalogItem": "x"},
    "the key in snake case": {"catalog_item_id": ITEM, "fields": dns_body()["fields"]},
    "an id that is a number": {"catalogItemId": 7},
    "an empty id": {"catalogItemId": ""},
    "a long id": {"catalogItemId": "x" * 201},
    "fields that are a list": {"catalogItemId": ITEM, "fields": []},
    "fields that are null": {"catalogItemId": ITEM, "fields": None},
    "metadata that are a text": {**dns_body(), "metadata": "x"},
    "unknown metadata": {**dns_body(), "metadata": {"owner": "x"}},
    "a tag that is a number": {**dns_body(), "metadata": {"tags": [1]}},
    "too many tags": {**dns_body(), "metadata": {"tags": ["x"] * 51}},
}

UNSTORABLE: dict[str, Any] = {
    "a null character in a field": dns_body("a\x00b.example.com"),
    "a null character in a field's name": {"catalogItemId": ITEM, "fields": {"a\x00": 1}},
    "a null character in a tag": {**dns_body(), "metadata": {"tags": ["a\x00b"]}},
    "a null character in the note": {**dns_body(), "metadata": {"note": "a\x00b"}},
    "a lone surrogate in a field": dns_body("\ud800.example.com"),
    "a lone surrogate in a text": dns_body(recordType="TXT", text="x\ud800y"),
    "a lone surrogate in a tag": {**dns_body(), "metadata": {"tags": ["\ud800"]}},
    "a lone surrogate in the note": {**dns_body(), "metadata": {"note": "\udfff"}},
    "a lone surrogate in a field's name": {"catalogItemId": ITEM, "fields": {"\ud800": 1}},
    "a null character in a text": dns_body(recordType="TXT", text="x\x00y"),
}


@pytest.fixture(scope="module")
def known(shared_stack: Stack) -> str:
    """A request that the caller may see: who names another one hears nothing about the body."""
    return str(submit_completed(shared_stack.caller(DANA))["id"])


def count(stack: Stack) -> int:
    return int(stack.rows("select count(*) n from requests")[0]["n"])


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_that_cannot_be_read_is_a_400(stack: Stack, dana: httpx.Client, name: str) -> None:
    before = count(stack)
    answer = dana.post("/requests", content=UNREADABLE[name], headers=JSON)
    assert answer.status_code == 400, answer.text
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
    assert error_of(answer)["details"]
    assert count(stack) == before


@pytest.mark.parametrize("name", WRONG)
def test_a_body_of_another_shape_is_a_422_that_names_the_place(
    stack: Stack, dana: httpx.Client, name: str
) -> None:
    before = count(stack)
    answer = dana.post("/requests", content=json.dumps(WRONG[name]), headers=JSON)
    assert answer.status_code == 422, answer.text
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
    assert all(detail["field"] and detail["message"] for detail in error_of(answer)["details"])
    assert count(stack) == before


@pytest.mark.parametrize("name", UNSTORABLE)
def test_characters_that_nothing_can_store_are_refused(
    stack: Stack, dana: httpx.Client, name: str
) -> None:
    before = count(stack)
    body = json.dumps(UNSTORABLE[name])
    answer = dana.post("/requests", content=body, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert error_of(answer)["details"]
    assert count(stack) == before


@pytest.mark.parametrize("path", ["/requests", "/validate/request"])
def test_two_megabytes_are_too_much(dana: httpx.Client, path: str) -> None:
    answer = dana.post(path, content=b'{"a": "' + b"x" * 2 * 1024**2 + b'"}', headers=JSON)
    assert answer.status_code == 413
    assert error_of(answer)["code"] == "PAYLOAD_TOO_LARGE"


def test_two_megabytes_without_a_length_are_too_much(stack: Stack) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(32):
            yield b" " * 65_536

    client = stack.anybody()
    claim = Signature(*stack.key(DANA)).headers_for(client.build_request("POST", "/requests"))
    answer = client.post("/requests", content=pieces(), headers=JSON | claim)
    assert answer.status_code == 413
    assert error_of(answer)["code"] == "PAYLOAD_TOO_LARGE"


MANY = {
    "numbers": b'{"catalogItemId": "x", "fields": {"a": [' + b"1," * 400_000 + b"1]}}",
    "empty lists": b'{"catalogItemId": "x", "fields": {"a": [' + b"[]," * 300_000 + b"[]]}}",
    "keys": json.dumps({"fields": {f"{n:x}": 1 for n in range(60_000)}}).encode(),
}


@pytest.mark.parametrize("name", MANY)
def test_more_values_than_any_form_has_are_refused(dana: httpx.Client, name: str) -> None:
    answer = dana.post("/requests", content=MANY[name], headers=JSON)
    assert answer.status_code == 400, answer.text[:500]
    assert "50,000" in error_of(answer)["message"]


def test_an_answer_shows_no_more_than_200_details_and_says_how_many_there_are(
    dana: httpx.Client,
) -> None:
    body = dns_body()
    body["fields"] |= {f"field-{number}": 1 for number in range(10_000)}
    for answer in (
        dana.post("/requests", json=body),
        dana.post("/requests", json={**dns_body(), **body["fields"]}),
    ):
        assert answer.status_code == 422
        assert len(error_of(answer)["details"]) == 200
        assert "9,8" in error_of(answer)["message"]
        assert len(answer.content) < 200_000


@pytest.mark.parametrize("inside", ["fields", "metadata", None])
def test_a_long_name_is_not_repeated(dana: httpx.Client, inside: str | None) -> None:
    body, name = dns_body(), "n" * 500_000
    body["metadata"] = {}
    (body[inside] if inside else body)[name] = 1
    answer = dana.post("/requests", json=body)
    assert answer.status_code == 422, answer.text[:500]
    [detail] = error_of(answer)["details"]
    assert detail["field"].endswith("n…")
    assert len(answer.content) < 5_000


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_does_not_say_it_is_json_is_refused(
    stack: Stack, dana: httpx.Client, kind: str | None
) -> None:
    before = count(stack)
    headers = {"Content-Type": kind} if kind else {}
    answer = dana.post("/requests", content=json.dumps(dns_body()), headers=headers)
    assert answer.status_code in {400, 415, 422}, answer.text
    assert "application/json" in json.dumps(error_of(answer))
    assert count(stack) == before


def test_a_client_that_asks_first_is_refused_before_it_sends(stack: Stack) -> None:
    address = ("127.0.0.1", stack.port)
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(
            b"POST /api/v1/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ({}, b"missing"),
        ({"Authorization": "Bearer x"}, b"missing: the identity source jwt is not"),
        ({"at": datetime(2026, 1, 31, tzinfo=UTC)}, b"expired"),
        ({"region": "eu-north-1"}, b"malformed"),
    ],
    ids=["missing", "switched off", "expired", "another region"],
)
def test_a_body_that_nobody_signed_is_not_waited_for(
    stack: Stack, claim: dict[str, Any], reason: bytes
) -> None:
    headers = {name: value for name, value in claim.items() if name == "Authorization"}
    if claim and not headers:
        request = stack.anybody().build_request("POST", "/requests")
        headers = Signature(*stack.key(DANA), **claim).headers_for(request)
    sent = {"Host": f"127.0.0.1:{stack.port}", "Content-Length": "1000000", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    with socket.create_connection(("127.0.0.1", stack.port), timeout=60) as connection:
        connection.sendall(f"POST /api/v1/requests HTTP/1.1\r\n{lines}\r\n".encode())
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.status == 401
        assert reason in answer.read()


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.pao+json"])
def test_json_under_its_other_names_is_taken(dana: httpx.Client, kind: str) -> None:
    answer = dana.post(
        "/validate/request", content=json.dumps(dns_body()), headers={"Content-Type": kind}
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["retry", "abort", "escalate"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "   "},
        {"reason": 7},
        {"reason": "x" * 2001},
        {"reason": "x", "by": "somebody else"},
        {"reason": "x", "decisionId": "1"},
        ["reason"],
    ],
)
def test_a_decision_wants_a_reason_and_nothing_strange(
    dana: httpx.Client, known: str, path: str, body: Any
) -> None:
    answer = dana.post(f"/requests/{known}/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert error_of(answer)["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("path", ["abort", "escalate"])
def test_only_a_retry_takes_fields(dana: httpx.Client, known: str, path: str) -> None:
    answer = dana.post(f"/requests/{known}/{path}", json={"reason": "x", "fields": {"a": 1}})
    assert answer.status_code == 422


def test_a_decision_without_a_body_is_refused(dana: httpx.Client, known: str) -> None:
    answer = dana.post(f"/requests/{known}/abort")
    assert answer.status_code in {400, 422}
    assert error_of(answer)["code"] == "VALIDATION_ERROR"
