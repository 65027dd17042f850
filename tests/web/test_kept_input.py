"""What was entered is given back with the page of an error, and can be sent again."""

from typing import Any

import httpx
import pytest
from starlette.types import Scope

from api.web.error_pages import error_page
from api.web.kept_input import MOST_BYTES, KeptInput, can_be_kept, kept_input
from pao.core.errors import ErrorCode, PaoError
from tests.support.callers import DANA
from tests.support.stack import Stack
from tests.web.conftest import SECRET
from tests.web.person import session_of

SHOWN = {"has.name": "shown Host name", "has.token": "apart"}
ENTERED = {**SHOWN, "fields.name": "a\r\nb", "fields.token": SECRET, "go": "review"}


def posted_form(
    path: str = "/drafts/1", accept: str = "text/html", **given: Any
) -> tuple[Scope, bytes]:
    call = httpx.Request("POST", f"http://pao{path}", headers={"Accept": accept}, **given)
    body = call.read()
    headers = [(name.lower(), value) for name, value in call.headers.raw]
    return {"type": "http", "method": "POST", "path": path, "headers": headers}, body


def kept_from(**given: Any) -> KeptInput | None:
    scope, body = posted_form(**given)
    return kept_input(scope, body) if can_be_kept(scope) else None


@pytest.mark.parametrize("multipart", [{}, {"files": {"other": b""}}], ids=["url", "multipart"])
def test_texts_are_kept_and_passwords_are_not(multipart: dict[str, Any]) -> None:
    found = kept_from(data=ENTERED, **multipart)
    assert found is not None
    assert found.address == "/drafts/1"
    assert found.shown == (("Host name", "a\r\nb"),)
    assert found.apart
    assert ("go", "review") in found.entries
    assert SECRET not in str(found)


def test_a_file_is_not_kept_and_said() -> None:
    data = {"has.name": "shown Name", "fields.name": "a", "has.proof": "apart"}
    found = kept_from(data=data, files={"fields.proof": ("a.txt", b"content")})
    assert found is not None
    assert found.apart
    assert [name for name, _ in found.entries if "proof" in name] == ["has.proof"]
    without = kept_from(data=data, files={"fields.proof": ("", b"")})
    assert without is not None
    assert not without.apart


def test_several_values_of_a_field_are_all_kept() -> None:
    found = kept_from(
        data={"has.zones": "shown Zones", "fields.zones": ["a", "b"], "reason": "because"}
    )
    assert found is not None
    assert found.shown == (("Zones", "a"), ("Zones", "b"), ("Reason", "because"))


@pytest.mark.parametrize(
    "given",
    [
        {"data": {"fields.name": "a field that no page has shown"}},
        {"data": {"has.name": "shown Name", "go": "review"}},
        {"data": {"reason": "x" * MOST_BYTES}},
        {"data": {"reason": "x"}, "accept": "application/json"},
        {"data": {"reason": "a code"}, "path": "/signin"},
        {"content": b"reason=x"},
        {"content": b"nothing", "headers": {"Content-Type": "multipart/form-data; boundary=a"}},
        {"content": b"nothing", "headers": {"Content-Type": "multipart/form-data"}},
    ],
)
def test_anything_else_is_not_kept(given: dict[str, Any]) -> None:
    if "headers" in given:
        given["headers"] |= {"Accept": "text/html"}
        scope, _body = posted_form()
        scope["headers"] = [
            (name.lower().encode(), text.encode()) for name, text in given["headers"].items()
        ] + [(b"content-length", b"7")]
        assert kept_input(scope, given["content"]) is None
    else:
        assert kept_from(**given) is None


@pytest.mark.parametrize(
    ("method", "says"),
    [("GET", "Try again."), ("POST", "It may or may not have been carried out: check first.")],
)
def test_what_broke_is_to_be_looked_at_only_where_it_was_a_change(method: str, says: str) -> None:
    scope, _body = posted_form()
    scope.update(method=method, state={"correlation_id": "7f3c1d2e"})
    page = error_page(scope, PaoError(ErrorCode.INTERNAL_ERROR, ""))
    text = bytes(page.body).decode()
    assert says in text
    assert "Quote this when you report it:" in text


def browser(stack: Stack, *, signed_in: bool) -> httpx.Client:
    name, token = session_of(stack, DANA)
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    cookies = {name: token} if signed_in else {}
    return httpx.Client(base_url=stack.url, headers=headers, cookies=cookies, trust_env=False)


def test_who_is_signed_out_signs_in_elsewhere_and_sends_again(stack: Stack) -> None:
    with browser(stack, signed_in=False) as client:
        answer = client.post("/drafts/1", data=ENTERED)
        bare = client.post("/drafts/1", data=ENTERED, headers={"Accept": "*/*"})
        foreign = client.post("/drafts/1", data=ENTERED, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 401
    assert "Your session has expired" in answer.text
    assert 'href="/signin" target="_blank"' in answer.text
    assert '<input type="hidden" name="fields.name" value="a\nb">' in answer.text.replace("\r", "")
    assert "Send again" in answer.text
    assert (bare.status_code, bare.text) == (401, "Your session has expired: sign in again.")
    # What another site has sent is not given back.
    assert foreign.status_code == 403
    assert "Send again" not in foreign.text


def test_who_calls_too_often_keeps_what_was_entered(stack: Stack) -> None:
    stack.stop_api()
    stack.start_api(PAO_WEB_RATE_LIMIT="1")
    try:
        with browser(stack, signed_in=True) as client:
            client.get("/catalog")
            answer = client.post("/drafts/1", data=ENTERED)
    finally:
        stack.stop_api()
        stack.start_api()
    assert answer.status_code == 429
    assert "Too many requests" in answer.text
    assert "What you entered" in answer.text
    assert "Nothing was stored. Try again in" in answer.text
    assert SECRET not in answer.text
