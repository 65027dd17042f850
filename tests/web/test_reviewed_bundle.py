"""What was reviewed is what is submitted, for bundles as well: their components count."""

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.support.callers import ADA, DANA
from tests.support.stack import Stack
from tests.web.person import session_of

APP = "reviewed-app"
FIELDS = {"has.appName": "shown x", "fields.appName": APP}


@pytest.fixture
def browser(stack: Stack) -> Iterator[httpx.Client]:
    name, token = session_of(stack, DANA)
    headers = {"Accept": "text/html", "Origin": stack.url}
    with httpx.Client(
        base_url=stack.url, cookies={name: token}, headers=headers, timeout=60
    ) as client:
        yield client


def test_a_bundle_whose_component_has_changed_is_reviewed_again(
    stack: Stack, browser: httpx.Client
) -> None:
    draft, ada = uuid4(), stack.caller(ADA)
    data = {"item": "bundle-webapp-standard", "saved": "1", **FIELDS}
    assert browser.post(f"/drafts/{draft}/check", data=data).status_code == 200

    def reviewed() -> str:
        page = browser.get(f"/drafts/{draft}/review")
        found = re.search(r'name="reviewed" value="([^"]+)"', page.text)
        assert found, page.text
        return found[1]

    before = reviewed()
    assert reviewed() == before
    file = stack.catalog / "network" / "network-dns-record.yaml"
    document = file.read_text()
    file.write_text(document.replace("within minutes of", "within an hour of"))
    try:
        assert ada.post("/catalog/refresh").json()["changed"] == ["network-dns-record"]
        answer = browser.post(f"/drafts/{draft}/submit", data={"reviewed": before})
        assert answer.headers["location"] == f"/drafts/{draft}/review?again=yes"
        assert reviewed() != before
    finally:
        file.write_text(document)
        ada.post("/catalog/refresh")
    assert stack.rows("SELECT 1 FROM requests WHERE fields->>'appName' = $1", APP) == []
