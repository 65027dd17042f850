"""`/api/v1` and `/`: where to go from there, for browsers and for programs."""

import re

import pytest

from tests.support.stack import Stack

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/"])
def test_a_browser_gets_a_page_whose_links_lead_somewhere(stack: Stack, path: str) -> None:
    client = stack.anybody()
    answer = client.get(f"{stack.url}{path}", headers=BROWSER)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    links = re.findall('href="([^"]+)"', answer.text)
    assert len(links) >= 3
    for link in links:
        assert client.get(f"{stack.url}{link}", headers=BROWSER).status_code in {200, 302, 303}


def test_a_program_gets_json(stack: Stack) -> None:
    answer = stack.anybody().get(f"{stack.url}/api/v1")

    assert answer.headers["Vary"] == "Accept"
    links = answer.json()["links"]
    assert links["openapi"] == "/api/v1/openapi.json"
    for link in links.values():
        assert stack.caller().get(f"{stack.url}{link}").status_code == 200, link


def test_the_root_of_the_address_answers_a_browser(stack: Stack) -> None:
    answer = stack.anybody().get(f"{stack.url}/", headers=BROWSER, follow_redirects=True)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
