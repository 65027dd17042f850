"""Secrets of AWS and of files are read again, and whoever holds one sees its newest value."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from pao.app import assembly
from pao.app.secrets_refresh import SecretsRefresh
from pao.clients.jira.auth import BasicAuth
from pao.clients.temporal_connection import TemporalTarget, connect
from pao.runtime.crypto import generate_key
from pao.runtime.logging import Redactor, TextFormatter
from pao.settings import ConfigurationError, Settings, load_settings
from tests.support.secret_stores import CREDENTIALS, SecretStores, secret_stores
from tests.support.stack import SAMPLES


@pytest.fixture(scope="module")
def aws() -> Iterator[SecretStores]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with secret_stores() as stores:
            yield stores


@pytest.fixture
def environ(aws: SecretStores) -> dict[str, str]:
    return {
        "DATABASE_URL": "postgresql://pao@localhost/pao",
        "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
        "JIRA_BASE_URL": "https://jira.example.com",
        "JIRA_USERNAME": "pao@example.com",
        "CATALOG_PATH": str(SAMPLES),
        **aws.environ,
    }


def loaded(environ: dict[str, str]) -> Settings:
    return load_settings(environ, process="worker")


def test_secrets_come_from_both_stores(aws: SecretStores, environ: dict[str, str]) -> None:
    plain, several = (
        aws.secret("plain", "token-of-github"),
        aws.secret("several", '{"jira": "token-of-jira", "port": 1}'),
    )
    environ |= {"GITHUB_TOKEN_PATH": plain, "JIRA_API_TOKEN_PATH": f"{several}:jira::"}

    settings = loaded(environ)

    assert settings.github.token is not None
    assert settings.github.token.get_secret_value() == "token-of-github"
    assert settings.jira.api_token is not None
    assert settings.jira.api_token.get_secret_value() == "token-of-jira"


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (":port::", "has no text 'port'"),
        (":absent::", "has no text 'absent'"),
        ("::AWSABSENT:", "Secrets Manager did not give"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_problem_without_its_value(
    aws: SecretStores, environ: dict[str, str], end: str, told: str
) -> None:
    arn = aws.secret(f"one{abs(hash(end))}", '{"jira": "token-of-jira", "port": 1}')

    with pytest.raises(ConfigurationError) as caught:
        loaded(environ | {"JIRA_API_TOKEN_PATH": f"{arn}{end}"})

    [problem] = caught.value.problems
    assert problem.startswith("JIRA_API_TOKEN_PATH: ")
    assert told in problem
    assert "token-of-jira" not in problem


async def test_a_new_value_reaches_whoever_holds_the_secret_and_no_log(
    aws: SecretStores, environ: dict[str, str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    path, arn = aws.parameter("jira", "first-token"), aws.secret("key", "first-key")
    file = tmp_path / "github"
    file.write_text("first-github\n")
    environ |= {"JIRA_API_TOKEN_PATH": path, "TEMPORAL_API_KEY_PATH": arn}
    settings = loaded(environ | {"GITHUB_TOKEN_FILE": str(file)})
    client = await connect(TemporalTarget(address="127.0.0.1:1", api_key="first-key"), lazy=True)
    refresh = assembly.secrets_refresh(settings, client)
    assert settings.jira.api_token is not None
    assert settings.github.token is not None
    auth = BasicAuth("pao", settings.jira.api_token)
    before = auth.authorization()

    aws.parameter("jira", "second-token")
    aws.change_secret(arn, "second-key")
    file.write_text("second-github\n")
    with caplog.at_level(logging.INFO):
        await refresh.refresh()

    assert auth.authorization() != before
    assert "second-token" in auth.secrets()
    assert settings.github.token.get_secret_value() == "second-github"
    assert client.api_key == "second-key"
    assert "GITHUB_TOKEN, JIRA_API_TOKEN, TEMPORAL_API_KEY" in caplog.text
    assert "second-" not in caplog.text
    assert refresh.names == ["GITHUB_TOKEN", "JIRA_API_TOKEN", "TEMPORAL_API_KEY"]


async def test_what_cannot_be_read_again_keeps_its_value_and_is_told_once(
    aws: SecretStores, environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    path = aws.parameter("lost", "the-token")
    settings = loaded(environ | {"JIRA_API_TOKEN_PATH": path})
    refresh = SecretsRefresh(settings.live_secrets, every=300)
    aws.remove_parameter(path)

    for _ in range(2):
        await refresh.refresh()

    assert set(refresh.unread) == {"JIRA_API_TOKEN"}
    assert settings.jira.api_token is not None
    assert settings.jira.api_token.get_secret_value() == "the-token"
    assert len([text for text in caplog.messages if "keep their last values" in text]) == 1

    aws.parameter("lost", "another-token")
    await refresh.refresh()
    assert refresh.unread == {}
    assert settings.jira.api_token.get_secret_value() == "another-token"


async def test_a_new_value_that_a_start_would_refuse_is_not_taken(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    first = {
        "PAO_GATEWAY_SECRET": "a-secret-of-the-gateway",
        "PAO_GATEWAY_SECRET_PREVIOUS": "the-secret-before-that-one",
        "GITLAB_WEBHOOK_SECRET": f"whsec_{generate_key()}",
        "GITHUB_TOKEN": "first-token",
        "TEMPORAL_API_KEY": "first-key",
    }
    for name, value in first.items():
        (tmp_path / name).write_text(value)
    files = {f"{name}_FILE": str(tmp_path / name) for name in first}
    settings = loaded(environ | files | {"JIRA_API_TOKEN": "x"})
    refresh = SecretsRefresh(settings.live_secrets, every=300)

    refused = {
        "PAO_GATEWAY_SECRET": "short",
        "PAO_GATEWAY_SECRET_PREVIOUS": " \t\n",
        "GITLAB_WEBHOOK_SECRET": "whsec_not-base64!",
        "GITHUB_TOKEN": "",
        "TEMPORAL_API_KEY": "second-key\nanother-line",
    }
    for name, value in refused.items():
        (tmp_path / name).write_text(value)
    await refresh.refresh()

    assert {name: settings.live_secrets.value(name) for name in first} == first
    told = "its new value is refused: too short; use 16 random characters or more"
    assert refresh.unread["PAO_GATEWAY_SECRET"] == told
    assert "not a signing token" in refresh.unread["GITLAB_WEBHOOK_SECRET"]
    assert "is empty" in refresh.unread["PAO_GATEWAY_SECRET_PREVIOUS"]
    assert "is empty" in refresh.unread["GITHUB_TOKEN"]
    assert "has a line break" in refresh.unread["TEMPORAL_API_KEY"]
    [record] = [one for one in caplog.records if "keep their last values" in one.message]
    line = TextFormatter(Redactor()).format(record)
    assert f"GITHUB_TOKEN ('{tmp_path / 'GITHUB_TOKEN'}' is empty)" in line
    assert f"PAO_GATEWAY_SECRET ({told})" in line
    assert not any(value in line for value in ("not-base64", "second-key"))

    (tmp_path / "PAO_GATEWAY_SECRET").write_text("the-next-secret-of-the-gateway")
    await refresh.refresh()
    assert settings.live_secrets.value("PAO_GATEWAY_SECRET") == "the-next-secret-of-the-gateway"
    assert "PAO_GATEWAY_SECRET" not in refresh.unread


@pytest.mark.parametrize("kind", ["parameter", "secret"])
def test_an_empty_secret_of_aws_is_a_problem(
    aws: SecretStores, environ: dict[str, str], kind: str
) -> None:
    path = getattr(aws, kind)(f"blank-{kind}", "  ")

    with pytest.raises(ConfigurationError) as caught:
        loaded(environ | {"JIRA_API_TOKEN": "x", "GITHUB_WEBHOOK_SECRET_PATH": path})

    assert caught.value.problems == [f"GITHUB_WEBHOOK_SECRET_PATH: {path!r} is empty"]


def test_secrets_of_the_file_of_jiras_are_read_again(
    aws: SecretStores, environ: dict[str, str], tmp_path: Path
) -> None:
    path = aws.parameter("corp", "first-token")
    file = tmp_path / "jira.yaml"
    file.write_text(
        "instances:\n"
        "  - name: corp\n"
        "    baseUrl: https://jira.example.com\n"
        "    flavour: datacenter\n"
        f"    authentication: {{type: pat, token: {{path: {path}}}}}\n"
    )
    del environ["JIRA_BASE_URL"], environ["JIRA_USERNAME"]
    settings = loaded(environ | {"JIRA_INSTANCES": str(file)})
    assert settings.jira_file is not None
    [corp] = settings.jira_file.instances

    aws.parameter("corp", "second-token")

    assert settings.live_secrets.refresh().changed == ("JIRA_INSTANCES[corp]",)
    aws.parameter("corp", "third-token\nand-more")
    assert settings.live_secrets.refresh().unread.keys() == {"JIRA_INSTANCES[corp]"}
    assert corp.secret.get_secret_value() == "second-token"


def test_keys_and_addresses_count_as_they_were_at_the_start(
    aws: SecretStores, environ: dict[str, str]
) -> None:
    key = environ.pop("PAO_ENCRYPTION_KEYS")
    path = aws.parameter("keys", key)
    settings = loaded(environ | {"PAO_ENCRYPTION_KEYS_PATH": path, "JIRA_API_TOKEN": "x"})
    aws.parameter("keys", f"k2:{generate_key()}")

    assert settings.live_secrets.ages() == {}
    assert settings.auth.encryption_keys is not None
    assert settings.auth.encryption_keys.get_secret_value() == key
