"""Health and metrics tell of secrets that cannot be read again."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import Database
from tests.support.secret_stores import CREDENTIALS, secret_stores
from tests.support.stack import running_stack, wait_until


def test_a_secret_that_cannot_be_read_again_degrades_health(
    database: Database, temporal_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with secret_stores() as aws:
        path = aws.parameter("jira", "a-token")
        environ = {
            **aws.environ,
            "JIRA_API_TOKEN": "",
            "JIRA_API_TOKEN_PATH": path,
            "PAO_SECRETS_REFRESH": "100ms",
        }
        with running_stack(
            database, temporal_address, tmp_path, environ=environ, with_worker=False
        ) as stack:
            anybody = stack.anybody()

            def secrets() -> dict[str, Any]:
                found: dict[str, Any] = anybody.get("/health").json()["components"]["secrets"]
                return found

            assert secrets() == {"status": "ok", "unread": []}
            metrics = anybody.get("/metrics").text
            assert 'pao_secret_age_seconds{secret="JIRA_API_TOKEN"}' in metrics
            aws.remove_parameter(path)
            wait_until(lambda: secrets() == {"status": "degraded", "unread": ["JIRA_API_TOKEN"]})
            aws.parameter("jira", "another-token")
            wait_until(lambda: secrets()["status"] == "ok")
            assert "token" not in str(secrets()).replace("JIRA_API_TOKEN", "")
