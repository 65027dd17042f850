"""Access keys over HTTP: who may issue, see and revoke which."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.callers import ADA, DANA, PRIYA
from tests.support.stack import Stack


@pytest.fixture
def ada(stack: Stack) -> httpx.Client:
    return stack.caller(ADA)


def issue_key(ada: httpx.Client, **wanted: Any) -> dict[str, Any]:
    answer = ada.post("/keys", json={"user": f"user-{uuid4().hex[:8]}", **wanted})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_an_admin_issues_a_key_that_signs_calls(stack: Stack, ada: httpx.Client) -> None:
    made = issue_key(ada, teams=["team-a", "team-a", "team-b"], expiresIn="12h", note="laptop")

    client = stack.client_of((made["accessKeyId"], made["secretAccessKey"]))
    [own] = client.get("/keys").json()["data"]
    assert own["accessKeyId"] == made["accessKeyId"]
    assert (own["teams"], own["note"], own["state"]) == (["team-a", "team-b"], "laptop", "valid")
    assert own["createdBy"] == "ada"
    ends = datetime.fromisoformat(own["expiresAt"]) - datetime.now(UTC)
    assert timedelta(hours=11) < ends <= timedelta(hours=12)
    assert "secret" not in str(own).lower()


def test_a_revoked_key_is_refused_with_the_next_call(stack: Stack, ada: httpx.Client) -> None:
    made = issue_key(ada)
    client = stack.client_of((made["accessKeyId"], made["secretAccessKey"]))
    assert client.get("/keys").status_code == 200

    gone = ada.delete(f"/keys/{made['accessKeyId']}")
    assert (gone.status_code, gone.json()["state"]) == (200, "revoked")
    assert client.get("/keys").status_code == 401
    again = ada.delete(f"/keys/{made['accessKeyId']}").json()
    assert again["revokedAt"] == gone.json()["revokedAt"]


def test_people_manage_their_own_keys_only(stack: Stack, ada: httpx.Client) -> None:
    made = issue_key(ada)
    mine = stack.client_of((made["accessKeyId"], made["secretAccessKey"]))
    dana = stack.caller(DANA)

    for refused in (
        dana.get("/keys", params={"userId": "all"}),
        dana.get("/keys", params={"userId": made["user"]}),
        dana.post("/keys", json={"user": "dana", "teams": ["pao-admins"]}),
    ):
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    # A key of others and one that never was are told apart by nobody.
    hidden = dana.delete(f"/keys/{made['accessKeyId']}")
    absent = dana.delete("/keys/PAOAAAAAAAAAAAAAAAAA")
    assert hidden.status_code == absent.status_code == 404
    assert mine.delete(f"/keys/{made['accessKeyId']}").status_code == 200


def test_pages_of_keys_hold_each_key_once(ada: httpx.Client) -> None:
    user = f"user-{uuid4().hex[:8]}"
    made = [issue_key(ada, user=user)["accessKeyId"] for _ in range(5)]

    seen, cursor = [], None
    while True:
        asked = {"userId": user, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = ada.get("/keys", params=asked).json()
        seen += [key["accessKeyId"] for key in page["data"]]
        cursor = page["pagination"]["nextCursor"]
        if cursor is None:
            break
    assert seen == list(reversed(made))
    other = ada.get("/keys", params={"userId": "all", "cursor": "x"})
    assert other.status_code == 400


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user": ""}, "user"),
        ({"user": "a b"}, "user"),
        ({"teams": ["<b>"]}, "teams.0"),
        ({"email": "nobody"}, "email"),
        ({"expiresIn": "soon"}, "expiresIn"),
        ({"expiresIn": "0d"}, "expiresIn"),
        ({"expiresIn": "999999999w"}, "expiresIn"),
        ({"note": "x" * 201}, "note"),
        ({"secretAccessKey": "mine"}, "secretAccessKey"),
    ],
)
def test_what_is_invalid_is_named(ada: httpx.Client, changes: dict[str, Any], field: str) -> None:
    answer = ada.post("/keys", json={"user": "x", **changes})
    assert answer.status_code == 422, answer.text
    assert field in [detail["field"] for detail in answer.json()["error"]["details"]]


def test_issuing_and_revoking_are_in_the_audit_trail(ada: httpx.Client) -> None:
    made = issue_key(ada)
    ada.delete(f"/keys/{made['accessKeyId']}")

    page = ada.get("/audit", params={"eventType": "key.*", "actor": "ada", "limit": "200"}).json()
    told = [
        (line["eventType"], line["via"])
        for line in page["data"]
        if line["data"].get("accessKeyId") == made["accessKeyId"]
    ]
    assert told == [("key.revoked", "api"), ("key.created", "api")]
    assert made["secretAccessKey"] not in str(page)


def test_priya_is_no_admin(stack: Stack) -> None:
    assert stack.caller(PRIYA).get("/audit").status_code == 403
