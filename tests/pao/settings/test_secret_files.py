from pathlib import Path

import pytest

from pao.runtime.crypto import generate_key
from pao.settings import ConfigurationError, load_settings

SECRET = "token-of-the-file"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": "postgresql://pao:p@db.example.com/pao",
        "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
        "JIRA_FLAVOUR": "datacenter",
        "JIRA_BASE_URL": "https://jira.example.com/",
        "CATALOG_PATH": str(tmp_path),
    }


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_a_file_without_its_line_end(
    environ: dict[str, str], tmp_path: Path, end: str
) -> None:
    (tmp_path / "token").write_bytes(f"{SECRET}{end}".encode())

    token = load_settings(
        {**environ, "JIRA_API_TOKEN_FILE": str(tmp_path / "token")}, process="api"
    ).jira.api_token

    assert token is not None
    assert token.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 65537, "is larger than 64 KB"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_problem(
    environ: dict[str, str], tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        load_settings({**environ, "JIRA_API_TOKEN_FILE": str(file)}, process="api")

    assert caught.value.problems == [f"JIRA_API_TOKEN_FILE: {str(file)!r} {said}"]


@pytest.mark.parametrize("other", ["JIRA_API_TOKEN", "JIRA_API_TOKEN_PATH"])
def test_a_secret_given_as_a_file_and_otherwise_is_one_problem(
    environ: dict[str, str], tmp_path: Path, other: str
) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)

    with pytest.raises(ConfigurationError) as caught:
        load_settings({**environ, "JIRA_API_TOKEN_FILE": str(file), other: "/x"}, process="api")

    [problem] = caught.value.problems
    assert problem == f"JIRA_API_TOKEN_FILE: given together with {other}; keep one of the two"
