"""A whole PAO whose catalog is on GitLab: a push, a merge request, and what commits are told."""

from pathlib import Path
from typing import Any

from pao.app.local.postgres import PostgresAddress
from tests.api.webhooks.test_catalog_on_github import PATH, item, served_version
from tests.support.gitlab import GitLabSandbox
from tests.support.postgres import cloned_database
from tests.support.stack import running_stack, wait_until
from tests.support.webhook_examples import SECRET

PROJECT = "acme/platform/catalog"


def files(*names: str) -> dict[str, str]:
    return {PATH.format(name): item(name) for name in names}


def status(gitlab: GitLabSandbox, sha: str) -> dict[str, Any]:
    """Return the status of a commit, once it has one."""
    found = wait_until(lambda: [one for one in gitlab.state()["status"] if one["sha"] == sha])
    return {key: found[0][key] for key in ("state", "name", "description")}


def test_a_push_is_served_and_a_merge_request_from_before_is_judged_as_merged(
    postgres_address: PostgresAddress, temporal_address: str, tmp_path: Path
) -> None:
    with GitLabSandbox(tmp_path) as gitlab, cloned_database(postgres_address) as database:
        gitlab.tell("projects", name=PROJECT, files={})
        first = gitlab.tell("pushes", project=PROJECT, files=files("tool-one-basic"))["sha"]
        environ = {
            "CATALOG_PATH": "",
            "CATALOG_SOURCE": "gitlab",
            "CATALOG_REPOSITORY": PROJECT,
            "GITLAB_URL": gitlab.url,
            "GITLAB_TOKEN": gitlab.settings.token,
            "GITLAB_WEBHOOK_SECRET": SECRET,
            "PAO_EGRESS_ALLOW": "127.0.0.1",
        }
        with running_stack(database, temporal_address, tmp_path, environ=environ) as stack:
            address = f"{stack.url}/api/v1/webhooks/gitlab"
            gitlab.tell("hooks", project=PROJECT, url=address, token=SECRET)
            sha = gitlab.tell("pushes", project=PROJECT, files=files("tool-two-basic"))["sha"]
            told = {"state": "success", "name": "pao/catalog"}
            assert status(gitlab, sha) == told | {"description": "2 documents valid"}
            wait_until(lambda: served_version(stack, "tool-two-basic") == "1.0.0")

            proposed = files("tool-three-basic")
            more = {"branch": "topic", "parent": first}
            head = gitlab.tell("pushes", project=PROJECT, files=proposed, **more)["sha"]
            attributes = {
                "action": "open",
                "iid": 7,
                "target_branch": "main",
                "last_commit": {"id": head},
            }
            payload = {
                "project": {"path_with_namespace": PROJECT},
                "object_attributes": attributes,
            }
            event = "Merge Request Hook"
            gitlab.tell("events", project=PROJECT, event=event, payload=payload)
            assert status(gitlab, head) == told | {"description": "3 documents valid"}
            assert served_version(stack, "tool-three-basic") is None
