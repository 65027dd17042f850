"""Links to the pages and sessions, as callers of the API see them."""

import hashlib
from uuid import uuid4

import httpx

from tests.support.callers import ADA, DANA, OLIVER
from tests.support.stack import Stack

PUBLIC = "https://pao.example.com"


def signed_in(stack: Stack, client: httpx.Client) -> str:
    """Open a session and return its token."""
    code = client.post("/web-sign-ins").json()["url"].rpartition("#")[2]
    token = stack.run(stack.services.sessions.open(code, user_agent="tests"))
    assert token is not None
    return token


def test_a_link_leads_to_the_address_that_was_called(stack: Stack, dana: httpx.Client) -> None:
    made = dana.post("/web-sign-ins")

    assert made.status_code == 201
    address, _, code = made.json()["url"].partition("#")
    assert address == f"{stack.url}/signin"
    assert len(code) >= 43
    digest = hashlib.sha256(code.encode()).digest()
    assert len(stack.rows("select 1 from web_sign_ins where code_digest = $1", digest)) == 1


def test_a_code_is_good_once_and_for_a_minute(stack: Stack, dana: httpx.Client) -> None:
    sessions = stack.services.sessions
    code = dana.post("/web-sign-ins").json()["url"].rpartition("#")[2]
    assert stack.run(sessions.find_code_owner(code)).id == "dana"  # type: ignore[union-attr]
    assert stack.run(sessions.open(code, user_agent="")) is not None
    assert stack.run(sessions.open(code, user_agent="")) is None
    assert stack.run(sessions.find_code_owner(code)) is None

    late = dana.post("/web-sign-ins").json()["url"].rpartition("#")[2]
    stack.tamper("update web_sign_ins set expires_at = now()")
    assert stack.run(sessions.find_code_owner(late)) is None
    assert stack.run(sessions.open(late, user_agent="")) is None


def test_no_link_for_a_name_that_nobody_configured(stack: Stack, dana: httpx.Client) -> None:
    # The name is signed, so it is the caller's own choice; a browser's cookie would follow it.
    refused = dana.post("/web-sign-ins", headers={"Host": "pao.example.com"})

    assert refused.status_code == 403
    assert "PAO_PUBLIC_URL" in refused.json()["error"]["message"]
    assert stack.services.web_address is not None


def test_people_see_their_own_sessions_and_admins_all(stack: Stack, dana: httpx.Client) -> None:
    signed_in(stack, dana)
    [mine, *_] = dana.get("/web-sessions").json()["data"]
    assert (mine["user"], mine["source"], mine["userAgent"]) == ("dana", "link", "tests")
    assert mine["accessKeyId"] == stack.key(DANA)[0]

    assert dana.get("/web-sessions", params={"userId": "ada"}).status_code == 403
    assert dana.get("/web-sessions", params={"userId": "all"}).status_code == 403
    ada = stack.caller(ADA)
    assert mine in ada.get("/web-sessions", params={"userId": "dana"}).json()["data"]
    assert mine in ada.get("/web-sessions", params={"userId": "all"}).json()["data"]


def test_a_session_is_ended_by_its_user_and_by_admins_only(
    stack: Stack, dana: httpx.Client
) -> None:
    for ender in (dana, stack.caller(ADA)):
        token = signed_in(stack, dana)
        [newest, *_] = dana.get("/web-sessions").json()["data"]
        path = f"/web-sessions/{newest['id']}"
        assert stack.caller(OLIVER).delete(path).status_code == 404
        assert stack.run(stack.services.sessions.find(token)) is not None
        assert ender.delete(path).json() == newest
        assert stack.run(stack.services.sessions.find(token)) is None
        assert ender.delete(path).status_code == 404
    assert dana.delete(f"/web-sessions/{uuid4()}").status_code == 404


def test_the_database_holds_neither_codes_nor_tokens(stack: Stack, dana: httpx.Client) -> None:
    token = signed_in(stack, dana)
    code = dana.post("/web-sign-ins").json()["url"].rpartition("#")[2]
    everything = str(stack.rows("select * from web_sessions"))
    everything += str(stack.rows("select * from web_sign_ins"))
    everything += str(stack.rows("select * from audit_logs where via = 'web'"))
    assert token not in everything
    assert code not in everything


def test_maintenance_removes_what_is_over(stack: Stack, dana: httpx.Client) -> None:
    from activities.retention import Retention  # noqa: PLC0415 -- only here

    token = signed_in(stack, dana)
    dana.post("/web-sign-ins")
    stack.tamper("update web_sign_ins set expires_at = now() - interval '1 s'")
    stack.tamper("update web_sessions set ends_at = now()")
    removed = stack.run(Retention(database=stack.services.sessions.database).maintain())
    assert removed["sessions"] > 1
    assert stack.rows("select 1 from web_sign_ins union all select 1 from web_sessions") == []
    assert stack.run(stack.services.sessions.find(token)) is None
