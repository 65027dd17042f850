import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr, ValidationError

from pao.settings import IdentitySource, JiraFlavour, load_settings
from tests.pao.settings.environments import KEYS, problems_of


def test_defaults_are_those_of_the_operations_manual(environ: dict[str, str]) -> None:
    settings = load_settings(environ, process="api")

    assert settings.http.port == 8080
    assert settings.http.submission_budget == timedelta(seconds=3)
    assert settings.http.max_request_size == 1024**2
    assert settings.http.rate_limit_per_minute == 60
    assert settings.http.correlation_id_header == "X-Correlation-ID"
    assert settings.database.max_open_connections == 15
    assert settings.database.max_idle_connections == 5
    assert settings.database.connection_max_lifetime == timedelta(hours=1)
    assert settings.catalog.branch == "main"
    assert settings.catalog.poll_interval == timedelta(minutes=5)
    assert settings.catalog.cache_max_memory == 512 * 1024**2
    assert settings.jira.flavour is JiraFlavour.CLOUD
    assert settings.jira.escalation_project == "ORCHESTRATION"
    assert settings.worker.pool_size == 10
    assert settings.auth.identity_sources == (IdentitySource.KEYS,)
    assert settings.auth.service_name == "execute-api"
    assert settings.logging.format == "json"


def test_every_problem_is_reported_at_once(environ: dict[str, str]) -> None:
    del environ["JIRA_API_TOKEN"], environ["DATABASE_URL"]
    environ |= {
        "PAO_PORT": "eighty",
        "API_TIMEOUT": "30",
        "MAX_REQUEST_SIZE": "big",
        "LOG_LEVEL": "loud",
        "CATALOG_PATH": "/nowhere/at/all",
        "PAO_IDENTITY_SOURCES": "keys,anonymous",
    }

    names = [problem.partition(":")[0] for problem in problems_of(environ, "worker")]

    assert sorted(names) == [
        "API_TIMEOUT",
        "CATALOG_PATH",
        "DATABASE_URL",
        "JIRA_API_TOKEN",
        "LOG_LEVEL",
        "MAX_REQUEST_SIZE",
        "PAO_IDENTITY_SOURCES",
        "PAO_PORT",
    ]


def test_an_empty_variable_counts_as_absent(environ: dict[str, str]) -> None:
    environ |= {"PAO_PORT": "", "JIRA_API_TOKEN": ""}

    assert [p.partition(":")[0] for p in problems_of(environ)] == ["JIRA_API_TOKEN"]


@pytest.mark.parametrize("process", ["api", "worker", "keys", "database"])
def test_a_process_is_asked_only_for_what_it_needs(process: str) -> None:
    names = {problem.partition(":")[0] for problem in problems_of({}, process)}

    needs = {"DATABASE_URL"}
    if process != "database":
        needs |= {"PAO_ENCRYPTION_KEYS"}
    if process in {"api", "worker"}:
        needs |= {"JIRA_BASE_URL", "JIRA_API_TOKEN", "JIRA_USERNAME"}
    if process == "worker":
        needs |= {"CATALOG_PATH"}
    assert names == needs


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        # Silence would serve another catalog than the one that was named.
        ({"CATALOG_REPOSITORY": "owner/name"}, "CATALOG_REPOSITORY"),
        ({"CATALOG_GITHUB_REPO": "owner/name"}, "CATALOG_REPOSITORY"),
        ({"CATALOG_SOURCE": "ftp"}, "CATALOG_SOURCE"),
        ({"CATALOG_PATH": "/nowhere/at/all"}, "CATALOG_PATH"),
    ],
)
def test_the_worker_is_told_what_is_wrong_with_the_catalog_s_source(
    environ: dict[str, str], extra: dict[str, str], name: str
) -> None:
    [problem] = problems_of(environ | extra, "worker")
    assert problem.startswith(f"{name}: ")


def test_the_process_s_own_environment_is_not_read(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAO_PORT", "9999")

    assert load_settings(environ, process="api").http.port == 8080


def test_the_region_of_aws_is_taken_unless_pao_has_its_own(environ: dict[str, str]) -> None:
    environ["AWS_REGION"] = "eu-west-1"
    assert load_settings(environ, process="api").auth.region == "eu-west-1"

    environ["PAO_REGION"] = "eu-central-1"
    assert load_settings(environ, process="api").auth.region == "eu-central-1"


def test_settings_cannot_be_changed(environ: dict[str, str]) -> None:
    settings = load_settings(environ, process="api")

    with pytest.raises(ValidationError):
        settings.http.port = 1  # type: ignore[misc]  # the point


def test_the_database_may_be_given_in_parts(environ: dict[str, str]) -> None:
    del environ["DATABASE_URL"]
    environ |= {"DATABASE_HOST": "db", "DATABASE_USER": "p@o", "DATABASE_PASSWORD": "a/b:c"}

    database = load_settings(environ, process="api").database

    assert database.url.get_secret_value() == "postgresql://p%40o:a%2Fb%3Ac@db:5432/pao"
    assert database.owner_url == database.url


def test_tls_of_the_database_is_asked_for_in_variables_or_in_the_address(
    environ: dict[str, str], tmp_path: Path
) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text("-")
    asked = {"DATABASE_SSLMODE": "verify-full", "DATABASE_SSL_ROOT_CERT": str(authority)}
    expected = {"sslmode": ["verify-full"], "sslrootcert": [str(authority)]}

    def options(secret: SecretStr) -> dict[str, list[str]]:
        return parse_qs(urlsplit(secret.get_secret_value()).query)

    owner = {"PAO_MIGRATION_DATABASE_URL": "postgresql://owner:x@db/pao"}
    database = load_settings(environ | asked | owner, process="database").database
    assert options(database.url) == options(database.owner_url) == expected

    parts = {"DATABASE_HOST": "db", "DATABASE_PASSWORD": "x", "DATABASE_URL": ""}
    database = load_settings(environ | asked | parts, process="api").database
    assert options(database.url) == expected

    environ["DATABASE_URL"] += "?sslmode=require"
    database = load_settings(environ | asked, process="api").database
    assert options(database.url)["sslmode"] == ["require"]


@pytest.mark.parametrize(
    ("given", "name", "text"),
    [
        ({"DATABASE_SSLMODE": "always"}, "DATABASE_SSLMODE", "verify-full"),
        ({"DATABASE_SSL_ROOT_CERT": "/no/such"}, "DATABASE_SSL_ROOT_CERT", "there is no file"),
        ({"DATABASE_SSL_ROOT_CERT": "a" * 300}, "DATABASE_SSL_ROOT_CERT", "there is no file"),
        ({"JIRA_BASE_URL": "https://jira.example.com:99999"}, "JIRA_BASE_URL", "a port is"),
        ({"TEMPORAL_ADDRESS": "temporal.example.com:0"}, "TEMPORAL_ADDRESS", "a port is"),
        ({"DATABASE_SSL_KEY": "/no/such"}, "DATABASE_SSL_KEY", "there is no file"),
        ({"DATABASE_URL": "postgresql://a:b@c/d?sslmode=full"}, "DATABASE_URL", "sslmode is one"),
        (
            {"DATABASE_URL": "postgresql://a:b@c/d?sslrootcert=/no/such"},
            "DATABASE_URL",
            "there is no file",
        ),
        (
            {"DATABASE_URL": "postgresql://a:b@c/d?channel_binding=require"},
            "DATABASE_URL",
            "channel_binding is not supported",
        ),
        (
            {"DATABASE_URL": "", "DATABASE_HOST": "db", "DATABASE_SSLMODE": "verify-ca"},
            "DATABASE_SSL_ROOT_CERT",
            "missing",
        ),
    ],
)
def test_tls_that_cannot_be_had_is_named_at_the_start(
    environ: dict[str, str], given: dict[str, str], name: str, text: str
) -> None:
    assert [
        problem for problem in problems_of(environ | given) if name in problem and text in problem
    ]


def test_migrations_use_the_owner_s_address_where_there_is_one(environ: dict[str, str]) -> None:
    environ["PAO_MIGRATION_DATABASE_URL"] = "postgresql://owner:x@db/pao"

    database = load_settings(environ, process="database").database

    assert database.owner_url.get_secret_value() == "postgresql://owner:x@db/pao"


def test_migrations_need_the_owner_s_address_alone() -> None:
    owner = {"PAO_MIGRATION_DATABASE_URL": "postgresql://owner:x@db/pao"}

    database = load_settings(owner, process="database").database

    assert database.owner_url.get_secret_value() == "postgresql://owner:x@db/pao"
    assert [p.partition(":")[0] for p in problems_of(owner, "keys")] == [
        "DATABASE_URL",
        "PAO_ENCRYPTION_KEYS",
    ]


@pytest.mark.parametrize("process", ["api", "worker", "keys"])
def test_no_other_process_keeps_the_owner_s_address(environ: dict[str, str], process: str) -> None:
    environ["PAO_MIGRATION_DATABASE_URL"] = "postgresql://owner:x@db/pao"
    settings = load_settings(environ, process=process)  # type: ignore[arg-type]  # a parametrized name
    assert settings.database.migration_url is None
    assert settings.masked()["PAO_MIGRATION_DATABASE_URL"] == ""


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"DATABASE_HOST": "other"}, "DATABASE_HOST"),
        ({"DB_MAX_IDLE_CONNS": "60"}, "DB_MAX_IDLE_CONNS"),
        ({"DB_IAM_AUTH": "true", "DATABASE_SSLMODE": "require"}, "DATABASE_URL"),
        ({"ESCALATION_INSTANCE": "ops"}, "ESCALATION_INSTANCE"),
        ({"TEMPORAL_TLS_CLIENT_CERT_PATH": "/nowhere.pem"}, "TEMPORAL_TLS_CLIENT_CERT_PATH"),
        ({"TEMPORAL_ADDRESS": "temporal"}, "TEMPORAL_ADDRESS"),
        ({"GITHUB_TOKEN": "a token"}, "GITHUB_TOKEN"),
        ({"TEMPORAL_API_KEY": "a-key\n"}, "TEMPORAL_API_KEY"),
        ({"JIRA_API_TOKEN": "a-token\nand-more"}, "JIRA_API_TOKEN"),
        ({"JIRA_BASE_URL": "jira.example.com"}, "JIRA_BASE_URL"),
        ({"JIRA_BASE_URL": "https://me:secret@jira.example.com"}, "JIRA_BASE_URL"),
        ({"TRACING_SAMPLE_RATE": "1.5"}, "TRACING_SAMPLE_RATE"),
        ({"PAO_REPLICAS": "0"}, "PAO_REPLICAS"),
    ],
)
def test_what_contradicts_itself_is_a_problem(
    environ: dict[str, str], extra: dict[str, str], name: str
) -> None:
    problems = problems_of(environ | extra)

    assert {problem.partition(":")[0] for problem in problems} == {name}
    assert "secret" not in " ".join(problems)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://pao:hunter22@db/pao"),
        ("PAO_ENCRYPTION_KEYS", "hunter22"),
        ("PAO_MIGRATION_DATABASE_URL", "hunter22"),
    ],
)
def test_a_problem_never_repeats_a_secret(environ: dict[str, str], name: str, value: str) -> None:
    [problem] = problems_of(environ | {name: value})

    assert problem.startswith(f"{name}: ")
    assert "hunter22" not in problem


def test_shown_settings_hold_every_name_and_no_secret(environ: dict[str, str]) -> None:
    shown = load_settings(environ, process="api").masked()

    assert shown["PAO_SUBMISSION_BUDGET"] == "3s"
    assert shown["CACHE_MAX_MEMORY"] == "512MB"
    assert shown["JIRA_API_TOKEN"] == "********"
    assert shown["DATABASE_URL"] == "postgresql://pao:********@db.example.com/pao"
    assert shown["GITHUB_TOKEN"] == ""
    assert "jira-token-value" not in json.dumps(shown)


def test_no_representation_shows_a_secret(environ: dict[str, str]) -> None:
    settings = load_settings(environ, process="api")

    for text in (repr(settings), str(settings), repr(settings.database), repr(settings.auth)):
        assert "horse" not in text
        assert "jira-token-value" not in text
        assert KEYS not in text
