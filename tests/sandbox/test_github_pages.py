"""The GitHub stand-in's pages: what an action has done can be read where its link leads."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.github.settings import TOKEN
from tests.support.github import GitHubSandbox

EVIL = "<script>alert('x')</script>"
TENANTS = "platform/tenants"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    with GitHubSandbox(tmp_path_factory.mktemp("github")) as started:
        yield started


@pytest.fixture
def browser(running: GitHubSandbox) -> Iterator[httpx.Client]:
    running.tell("reset")
    headers = {"Origin": running.url, "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(
        base_url=running.url, headers=headers, trust_env=False, follow_redirects=True
    ) as client:
        yield client


def call(running: GitHubSandbox, path: str, **body: Any) -> Any:
    answer = httpx.post(
        f"{running.api_url}/repos/{path}",
        json=body,
        headers={"Authorization": f"Bearer {TOKEN}"},
        trust_env=False,
    )
    assert answer.is_success, answer.text
    return answer.json()


def dispatched(running: GitHubSandbox) -> str:
    path = "platform/provisioning/actions/workflows/provision.yml/dispatches"
    inputs = {"namespace": EVIL}
    made = call(running, path, ref="main", inputs=inputs, return_run_details=True)
    return str(made["html_url"])


def opened(running: GitHubSandbox) -> str:
    pushed = running.tell(
        "pushes",
        repository=TENANTS,
        branch="main",
        files={"tenants/shop.yaml": "name: shop\nquota: 8\n"},
        message="More room",
    )
    path = f"{TENANTS}/git/refs"
    call(running, path, ref="refs/heads/side", sha=pushed["sha"])
    running.tell(
        "pushes",
        repository=TENANTS,
        branch="side",
        files={"tenants/new.yaml": f"name: {EVIL}\n", "README.md": None},
    )
    pull = call(running, f"{TENANTS}/pulls", title=EVIL, head="side", base="main", body="Why: a")
    return str(pull["html_url"])


def test_the_first_page_lists_repositories_runs_and_pull_requests_as_text(
    browser: httpx.Client, running: GitHubSandbox
) -> None:
    dispatched(running)
    opened(running)
    page = browser.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert EVIL not in page.text
    assert page.text.count("&lt;script&gt;") == 2
    links = re.findall(r'href="(/platform/[^"]+)"', page.text)
    assert len(links) == 4
    assert [browser.get(link).status_code for link in links] == [200] * 4


def test_a_repository_shows_the_files_and_commits_of_a_branch(
    browser: httpx.Client, running: GitHubSandbox
) -> None:
    opened(running)
    page = browser.get(f"/{TENANTS}").text
    assert "More room" in page
    assert "tenants/new.yaml" not in page
    assert "tenants/new.yaml" in browser.get(f"/{TENANTS}?branch=side").text
    file = re.search(r'href="([^"]+/blob/[^"]+shop.yaml)"', page)
    assert file is not None
    assert "quota: 8" in browser.get(file[1]).text


def test_a_commit_shows_its_message_and_what_it_changed(
    browser: httpx.Client, running: GitHubSandbox
) -> None:
    opened(running)
    commit = re.search(r'href="([^"]+/commit/[^"]+)"', browser.get(f"/{TENANTS}").text)
    assert commit is not None
    page = browser.get(commit[1]).text
    assert "More room" in page
    assert '<span class="removed">-quota: 4' in page
    assert '<span class="added">+quota: 8' in page


def test_a_pull_request_shows_its_own_changes_and_can_be_merged(
    browser: httpx.Client, running: GitHubSandbox
) -> None:
    address = opened(running)
    page = browser.get(address).text
    assert EVIL not in page
    assert "tenants/new.yaml</a> <small>added" in page
    assert "README.md <small>removed" in page
    assert "quota" not in page
    merged = browser.post(f"{address}/merge").text
    assert ">merged<" in merged
    assert "<button>Merge" not in merged


def test_a_run_shows_its_inputs_and_jobs_and_is_ended_by_a_button(
    browser: httpx.Client, running: GitHubSandbox
) -> None:
    address = dispatched(running)
    page = browser.get(address).text
    assert "&lt;script&gt;" in page
    assert "provision</td>" in page
    assert ">queued<" in page
    ended = browser.post(f"{address}/end", data={"conclusion": "failure"}).text
    assert ended.count(">failure<") == 2
    again = browser.post(f"{address}/end", data={"conclusion": "success"}).text
    assert ">success<" not in again.partition("<h2>Jobs")[0]


@pytest.mark.parametrize(
    "path",
    [
        "/nobody/nothing",
        f"/{TENANTS}/pull/77",
        f"/{TENANTS}/commit/{'0' * 40}",
        f"/{TENANTS}/blob/main/nothing",
        f"/{TENANTS}/actions/runs/1",
        "/<b>",
    ],
)
def test_what_is_not_there_is_said_so(browser: httpx.Client, path: str) -> None:
    page = browser.get(path)
    assert page.status_code == 404
    assert "Nothing at" in page.text
    assert "<b>" not in page.text


def test_a_fault_is_added_and_cleared_on_the_page(
    browser: httpx.Client, running: GitHubSandbox
) -> None:
    page = browser.post("/page/faults", data={"kind": "status", "status": "999", "times": "1"})
    assert page.status_code == 422
    given = {"kind": "status", "status": "502", "path": "/dispatches$", "times": "1"}
    assert "502" not in browser.post("/page/faults", data=given).text
    with pytest.raises(AssertionError):
        dispatched(running)
    browser.post("/page/faults", data={"kind": "slow", "times": ""})
    assert "Clear all" not in browser.post("/page/faults/clear").text


@pytest.mark.parametrize("path", ["/page/faults", "/page/faults/clear"])
def test_forms_of_foreign_pages_change_nothing(browser: httpx.Client, path: str) -> None:
    answer = browser.post(path, data={"kind": "slow"}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
