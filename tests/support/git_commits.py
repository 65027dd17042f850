"""Configurations of commits for tests."""

from typing import Any

from activities.github.commit_config import GitCommitConfig

TENANTS = "platform/tenants"
NEW = {"path": "tenants/cart.yaml", "contentTemplate": "name: cart\n"}


def config(**values: Any) -> GitCommitConfig:
    usual: dict[str, Any] = {
        "repository": TENANTS,
        "branch": "main",
        "files": [NEW],
        "commitMessage": "Add the tenant cart",
    }
    return GitCommitConfig.model_validate(usual | values)


def proposal(**values: Any) -> GitCommitConfig:
    return config(createPullRequest=True, **values)


EMPTY = "platform/empty"
