"""An environment with all that an API needs."""

from pathlib import Path

import pytest

from tests.pao.settings.environments import KEYS, PASSWORD


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": f"postgresql://pao:{PASSWORD.replace(' ', '%20')}@db.example.com/pao",
        "PAO_ENCRYPTION_KEYS": KEYS,
        "JIRA_BASE_URL": "https://jira.example.com/",
        "JIRA_USERNAME": "bot@example.com",
        "JIRA_API_TOKEN": "jira-token-value",
        "CATALOG_PATH": str(tmp_path),
    }
