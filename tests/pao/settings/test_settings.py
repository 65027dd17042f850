import base64
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from pao.core.durations import format_duration
from pao.settings import ConfigurationError, IdentitySource, JiraFlavour, load_settings
from pao.settings.values import (
    parse_size,
    read_duration,
    show_size,
    split_names,
)

KEYS = "k1:" + base64.b64encode(bytes(range(32))).decode()
PASSWORD = "correct horse battery"


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


def problems_of(environ: Mapping[str, str], process: str = "api") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ, process=process)  # type: ignore[arg-type]  # a parametrized name
    return caught.value.problems


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


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172800)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert read_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "0s", "-1s", "1 h", "1h 30m", "1y", "9" * 20 + "d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        read_duration(text)


@pytest.mark.parametrize(("text", "size"), [("1MB", 1024**2), ("64kb", 65536), ("512", 512)])
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0MB", "-1MB", "1.5MB", "1TB", "MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@given(st.integers(min_value=1, max_value=2**50))
def test_a_shown_size_is_read_as_itself(size: int) -> None:
    assert parse_size(show_size(size)) == size


def test_lists_drop_blanks() -> None:
    assert split_names(" a, ,b,") == ("a", "b")


PARAMETERS = {"/pao/jira": "token-from-the-store"}


class _ParameterStore(BaseHTTPRequestHandler):
    """Speaks the JSON protocol of SSM's GetParameters."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"] == "AmazonSSM.GetParameters"
        assert asked["WithDecryption"] is True
        found = [name for name in asked["Names"] if name in PARAMETERS]
        answer = {
            "Parameters": [{"Name": name, "Value": PARAMETERS[name]} for name in found],
            "InvalidParameters": [name for name in asked["Names"] if name not in found],
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def parameter_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ParameterStore)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield {"AWS_ENDPOINT_URL_SSM": url, "AWS_REGION": "eu-central-1"}
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_secret_is_read_from_parameter_store(
    environ: dict[str, str], parameter_store: dict[str, str]
) -> None:
    del environ["JIRA_API_TOKEN"]
    environ |= parameter_store | {"JIRA_API_TOKEN_PATH": "/pao/jira"}

    token = load_settings(environ, process="api").jira.api_token

    assert token is not None
    assert token.get_secret_value() == "token-from-the-store"


def test_a_parameter_that_is_not_there_is_one_problem(
    environ: dict[str, str], parameter_store: dict[str, str]
) -> None:
    del environ["JIRA_API_TOKEN"]
    environ |= parameter_store | {"JIRA_API_TOKEN_PATH": "/pao/none"}

    [problem] = problems_of(environ)

    assert problem.startswith("JIRA_API_TOKEN_PATH: Parameter Store has no parameter '/pao/none'")


def test_a_secret_given_twice_is_a_problem(environ: dict[str, str]) -> None:
    environ["JIRA_API_TOKEN_PATH"] = "/pao/jira"

    [problem] = problems_of(environ)

    assert (
        problem == "JIRA_API_TOKEN: given as value and as JIRA_API_TOKEN_PATH; keep one of the two"
    )


def test_a_parameter_store_that_is_away_is_a_problem(
    environ: dict[str, str], parameter_store: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    del environ["JIRA_API_TOKEN"]
    environ |= parameter_store | {
        "AWS_ENDPOINT_URL_SSM": f"http://127.0.0.1:{port}",
        "JIRA_API_TOKEN_PATH": "/pao/jira",
    }

    [problem] = problems_of(environ)

    assert "did not answer" in problem
    assert "EndpointConnectionError" in problem


@pytest.mark.parametrize("text", ["0", "0s", "00ms"])
def test_there_may_be_no_drain_time(environ: dict[str, str], text: str) -> None:
    http = load_settings({**environ, "PAO_DRAIN": text}, process="api").http
    assert (http.drain, format_duration(http.drain)) == (timedelta(), "0s")


@pytest.mark.parametrize("text", ["proxy.example.com", "10.0.0.0/33", "*", "10.0.0.1/24"])
def test_a_trusted_proxy_is_an_address_or_a_network(environ: dict[str, str], text: str) -> None:
    given = {**environ, "PAO_TRUSTED_PROXIES": f"10.0.0.7, {text}"}
    [problem] = problems_of(given)
    assert problem.startswith(f"PAO_TRUSTED_PROXIES: {text!r} is not an address or network")
