"""A whole PAO whose catalog is in any repository: pushes, a bad file, new history, no server."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pao.app.local.postgres import PostgresAddress
from tests.api.webhooks.test_catalog_on_github import PATH, item, served_version
from tests.support.callers import ADA
from tests.support.git import commit_files, git, git_server
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.webhook_examples import SECRET


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("git") / "catalog"
    commit_files(path, {PATH.format("tool-one-basic"): item("tool-one-basic")})
    git(path, "config", "uploadpack.allowFilter", "true")
    return path


@pytest.fixture(scope="module")
def stack(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    repository: Path,
) -> Iterator[Stack]:
    with git_server(repository.parent) as url, cloned_database(postgres_address) as database:
        environ = {
            "CATALOG_PATH": "",
            "CATALOG_SOURCE": "git",
            "CATALOG_REPOSITORY": f"{url}/{repository.name}/.git",
            "CATALOG_GIT_WEBHOOK_SECRET": SECRET,
            "PAO_EGRESS_ALLOW": "127.0.0.1",
        }
        folder = tmp_path_factory.mktemp("stack")
        with running_stack(database, temporal_address, folder, environ=environ) as running:
            yield running


def deliver(stack: Stack, after: str, *, secret: str = SECRET) -> httpx.Response:
    """Tell of a push as Gitea does."""
    body = json.dumps({"ref": "refs/heads/main", "before": "0" * 40, "after": after}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Gitea-Event": "push",
        "X-Gitea-Delivery": after,
        "X-Gitea-Signature": hmac.digest(secret.encode(), body, hashlib.sha256).hex(),
    }
    return stack.anybody().post("/webhooks/git", content=body, headers=headers)


def test_a_push_is_served_and_history_may_be_rewritten(stack: Stack, repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    assert served_version(stack, "tool-one-basic") is not None
    sha = commit_files(repository, {PATH.format("tool-two-basic"): item("tool-two-basic")})
    assert deliver(stack, sha, secret="another").status_code == 401
    told = deliver(stack, sha)
    assert (told.status_code, told.json()) == (202, {"accepted": True})
    wait_until(lambda: served_version(stack, "tool-two-basic") == "1.0.0")

    git(repository, "reset", "-q", "--hard", first)
    sha = commit_files(repository, {PATH.format("tool-one-basic"): item("tool-one-basic", "2.0.0")})
    assert deliver(stack, sha).status_code == 202
    wait_until(lambda: served_version(stack, "tool-one-basic") == "2.0.0")
    assert served_version(stack, "tool-two-basic") is None
    status = stack.caller().get("/catalog/status").json()
    assert (status["revision"], status["commit"]["subject"]) == (sha, "change")
    assert status["problem"] is None


def test_a_bad_file_or_a_server_that_is_away_leaves_the_last_good_catalog(
    stack: Stack, repository: Path
) -> None:
    before = served_version(stack, "tool-one-basic")
    assert before is not None
    ada = stack.caller(ADA)
    commit_files(repository, {PATH.format("tool-one-basic"): item("tool-one-basic", "soon")})
    [refused] = ada.post("/catalog/refresh").json()["refused"]
    assert PATH.format("tool-one-basic").endswith(refused)
    assert served_version(stack, "tool-one-basic") == before

    away = repository.rename(repository.with_name("away"))
    answer = ada.post("/catalog/refresh")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "EXTERNAL_SERVICE_ERROR")
    assert stack.caller().get("/catalog/status").json()["problem"]["cause"] in {
        "gone",
        "unavailable",
    }
    assert served_version(stack, "tool-one-basic") == before

    away.rename(repository)
    commit_files(repository, {PATH.format("tool-one-basic"): item("tool-one-basic", "3.0.0")})
    assert ada.post("/catalog/refresh").json()["changed"] == ["tool-one-basic"]
    assert stack.caller().get("/catalog/status").json()["problem"] is None
