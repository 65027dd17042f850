"""Idempotency keys: however often a call is repeated, there is one request and one ticket."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from tests.support.callers import DANA, OLIVER, Signature
from tests.support.stack import Stack, wait_until
from tests.support.submissions import add_fault, dns_body, error_of, new_host, tickets_of


def key_header(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def parallel(count: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


@pytest.mark.parametrize("signatures", ["own", "equal"])
def test_twenty_parallel_repeats_give_one_request_and_one_ticket(
    stack: Stack, signatures: str
) -> None:
    client = stack.careless_caller() if signatures == "equal" else stack.caller()
    key, body = new_host(), dns_body()
    answers = parallel(20, lambda _: client.post("/requests", json=body, headers=key_header(key)))
    codes = sorted(answer.status_code for answer in answers)
    # The first is answered with 202 where the outcome comes later than the budget allows.
    assert codes in ([200] * 19 + [201], [200] * 19 + [202]), [answer.text for answer in answers]
    [id_] = {answer.json()["id"] for answer in answers}
    wait_until(lambda: client.get(f"/requests/{id_}").json()["status"] == "completed")
    assert len(tickets_of(stack, answers[0].json())) == 1
    replays = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert replays.count("true") == 19
    rows = stack.rows(
        "select id from requests where fields->>'hostName' = $1", body["fields"]["hostName"]
    )
    assert len(rows) == 1


def test_a_repeat_after_the_end_is_answered_by_the_same_request(
    stack: Stack, dana: httpx.Client
) -> None:
    key, body = new_host(), dns_body()
    first = dana.post("/requests", json=body, headers=key_header(key))
    again = dana.post("/requests", json=body, headers=key_header(key))
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json() == first.json()
    assert len(tickets_of(stack, first.json())) == 1


def test_a_repeat_shows_what_has_become_of_the_request_since(
    stack: Stack, dana: httpx.Client
) -> None:
    key, host = new_host(), new_host()
    add_fault(stack, host, "status", status=400)
    first = dana.post("/requests", json=dns_body(host), headers=key_header(key)).json()
    dana.post(f"/requests/{first['id']}/abort", json={"reason": "a test"})
    again = dana.post("/requests", json=dns_body(host), headers=key_header(key))
    assert (first["status"], again.json()["status"]) == ("failed", "aborted")
    assert again.status_code == 200


def test_the_same_key_with_another_body_is_a_conflict(dana: httpx.Client) -> None:
    key, body = new_host(), dns_body()
    assert dana.post("/requests", json=body, headers=key_header(key)).status_code == 201
    for other in (dns_body(), {**body, "metadata": {"tags": ["x"]}}):
        answer = dana.post("/requests", json=other, headers=key_header(key))
        assert answer.status_code == 409
        assert error_of(answer)["code"] == "IDEMPOTENCY_CONFLICT"


def test_parallel_calls_with_one_key_and_many_bodies_make_one_request(
    stack: Stack, dana: httpx.Client
) -> None:
    key = new_host()
    bodies = [dns_body() for _ in range(8)]
    answers = parallel(
        8, lambda number: dana.post("/requests", json=bodies[number], headers=key_header(key))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    stored = stack.rows("select request_id from idempotency_keys where key = $1", key)
    assert len(stored) == 1


def test_keys_of_two_callers_have_nothing_to_do_with_each_other(stack: Stack) -> None:
    key, body = new_host(), dns_body()
    answers = [
        stack.caller(person).post("/requests", json=body, headers=key_header(key))
        for person in (DANA, OLIVER)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_a_refused_submission_does_not_use_its_key_up(dana: httpx.Client) -> None:
    key, body = new_host(), dns_body()
    wrong = dana.post("/requests", json=dns_body("not a host"), headers=key_header(key))
    right = dana.post("/requests", json=body, headers=key_header(key))
    assert (wrong.status_code, right.status_code) == (422, 201)


@pytest.mark.parametrize("key", ["k", "k" * 255, "!#$%&'*+-.^_`|~", "0"])
def test_keys_of_up_to_255_visible_characters_are_taken(dana: httpx.Client, key: str) -> None:
    answer = dana.post("/requests", json=dns_body(), headers=key_header(key))
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("key", ["", "k" * 256, "a b", "a\tb", "\xe4"])
def test_other_keys_are_refused(stack: Stack, dana: httpx.Client, key: str) -> None:
    before = stack.rows("select count(*) from requests")
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = dana.post("/requests", json=dns_body(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code in {400, 422}, answer.text
    assert "idempotency-key" in str(error_of(answer)["details"]).lower()
    assert stack.rows("select count(*) from requests") == before


def test_different_keys_are_different_requests(dana: httpx.Client) -> None:
    body = dns_body()
    ids = {
        dana.post("/requests", json=body, headers=key_header(new_host())).json()["id"]
        for _ in range(2)
    }
    assert len(ids) == 2


def test_calls_of_one_body_that_are_signed_alike_are_told_apart_by_their_keys(
    stack: Stack,
) -> None:
    alike = Signature(*stack.key(DANA), unique=False, at=datetime.now(UTC))
    body, keys = dns_body(), [new_host(), new_host()]
    url = f"{stack.url}/api/v1/requests"
    first, second, again = [
        httpx.post(url, json=body, headers=key_header(key), auth=alike, timeout=60)
        for key in (*keys, keys[1])
    ]
    assert (first.status_code, second.status_code) == (201, 201), second.text
    assert first.json()["id"] != second.json()["id"]
    assert (again.status_code, again.json()["id"]) == (200, second.json()["id"])


def test_a_repeat_of_one_that_goes_on_is_told_so_within_the_budget(hasty_stack: Stack) -> None:
    dana, key, host = hasty_stack.caller(), new_host(), new_host()
    add_fault(hasty_stack, host, "slow", seconds=1.5)
    answers = parallel(
        2, lambda _: dana.post("/requests", json=dns_body(host), headers=key_header(key))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 202]
    assert {answer.json()["status"] for answer in answers} <= {"submitted", "in_progress"}
