"""The stand-in's pages and its faults, as a browser and a test meet them."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.jira import JiraSandbox, jira_sandbox

EVIL = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as started:
        yield started


@pytest.fixture
def browser(running: JiraSandbox) -> Iterator[httpx.Client]:
    running.reset()
    headers = {"Origin": running.url, "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(
        base_url=running.url, headers=headers, trust_env=False, follow_redirects=True
    ) as client:
        yield client


def create(running: JiraSandbox, **changes: Any) -> httpx.Response:
    fields = {"project": {"key": "DB"}, "issuetype": {"name": "Task"}, "summary": EVIL}
    return httpx.post(
        f"{running.url}/rest/api/2/issue",
        json={"fields": {**fields, **changes}},
        auth=(running.settings.username, running.settings.token),
        trust_env=False,
    )


def test_the_list_and_the_ticket_show_what_was_sent_as_text(
    browser: httpx.Client, running: JiraSandbox
) -> None:
    create(running, description=EVIL, labels=["pao-1"], priority={"name": "High"})
    for path in ("/", "/browse/DB-1"):
        page = browser.get(path)
        assert page.status_code == 200
        assert EVIL not in page.text
        assert "&lt;script&gt;" in page.text
        assert "pao-1" in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert browser.get("/style.css").headers["Content-Type"].startswith("text/css")


def test_a_person_moves_a_ticket_by_its_buttons(
    browser: httpx.Client, running: JiraSandbox
) -> None:
    create(running)
    page = browser.get("/browse/DB-1").text
    button = re.search(r'value="(\d+)">Done<', page)
    assert button is not None
    after = browser.post("/browse/DB-1/move", data={"transition": button.group(1)})
    assert "resolution: Done" in after.text
    assert running.tickets()[0]["status"] == "Done"


def test_a_ticket_that_is_not_there_is_said_so(browser: httpx.Client) -> None:
    page = browser.get("/browse/<b>-1")
    assert page.status_code == 404
    assert "<b>" not in page.text


def test_a_person_puts_a_fault_in_force_and_lifts_it(
    browser: httpx.Client, running: JiraSandbox
) -> None:
    form = {"kind": "status", "method": "POST", "path": "/issue$", "times": "2", "status": "503"}
    assert "status" in browser.post("/page/faults", data=form).text
    assert create(running).status_code == 503
    fault = running.faults()[0]
    assert (fault["remaining"], fault["times"]) == (1, 2)
    browser.post("/page/faults/clear", data={"id": str(fault["id"])})
    assert create(running).status_code == 201


def test_a_fault_that_makes_no_sense_is_refused_on_the_page(
    browser: httpx.Client, running: JiraSandbox
) -> None:
    for wrong in ({"path": "("}, {"times": "0"}, {"seconds": "long"}, {"kind": "flood"}):
        answer = browser.post("/page/faults", data={"kind": "slow", **wrong})
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert running.faults() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_forms_of_foreign_pages_change_nothing(
    running: JiraSandbox, headers: dict[str, str]
) -> None:
    running.reset()
    create(running)
    with httpx.Client(base_url=running.url, headers=headers, trust_env=False) as foreign:
        answers = [
            foreign.post("/browse/DB-1/move", data={"transition": "41"}),
            foreign.post("/page/faults", data={"kind": "slow"}),
            foreign.post("/page/faults/clear"),
            foreign.post("/sandbox/faults", json={"kind": "slow"}),
            foreign.delete("/sandbox/faults"),
            foreign.post("/sandbox/reset"),
        ]
    assert {answer.status_code for answer in answers} == {403}
    assert [ticket["status"] for ticket in running.tickets()] == ["To Do"]
    assert running.faults() == []


def test_a_name_that_was_pointed_at_loopback_is_not_answered(running: JiraSandbox) -> None:
    answer = httpx.get(running.url, headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 400


def test_a_fault_strikes_only_the_calls_that_it_names(running: JiraSandbox) -> None:
    running.reset()
    running.fault("status", match={"method": "POST", "summaryContains": "doomed"}, status=500)
    assert create(running, summary="fine").status_code == 201
    assert create(running, summary="a doomed one").status_code == 500
    assert create(running, summary="a doomed one").status_code == 201


def test_a_fault_without_times_lasts_until_it_is_lifted(running: JiraSandbox) -> None:
    running.reset()
    running.fault("rate-limit", times=None)
    assert [create(running).status_code for _ in range(3)] == [429, 429, 429]
    running.clear_faults()
    assert create(running).status_code == 201


@pytest.mark.parametrize(("kind", "tickets"), [("cut-before", 0), ("cut-after", 1)])
def test_cutting_closes_the_connection_without_an_answer(
    running: JiraSandbox, *, kind: str, tickets: int
) -> None:
    running.reset()
    running.fault(kind)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        create(running)
    assert len(running.tickets()) == tickets


def test_an_error_may_be_answered_although_the_work_is_done(running: JiraSandbox) -> None:
    running.reset()
    running.fault("status-after")
    assert create(running).status_code == 503
    assert len(running.tickets()) == 1


def test_a_slow_answer_comes_and_the_work_is_done(running: JiraSandbox) -> None:
    running.reset()
    for when in ("before", "after"):
        running.fault("slow", seconds=0.01, when=when)
        assert create(running).status_code == 201
    assert len(running.tickets()) == 2


def test_a_huge_answer_is_ten_megabytes(running: JiraSandbox) -> None:
    running.reset()
    running.fault("huge")
    assert len(create(running).content) > 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"kind": "flood"}, "kind"),
        ({"kind": "slow", "speed": 1}, "speed"),
        ({"kind": "slow", "times": 0}, "times"),
        ({"kind": "slow", "match": {"path": "("}}, "path"),
    ],
)
def test_the_faults_api_says_what_is_wrong(
    running: JiraSandbox, *, document: dict[str, Any], text: str
) -> None:
    answer = httpx.post(f"{running.url}/sandbox/faults", json=document, trust_env=False)
    assert answer.status_code == 422
    assert text in answer.json()["errorMessages"][0]
