"""A request is named by id, beginning, ticket key or correlation id, wherever an id is taken."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.callers import ADA, OLIVER, STRANGER
from tests.support.stack import Stack
from tests.support.submissions import error_of, submit, submit_completed, submit_failed

READ = ("", "/status", "/logs", "/terraform-states")


def means(client: httpx.Client, reference: str) -> str:
    answer = client.get(f"/requests/{reference}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_every_way_of_naming_a_request_leads_to_it(stack: Stack, dana: httpx.Client) -> None:
    document = submit_completed(dana)
    id_, key = document["id"], document["actions"][0]["externalReference"]
    names = (id_, id_.upper(), id_[:8], id_[:20], key, key.lower(), document["correlationId"])
    for name in names:
        for person in (dana, stack.caller(OLIVER), stack.caller(ADA)):
            assert means(person, name) == id_
        for path in READ:
            answer = dana.get(f"/requests/{name}{path}")
            assert answer.status_code == 200, answer.text
    assert dana.get(f"/requests/{key}/status").json()["id"] == id_
    with dana.stream("GET", f"/requests/{key}/events") as stream:
        assert stream.status_code == 200


def test_decisions_take_every_name(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    short = document["id"][:8]
    assert dana.post(f"/requests/{short}/look").status_code == 200
    key = str(uuid4())
    why = {"reason": "the screen was changed"}
    retried = dana.post(f"/requests/{short}/retry", json=why, headers={"Idempotency-Key": key})
    assert retried.status_code in {200, 202}, retried.text
    again = dana.post(
        f"/requests/{document['id']}/retry", json=why, headers={"Idempotency-Key": key}
    )
    assert again.headers["Idempotency-Replayed"] == "true"
    other = submit_failed(stack, dana)
    ended = dana.post(f"/requests/{other['correlationId']}/escalate", json={"reason": "for ops"})
    assert ended.status_code == 200, ended.text
    ticket = ended.json()["escalation"]["ticketKey"]
    assert dana.get(f"/requests/{ticket}/escalation").json()["ticketKey"] == ticket


@pytest.mark.parametrize("path", READ)
def test_what_is_not_visible_does_not_exist(stack: Stack, dana: httpx.Client, path: str) -> None:
    document = submit_completed(dana)
    stranger = stack.caller(STRANGER)
    id_, key = document["id"], document["actions"][0]["externalReference"]
    told = []
    for name in (id_, id_[:8], key, document["correlationId"]):
        answer = stranger.get(f"/requests/{name}{path}")
        assert answer.status_code == 404
        told.append(error_of(answer)["message"].replace(name, "X"))
    nothing = str(uuid4())
    none = error_of(stranger.get(f"/requests/{nothing}{path}"))["message"].replace(nothing, "X")
    assert set(told) == {none}


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "0",
        "ffffff",
        "NET-0",
        "%ff",
        "%ed%a0%80",
        "%F0%9F%8D%95",
        "%00",
        "a%00b",
        "NET-1%27%20or%20true",
        "{}",
        "x" * 255,
    ],
)
def test_what_names_nothing_is_not_found(dana: httpx.Client, name: str) -> None:
    for path in ("", "/logs"):
        answer = dana.get(f"/requests/{name}{path}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "REQUEST_NOT_FOUND")
    assert dana.get("/requests", params={"parent": "x"}).status_code == 404


def test_an_ambiguous_reference_names_what_the_caller_may_see(
    stack: Stack, dana: httpx.Client
) -> None:
    shared = str(uuid4())
    own: list[dict[str, Any]] = [
        submit(dana, None, **{"X-Correlation-ID": shared}) for _ in range(2)
    ]
    stranger = stack.caller(STRANGER)
    hidden = submit(stranger, None, **{"X-Correlation-ID": shared})
    assert means(stranger, shared) == hidden["id"]
    answer = dana.get(f"/requests/{shared}")
    told = error_of(answer)
    assert (answer.status_code, told["code"]) == (400, "AMBIGUOUS_REFERENCE")
    assert [one["expected"] for one in told["details"]] == [own[1]["id"], own[0]["id"]]
    assert all(one["id"] in told["message"] for one in own)
    assert own[1]["title"] in told["details"][0]["message"]
    assert hidden["id"] not in answer.text
    decided = dana.post(f"/requests/{shared}/abort", json={"reason": "x"})
    assert error_of(decided)["code"] == "AMBIGUOUS_REFERENCE"
    assert means(dana, own[0]["id"]) == own[0]["id"]


def test_a_beginning_is_refused_only_where_two_visible_requests_share_it(
    stack: Stack, dana: httpx.Client
) -> None:
    document = submit_completed(dana)
    twin = document["id"][:9] + str(uuid4())[9:]
    copy = """
        insert into requests (id, catalog_item_id, catalog_item_version, catalog_item_name,
          item_definition, plan, user_id, user_teams, status, correlation_id, run_id, mirror_at,
          mirror_seq, created_at)
        select $2, catalog_item_id, catalog_item_version, catalog_item_name, item_definition, plan,
          $3, '{}', status, gen_random_uuid(), run_id, mirror_at, mirror_seq, created_at
        from requests where id = $1
    """
    stack.rows(copy, document["id"], twin, "steve")
    assert means(dana, document["id"][:8]) == document["id"]
    assert means(stack.caller(STRANGER), twin[:8]) == twin
    answer = stack.caller(ADA).get(f"/requests/{twin[:8]}")
    assert {one["expected"] for one in error_of(answer)["details"]} == {twin, document["id"]}
