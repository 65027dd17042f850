"""A whole PAO whose catalog is on GitHub: pushes, bad files, pull requests, and the deliveries."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pao.app.local.postgres import PostgresAddress
from sandbox.github.settings import GitHubSandboxSettings
from tests.support.callers import ADA
from tests.support.github import GitHubSandbox
from tests.support.github_actions import assert_fits_published_api
from tests.support.github_keys import PRIVATE, PUBLIC
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.webhook_examples import SECRET, github_headers

REPOSITORY = "acme/catalog"
PATH = "catalog/tools/{}.yaml"
REFUSE = {"require_code_owner_review": True}


ITEM = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: {id}
  name: A tool
  description: A tool that somebody needs, which a ticket asks its team for by name.
  version: {version}
  category: tools
  owner: {{team: {team}, contact: {team}@example.com}}
presentation:
  form:
    groups:
      - {{id: main, name: Main, fields: [{{id: reason, name: Reason, type: string}}]}}
fulfillment:
  strategy: {{mode: manual}}
  manual:
    actions:
      - type: jira-ticket
        config:
          ticket: {{project: TOOLS, summaryTemplate: "A tool {{{{fields.reason}}}}"}}
"""


def item(name: str, version: str = "1.0.0", team: str = "team-a") -> str:
    return ITEM.format(id=name, version=version, team=team)


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    files = {
        PATH.format("tool-one-basic"): item("tool-one-basic"),
        "CODEOWNERS": "* @acme/team-a\n",
    }
    settings = GitHubSandboxSettings(seeds={REPOSITORY: files}, app_key=PUBLIC)
    with GitHubSandbox(tmp_path_factory.mktemp("github"), settings=settings) as sandbox:
        sandbox.tell("protections", repository=REPOSITORY, rule=REFUSE)
        yield sandbox
        assert_fits_published_api(sandbox)


@pytest.fixture(scope="module")
def stack(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    github: GitHubSandbox,
) -> Iterator[Stack]:
    environ = {
        "CATALOG_PATH": "",
        "CATALOG_SOURCE": "github",
        "CATALOG_REPOSITORY": REPOSITORY,
        "CATALOG_OWNERSHIP": "refuse",
        "CATALOG_OWNER_TEAMS": "@acme/dba=team-db",
        "GITHUB_API_URL": github.api_url,
        "GITHUB_FLAVOUR": "cloud",
        "GITHUB_APP_ID": "4711",
        "GITHUB_APP_PRIVATE_KEY": PRIVATE,
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "CATALOG_GIT_WEBHOOK_SECRET": SECRET,
        "PAO_EGRESS_ALLOW": "127.0.0.1",
        "PAO_PUBLIC_URL": "https://pao.example.com",
    }
    folder = tmp_path_factory.mktemp("stack")
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, environ=environ) as running,
    ):
        address = f"{running.url}/api/v1/webhooks/github"
        github.tell("hooks", repository=REPOSITORY, url=address, secret=SECRET)
        yield running


def push(github: GitHubSandbox, files: Mapping[str, str | None], **more: Any) -> str:
    return str(github.tell("pushes", repository=REPOSITORY, files=files, **more)["sha"])


def newest_delivery(github: GitHubSandbox) -> dict[str, Any]:
    """Return the newest delivery, once it is answered."""

    def newest() -> dict[str, Any] | None:
        answer = httpx.get(f"{github.url}/sandbox/deliveries", trust_env=False)
        found = answer.json()["deliveries"][-1]
        return dict(found) if found["status"] is not None else None

    found = wait_until(newest)
    assert found is not None
    return found


def check(github: GitHubSandbox, sha: str) -> dict[str, Any]:
    """Return the check run at a commit, once there is one, with its annotations."""
    headers = {"Authorization": f"Bearer {github.settings.token}"}
    root = f"{github.api_url}/repos/{REPOSITORY}"

    def found() -> list[dict[str, Any]]:
        answer = httpx.get(f"{root}/commits/{sha}/check-runs", headers=headers, trust_env=False)
        return list(answer.json()["check_runs"])

    run = wait_until(found)[0]
    answer = httpx.get(f"{root}/check-runs/{run['id']}/annotations", headers=headers)
    return run | {"annotations": answer.json()}


def served_version(stack: Stack, name: str) -> str | None:
    answer = stack.caller().get(f"/catalog/items/{name}")
    return str(answer.json()["version"]) if answer.is_success else None


def test_a_push_changes_what_is_served_and_its_commit_is_checked(
    stack: Stack, github: GitHubSandbox
) -> None:
    assert served_version(stack, "tool-one-basic") == "1.0.0"
    sha = push(github, {PATH.format("tool-one-basic"): item("tool-one-basic", "1.1.0")})
    delivery = newest_delivery(github)
    assert (delivery["status"], json.loads(delivery["answer"])) == (202, {"accepted": True})
    wait_until(lambda: served_version(stack, "tool-one-basic") == "1.1.0")
    run = check(github, sha)
    assert (run["conclusion"], run["output"]["title"]) == ("success", "1 document valid")
    assert run["details_url"] == "https://pao.example.com/platform"
    status = stack.caller().get("/catalog/status").json()
    assert (status["source"], status["revision"]) == ("GitHub acme/catalog", sha)


def test_a_bad_file_keeps_its_last_good_version_and_is_annotated_at_its_line(
    stack: Stack, github: GitHubSandbox
) -> None:
    good = served_version(stack, "tool-one-basic")
    path = PATH.format("tool-one-basic")
    sha = push(github, {path: item("tool-one-basic", "new")})
    run = check(github, sha)
    assert run["conclusion"] == "failure"
    (annotation,) = [one for one in run["annotations"] if one["annotation_level"] == "failure"]
    line = item("tool-one-basic", "new").splitlines().index("  version: new") + 1
    assert (annotation["path"], annotation["start_line"]) == (path, line)
    assert served_version(stack, "tool-one-basic") == good
    fixed = push(github, {path: item("tool-one-basic", "1.2.0")})
    assert check(github, fixed)["conclusion"] == "success"
    wait_until(lambda: served_version(stack, "tool-one-basic") == "1.2.0")


def test_an_owner_that_owns_no_code_keeps_an_item_out_until_it_does(
    stack: Stack, github: GitHubSandbox
) -> None:
    path = PATH.format("tool-two-basic")
    sha = push(github, {path: item("tool-two-basic", team="team-db")})
    run = check(github, sha)
    (annotation,) = run["annotations"]
    owner = next(line for line in item("tool-two-basic").splitlines() if "owner:" in line)
    line = item("tool-two-basic").splitlines().index(owner) + 1
    assert (annotation["title"], annotation["start_line"]) == ("owner-not-code-owner", line)
    assert served_version(stack, "tool-two-basic") is None
    owners = f"* @acme/team-a\n/{path} @acme/dba\n* nobody\n"
    sha = push(github, {"CODEOWNERS": owners})
    run = check(github, sha)
    assert [(one["path"], one["start_line"]) for one in run["annotations"]] == [("CODEOWNERS", 3)]
    wait_until(lambda: served_version(stack, "tool-two-basic") == "1.0.0")
    sha = push(github, {"CODEOWNERS": "* @acme/team-a @acme/dba\n"})
    wait_until(lambda: stack.caller().get("/catalog/status").json()["revision"] == sha)


def test_a_pull_request_is_checked_at_its_head_and_nothing_of_it_is_stored(
    stack: Stack, github: GitHubSandbox
) -> None:
    tip = github.branch(REPOSITORY)["sha"]
    bad = {PATH.format("tool-three-basic"): item("tool-three-basic", "bad")}
    sha = push(github, bad, branch="topic", parent=tip)
    answer = httpx.post(
        f"{github.api_url}/repos/{REPOSITORY}/pulls",
        json={"title": "Add c", "head": "topic", "base": "main"},
        headers={"Authorization": f"Bearer {github.settings.token}"},
        trust_env=False,
    )
    number = answer.json()["number"]
    run = check(github, sha)
    assert run["conclusion"] == "failure"
    assert run["annotations"][0]["path"] == PATH.format("tool-three-basic")
    assert served_version(stack, "tool-three-basic") is None
    stored = stack.rows("SELECT content FROM catalog_blobs")
    assert stored
    assert not [row for row in stored if b"tool-three-basic" in row["content"]]
    # The branch has moved on since; what came is part of what it is judged as.
    push(github, {PATH.format("tool-four-basic"): item("tool-four-basic")})
    wait_until(lambda: served_version(stack, "tool-four-basic") == "1.0.0")
    fixed = push(
        github, {PATH.format("tool-three-basic"): item("tool-three-basic")}, branch="topic"
    )
    github.tell("pulls", repository=REPOSITORY, number=number, action="synchronize")
    run = check(github, fixed)
    documents = stack.caller().get("/catalog/status").json()["items"] + 1
    assert (run["conclusion"], run["output"]["title"]) == (
        "success",
        f"{documents} documents valid",
    )
    other = push(github, {"README.md": "x"}, branch="topic", parent=tip)
    github.tell("pulls", repository=REPOSITORY, number=number, action="synchronize")
    assert check(github, other)["conclusion"] == "skipped"


def test_what_a_merge_queue_tests_is_checked(stack: Stack, github: GitHubSandbox) -> None:
    branch = f"gh-readonly-queue/main/pr-104-{'a' * 40}"
    head = {"branch": branch, "parent": github.branch(REPOSITORY)["sha"]}
    sha = push(github, {PATH.format("tool-one-basic"): item("tool-one-basic", "soon")}, **head)
    group = {"head_sha": sha, "head_ref": f"refs/heads/{branch}", "base_ref": "refs/heads/main"}
    event = {"action": "checks_requested", "merge_group": group}
    body = json.dumps(event | {"repository": {"full_name": REPOSITORY}}).encode()
    headers = github_headers("merge_group", body, delivery="queue-1")
    told = stack.anybody().post("/webhooks/github", content=body, headers=headers)
    assert told.status_code == 202
    assert check(github, sha)["conclusion"] == "failure"


def test_a_check_that_is_asked_for_again_is_made_anew(stack: Stack, github: GitHubSandbox) -> None:
    sha = stack.caller().get("/catalog/status").json()["revision"]
    first = check(github, sha)
    github.tell("reruns", repository=REPOSITORY, id=first["id"])
    second = wait_until(lambda: (run := check(github, sha))["id"] != first["id"] and run)
    assert second
    assert (second["conclusion"], second["output"]["title"]) == (
        first["conclusion"],
        first["output"]["title"],
    )


def test_an_app_without_its_right_is_shown_and_its_checks_are_made_up_for(
    stack: Stack, github: GitHubSandbox
) -> None:
    github.fault("status", path="/check-runs", method="POST", status=403, message="Not accessible")
    sha = push(github, {PATH.format("tool-one-basic"): item("tool-one-basic", "1.3.0")})
    untold = wait_until(lambda: stack.caller().get("/catalog/status").json()["unreported"])
    assert (untold["commit"], untold["cause"], untold["proposal"]) == (sha, "refused", None)
    assert served_version(stack, "tool-one-basic") == "1.3.0"
    github.clear_faults()
    stack.caller(ADA).post("/catalog/refresh")
    assert check(github, sha)["conclusion"] == "success"
    wait_until(lambda: stack.caller().get("/catalog/status").json()["unreported"] is None)


def test_the_same_delivery_twice_and_others_branches_change_nothing(
    stack: Stack, github: GitHubSandbox
) -> None:
    push(github, {"README.md": "y"}, branch="live")
    assert json.loads(newest_delivery(github)["answer"]) == {"ignored": "another branch or tag"}
    sha = github.branch(REPOSITORY)["sha"]
    github.tell("refs", repository=REPOSITORY, ref="tags/main", sha=sha)
    assert json.loads(newest_delivery(github)["answer"]) == {"ignored": "another branch or tag"}
    github.tell("refs", repository=REPOSITORY, ref="heads/live")
    assert newest_delivery(github)["status"] == 200
    sha = push(github, {"README.md": "z"})
    first = newest_delivery(github)
    github.tell("deliveries", id=first["id"])
    again = newest_delivery(github)
    assert (again["guid"], again["status"]) == (first["guid"], 202)
    wait_until(lambda: stack.caller().get("/catalog/status").json()["revision"] == sha)


def test_two_hundred_deliveries_at_once_are_one_run_and_the_last_state_wins(
    stack: Stack, github: GitHubSandbox
) -> None:
    path = PATH.format("tool-one-basic")
    shas = [push(github, {path: item("tool-one-basic", f"2.{n}.0")}) for n in range(3)]
    calls = len(github.calls())
    client = stack.anybody()

    def deliver(number: int) -> int:
        payload = {
            "ref": "refs/heads/main",
            "before": shas[number % 2],
            "after": shas[number % 2 + 1],
            "repository": {"full_name": REPOSITORY},
        }
        body = json.dumps(payload).encode()
        headers = github_headers("push", body, delivery=f"burst-{number}")
        # What a busy machine could not take in time is delivered again, as a forge does.
        for _ in range(5):
            status = client.post("/webhooks/github", content=body, headers=headers).status_code
            if status != 503:
                break
        return status

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(deliver, range(200))) == {202}
    wait_until(lambda: stack.caller().get("/catalog/status").json()["revision"] == shas[-1])
    assert served_version(stack, "tool-one-basic") == "2.2.0"
    looked = [call for call in github.calls()[calls:] if "/git/ref/" in call["path"]]
    # A look serves all deliveries that come while it is made.
    assert len(looked) < 200


def test_deliveries_need_the_secret_and_no_other_signature(stack: Stack) -> None:
    body = b'{"zen": "Keep it logically awesome."}'
    client = stack.anybody()
    sent = {"content": body, "headers": github_headers("ping", body)}
    answer = client.post("/webhooks/github", **sent)  # type: ignore[arg-type] # a test's dictionary
    assert (answer.status_code, answer.json()) == (200, {"ignored": "event ping"})
    bad = github_headers("ping", b"another")
    assert client.post("/webhooks/github", content=body, headers=bad).status_code == 401
    assert client.post("/webhooks/gitlab", content=body).status_code == 404
    assert client.post("/webhooks/git", content=body, headers=bad).status_code == 401
    answer = client.post("/webhooks/git", **sent)  # type: ignore[arg-type] # as above
    assert answer.json() == {"ignored": "the catalog does not come from git"}
    form = github_headers("ping", body) | {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/webhooks/github", content=body, headers=form).status_code == 400
    assert client.get("/webhooks/github").status_code == 405
    metrics = client.get("/metrics").text
    assert 'pao_webhook_deliveries_total{forge="github",outcome="unsigned"}' in metrics


def test_a_long_push_is_verified_while_it_arrives(stack: Stack) -> None:
    body = b'{"commits": "' + b"x" * 3_000_000 + b'"}'
    client = stack.anybody()
    headers = github_headers("push", body)
    assert client.post("/webhooks/github", content=body, headers=headers).status_code == 202
    changed = body[:-3] + b"y" + body[-2:]
    assert client.post("/webhooks/github", content=changed, headers=headers).status_code == 401


def test_a_branch_without_its_rule_serves_nothing_new_and_says_so(
    stack: Stack, github: GitHubSandbox
) -> None:
    before = served_version(stack, "tool-one-basic")
    github.tell("protections", repository=REPOSITORY, rule=None)
    push(github, {PATH.format("tool-one-basic"): item("tool-one-basic", "9.0.0")})
    problem = wait_until(lambda: stack.caller().get("/catalog/status").json()["problem"])
    assert problem["cause"] == "unprotected"
    assert "no code owner has approved" in problem["message"]
    refused = stack.caller(ADA).post("/catalog/refresh").json()["error"]["message"]
    assert refused.endswith("Until then nothing new is taken over.")
    assert served_version(stack, "tool-one-basic") == before
    github.tell("protections", repository=REPOSITORY, rule=REFUSE)
    push(github, {"README.md": "again"})
    wait_until(lambda: served_version(stack, "tool-one-basic") == "9.0.0")
