"""Values that no page of ours sends: answered by a page, and never by an internal error."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.support.callers import DANA
from tests.support.stack import Stack
from tests.web.person import session_of
from tests.web.requesting import submit

DIGITS = "9" * 4500
ADDRESSES = [
    "/requests?q=%00&status=%00",
    "/requests?since=0001-01-01&until=9999-12-31",
    "/find?q=a%00b",
    "/requests/{request}/log?action=%%0000",
    "/requests/{request}/log?action=%00&component=%00",
    "/requests/{request}/stream?after=99999999999999999999",
    "/waiting/new?since=9999-12-31T23:59:59-12:00",
    "/waiting/new?since=0001-01-01T00:00:00%2B14:00",
    "/waiting/retry?type=%00",
    "/catalog/a%00b",
]
FORMS = [
    ("/drafts/{draft}", {"go": DIGITS}),
    ("/drafts/{draft}", {"go": "\N{ARABIC-INDIC DIGIT ONE}"}),
    ("/drafts/{draft}", {"fields.hostName": "a\0b", "has.hostName": "1"}),
    ("/requests/{request}/retry", {"reason": "a\0b", "attempt": DIGITS}),
    ("/requests/{request}/abort", {"reason": "\0"}),
]


@pytest.fixture(scope="module")
def client(web_stack: Stack) -> Iterator[httpx.Client]:
    name, token = session_of(web_stack, DANA)
    with httpx.Client(
        base_url=web_stack.url,
        headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"},
        cookies={name: token},
        trust_env=False,
        timeout=60,
    ) as made:
        yield made


def test_odd_values_are_no_internal_errors(web_stack: Stack, client: httpx.Client) -> None:
    made = submit(web_stack, "network-dns-record", hostName="a.example.com", address="10.0.0.7")
    names = {"request": made["id"], "draft": str(uuid4())}
    assert client.get("/requests").status_code == 200
    answers = {path: client.get(path.format(**names)).status_code for path in ADDRESSES}
    for path, given in FORMS:
        data = {"item": "network-dns-record", "reason": "odd", **given}
        answer = client.post(path.format(**names), data=data)
        answers[f"{path} {str(given)[:40]}"] = answer.status_code
    assert client.post(f"/drafts/{names['draft']}/discard").status_code == 303
    assert {path: status for path, status in answers.items() if status >= 500} == {}
