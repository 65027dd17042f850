"""Calls to servers that misbehave in JIRA's place."""

from typing import Any

import pytest
from pydantic import SecretStr

from pao.clients.jira import BasicAuth, JiraClient, JiraError, JiraFlavour, JiraInstance

TOTAL = 1.5
FIELDS: dict[str, Any] = {
    "project": {"key": "PLATFORM"},
    "issuetype": {"name": "Task"},
    "summary": "A database",
    "labels": ["pao-1"],
}


def instance(url: str, **changes: Any) -> JiraInstance:
    values: dict[str, Any] = {
        "name": "main",
        "base_url": url,
        "flavour": JiraFlavour.DATACENTER,
        "auth": BasicAuth("pao", SecretStr("sandbox-token")),
        "default_project": "PLATFORM",
        "total_timeout": TOTAL,
        "connect_timeout": 1.0,
    }
    return JiraInstance(**{**values, **changes})


async def failure(url: str, **changes: Any) -> JiraError:
    async with JiraClient(instance(url, **changes)) as client:
        with pytest.raises(JiraError) as caught:
            await client.create_issue(FIELDS)
    return caught.value
