"""Signatures, end to end: who changes one byte is nobody. The unit suite holds every case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import httpx
import pytest

from tests.support.callers import DANA, Signature
from tests.support.stack import Stack
from tests.support.submissions import dns_body, error_of


def sign_request(stack: Stack, method: str, path: str, **options: object) -> httpx.Request:
    """Return a request of Dana's, signed and not yet sent."""
    client = stack.anybody()
    request = client.build_request(method, path, **options)  # type: ignore[arg-type]
    request.headers.update(Signature(*stack.key(DANA)).headers_for(request))
    return request


def expect_refusal(stack: Stack, request: httpx.Request, reason: str) -> None:
    answer = stack.anybody().send(request)
    assert answer.status_code == 401, answer.text
    found = error_of(answer)
    assert found["code"] == "UNAUTHORIZED"
    assert reason in str(found)


def test_what_is_signed_well_is_let_in(stack: Stack) -> None:
    request = sign_request(stack, "POST", "/validate/request", json=dns_body())
    assert stack.anybody().send(request).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/requests"),
        ("POST", "/requests"),
        ("GET", "/catalog"),
        ("GET", "/catalog/validation-errors"),
        ("POST", "/catalog/refresh"),
        ("POST", "/validate/request"),
        ("GET", "/requests/00000000-0000-4000-8000-000000000000/events"),
        ("GET", "/nowhere"),
        ("DELETE", "/requests"),
    ],
)
def test_nobody_gets_in_unsigned(stack: Stack, method: str, path: str) -> None:
    expect_refusal(stack, stack.anybody().build_request(method, path), "missing")


@pytest.mark.parametrize("path", ["/api/v1/version", "/api/v1/requests", "/signin"])
def test_a_call_to_two_hosts_is_refused_whatever_it_asks_for(stack: Stack, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", stack.port, timeout=60)
    connection.putrequest("GET", path, skip_host=True)
    for host in ("pao.example.com", "other.example.com"):
        connection.putheader("Host", host)
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_a_wrong_secret_is_refused(stack: Stack) -> None:
    key_id, secret = stack.key(DANA)
    request = stack.anybody().build_request("GET", "/requests")
    request.headers.update(Signature(key_id, secret[::-1]).headers_for(request))
    expect_refusal(stack, request, "does not match")


def test_an_unknown_key_is_answered_like_a_wrong_secret(stack: Stack) -> None:
    key_id, secret = stack.key(DANA)
    answers = []
    for signature in (Signature("PAOUNKNOWN", secret), Signature(key_id, "x" * 40)):
        request = stack.anybody().build_request("GET", "/requests")
        request.headers.update(signature.headers_for(request))
        found = error_of(stack.anybody().send(request))
        answers.append((found["code"], found["message"], found["details"]))
    assert answers[0] == answers[1]


def test_a_body_changed_by_one_byte_is_refused(stack: Stack) -> None:
    request = sign_request(stack, "POST", "/requests", json=dns_body())
    body = request.content.replace(b"10.0.0.1", b"10.0.0.2")
    changed = httpx.Request("POST", request.url, headers=request.headers, content=body)
    expect_refusal(stack, changed, "does not match")


def test_a_path_changed_by_one_byte_is_refused(stack: Stack) -> None:
    request = sign_request(stack, "GET", "/requests/00000000-0000-4000-8000-000000000000")
    url = str(request.url)[:-1] + "1"
    expect_refusal(stack, httpx.Request("GET", url, headers=request.headers), "does not match")


def test_a_query_changed_by_one_byte_is_refused(stack: Stack) -> None:
    request = sign_request(stack, "GET", "/requests", params={"limit": "10"})
    url = str(request.url)[:-1] + "1"
    expect_refusal(stack, httpx.Request("GET", url, headers=request.headers), "does not match")


def test_another_method_is_refused(stack: Stack) -> None:
    request = sign_request(stack, "GET", "/catalog")
    expect_refusal(
        stack, httpx.Request("DELETE", request.url, headers=request.headers), "does not match"
    )


def test_another_service_or_region_is_refused(stack: Stack) -> None:
    own = Signature(*stack.key(DANA))
    for what, signature in {
        "service": replace(own, service="s3"),
        "region": replace(own, region="eu-north-1"),
    }.items():
        request = stack.anybody().build_request("GET", "/requests")
        request.headers.update(signature.headers_for(request))
        expect_refusal(stack, request, what)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_another_time_is_refused(stack: Stack, minutes: int) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    request = stack.anybody().build_request("GET", "/requests")
    request.headers.update(Signature(*stack.key(DANA), at=moment).headers_for(request))
    expect_refusal(stack, request, "expired")


def test_a_captured_request_is_accepted_once(stack: Stack) -> None:
    request = sign_request(stack, "POST", "/validate/request", json=dns_body())
    assert stack.anybody().send(request).status_code == 200
    expect_refusal(stack, request, "sign again or send an Idempotency-Key")


def test_a_captured_read_may_be_repeated(stack: Stack) -> None:
    request = sign_request(stack, "GET", "/catalog")
    answers = [stack.anybody().send(request).status_code for _ in range(2)]
    assert answers == [200, 200]


def test_an_equal_signature_with_an_idempotency_key_is_an_honest_repeat(stack: Stack) -> None:
    request = sign_request(
        stack, "POST", "/requests", json=dns_body(), headers={"Idempotency-Key": "once"}
    )
    first, second = (stack.anybody().send(request) for _ in range(2))
    assert first.status_code == 201
    assert second.status_code == 200
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json()["id"] == first.json()["id"]


def test_the_expected_signature_is_never_told(stack: Stack) -> None:
    request = sign_request(stack, "GET", "/requests")
    right = request.headers["Authorization"].rpartition("=")[2]
    request.headers["Authorization"] = request.headers["Authorization"].replace(right, "0" * 64)
    answer = stack.anybody().send(request)
    assert answer.status_code == 401
    assert right not in answer.text
    assert right not in str(answer.headers)


def test_a_revoked_key_is_refused_from_then_on(stack: Stack) -> None:
    key_id, secret = stack.new_key(DANA)
    request = stack.anybody().build_request("GET", "/catalog")
    signature = Signature(key_id, secret)
    request.headers.update(signature.headers_for(request))
    assert stack.anybody().send(request).status_code == 200
    stack.rows("update access_keys set revoked_at = now() where access_key_id = $1", key_id)
    expect_refusal(stack, request, "revoked")


def test_strange_paths_are_signed_and_routed_by_the_same_bytes(stack: Stack) -> None:
    key = Signature(*stack.key(DANA))
    for path in ("/catalog/items/a%20b", "/catalog/items/%C3%A4", "/catalog/items/a%2Fb", "/a//b"):
        request = stack.anybody().build_request("GET", path)
        request.headers.update(key.headers_for(request))
        assert stack.anybody().send(request).status_code == 404
