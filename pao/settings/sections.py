"""The sections of the configuration, one per package; each field names its environment variable.

A section validates its own values. What a process cannot start without is in `requirements`.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, quote

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from db.urls import SCHEMES, url_problem, with_options
from pao.core.urls import MAX_PORT, read_port, split_url
from pao.runtime.crypto import SecretBox
from pao.settings.values import (
    SPLIT,
    Credential,
    Duration,
    DurationOrZero,
    JsonObject,
    Names,
    Token,
)


class IdentitySource(StrEnum):
    """How callers of the API may authenticate."""

    KEYS = "keys"
    STS = "sts"
    JWT = "jwt"
    GATEWAY = "gateway"


class JiraFlavour(StrEnum):
    """The JIRA product: REST v3 with ADF, or v2 with wiki markup."""

    CLOUD = "cloud"
    DATACENTER = "datacenter"


class SslMode(StrEnum):
    """libpq's modes of TLS, from none to a verified server name."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class LogLevel(StrEnum):
    """The lowest level that is written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


# Every escalation sets these itself.
_OWN_FIELDS = frozenset({"project", "issuetype", "summary", "description", "labels", "priority"})


def _check_escalation_fields(given: dict[str, Any]) -> dict[str, Any]:
    if own := sorted(_OWN_FIELDS & given.keys()):
        msg = f"{', '.join(own)} is set by PAO or by another setting; remove it"
        raise ValueError(msg)
    return given


EscalationFields = Annotated[JsonObject, AfterValidator(_check_escalation_fields)]


def check_http_url(text: str) -> str:
    """Return an HTTP address without a final slash; raises ``ValueError``."""
    parts = split_url(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"{text!r} is not a web address; use one such as https://jira.example.com"
        raise ValueError(msg)
    check_port(parts)
    if parts.username or parts.password:
        msg = "an address must not contain credentials; set them in their own variables"
        raise ValueError(msg)
    return text.rstrip("/")


def check_port(parts: SplitResult) -> None:
    """Raise ``ValueError`` for an address with an invalid port."""
    port = parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    if port:
        read_port(port)


def _check_postgres_url(secret: SecretStr) -> SecretStr:
    parts = split_url(secret.get_secret_value())
    if parts.scheme not in SCHEMES or not parts.path.strip("/"):
        # The value itself is never repeated: it carries the password.
        msg = "not a Postgres address; use postgresql://user:password@host:5432/database"
        raise ValueError(msg)
    problem = url_problem(secret.get_secret_value())
    if problem:
        raise ValueError(problem)
    return secret


def _check_address(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not host:
        msg = f"{text!r} is not an address; use host:port, such as temporal.example.com:7233"
        raise ValueError(msg)
    read_port(port)
    return text


def _check_key_ring(secret: SecretStr) -> SecretStr:
    SecretBox(secret.get_secret_value())
    return secret


HttpUrl = Annotated[str, AfterValidator(check_http_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_check_postgres_url)]
KeyRing = Annotated[SecretStr, AfterValidator(_check_key_ring)]
Address = Annotated[str, AfterValidator(_check_address)]
Port = Annotated[int, Field(ge=1, le=MAX_PORT)]
Count = Annotated[int, Field(ge=1)]
Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)


class SettingsSection(BaseSettings):
    """Base of all sections: frozen, and read only from the given mapping."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out the process's own environment: `read` gets the one to use."""
        return (init_settings,)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Return the section from its exact names; an empty variable counts as absent.

        Raises pydantic's ``ValidationError`` with all problems of the section.
        """
        source = EnvSettingsSource(cls, case_sensitive=True)
        source.env_vars = {name: value for name, value in environ.items() if value}
        return cls(**source())


class AuthSettings(SettingsSection):
    """How callers authenticate, and what signatures must contain."""

    identity_sources: Annotated[tuple[IdentitySource, ...], NoDecode, SPLIT] = Field(
        (IdentitySource.KEYS,), validation_alias="PAO_IDENTITY_SOURCES", min_length=1
    )
    region: str = Field("us-east-1", validation_alias=AliasChoices("PAO_REGION", "AWS_REGION"))
    service_name: str = Field("execute-api", validation_alias="PAO_SERVICE_NAME")
    admin_teams: Names = Field((), validation_alias="PAO_ADMIN_TEAMS")
    encryption_keys: KeyRing | None = Field(None, validation_alias="PAO_ENCRYPTION_KEYS")


class DatabaseSettings(SettingsSection):
    """Postgres: one address, or host, name, user and password."""

    given_url: PostgresUrl | None = Field(None, validation_alias="DATABASE_URL")
    migration_url: PostgresUrl | None = Field(None, validation_alias="PAO_MIGRATION_DATABASE_URL")
    host: str | None = Field(None, validation_alias="DATABASE_HOST")
    port: Port = Field(5432, validation_alias="DATABASE_PORT")
    name: str = Field("pao", validation_alias="DATABASE_NAME")
    user: str = Field("pao", validation_alias="DATABASE_USER")
    password: Credential | None = Field(None, validation_alias="DATABASE_PASSWORD")
    ssl_mode: SslMode | None = Field(None, validation_alias="DATABASE_SSLMODE")
    ssl_root_cert: str | None = Field(None, validation_alias="DATABASE_SSL_ROOT_CERT")
    ssl_cert: Path | None = Field(None, validation_alias="DATABASE_SSL_CERT")
    ssl_key: Path | None = Field(None, validation_alias="DATABASE_SSL_KEY")
    iam_auth: bool = Field(default=False, validation_alias="DB_IAM_AUTH")
    max_open_connections: Count = Field(15, validation_alias="DB_MAX_OPEN_CONNS")
    max_idle_connections: int = Field(5, validation_alias="DB_MAX_IDLE_CONNS", ge=0)
    connection_max_lifetime: Duration = Field(
        timedelta(hours=1), validation_alias="DB_CONN_MAX_LIFETIME"
    )
    connection_max_idle_time: Duration = Field(
        timedelta(minutes=10), validation_alias="DB_CONN_MAX_IDLE_TIME"
    )

    @property
    def url(self) -> SecretStr:
        """The service's address, ``postgresql://...``, with its password."""
        if self.given_url is not None:
            return self._with_tls(self.given_url.get_secret_value())
        password = self.password.get_secret_value() if self.password else ""
        login = quote(self.user, safe="") + (f":{quote(password, safe='')}" if password else "")
        place = f"{self.host or ''}:{self.port}/{quote(self.name, safe='')}"
        return self._with_tls(f"postgresql://{login}@{place}")

    @property
    def owner_url(self) -> SecretStr:
        """The address for migrations: the owner's if it is set, else the service's."""
        if self.migration_url is not None:
            return self._with_tls(self.migration_url.get_secret_value())
        return self.url

    @property
    def effective_ssl_mode(self) -> SslMode | None:
        """The mode of TLS; IAM authentication requires a verified server by default."""
        return self.ssl_mode or (SslMode.VERIFY_FULL if self.iam_auth else None)

    @property
    def tls_options(self) -> dict[str, str]:
        """The TLS settings, by their names in a database address."""
        given = {
            "sslmode": self.effective_ssl_mode,
            "sslrootcert": self.ssl_root_cert,
            "sslcert": self.ssl_cert,
            "sslkey": self.ssl_key,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    def _with_tls(self, url: str) -> SecretStr:
        options = self.tls_options
        return SecretStr(with_options(url, options) if options else url)


class TemporalSettings(SettingsSection):
    """Where Temporal is and how it is reached; the TLS variables are those of Temporal's tools."""

    address: Address = Field("127.0.0.1:7233", validation_alias="TEMPORAL_ADDRESS")
    namespace: str = Field("default", validation_alias="TEMPORAL_NAMESPACE")
    task_queue: str = Field("pao", validation_alias="TEMPORAL_TASK_QUEUE")
    ui_url: HttpUrl | None = Field(None, validation_alias="TEMPORAL_UI_URL")
    api_key: Token | None = Field(None, validation_alias="TEMPORAL_API_KEY")
    tls: bool = Field(default=False, validation_alias="TEMPORAL_TLS")
    tls_server_name: str | None = Field(None, validation_alias="TEMPORAL_TLS_SERVER_NAME")
    tls_server_ca_cert: Path | None = Field(
        None, validation_alias="TEMPORAL_TLS_SERVER_CA_CERT_PATH"
    )
    tls_client_cert: Path | None = Field(None, validation_alias="TEMPORAL_TLS_CLIENT_CERT_PATH")
    tls_client_key: Path | None = Field(None, validation_alias="TEMPORAL_TLS_CLIENT_KEY_PATH")


class JiraSettings(SettingsSection):
    """The JIRA instance that tickets go to, or the file that describes several."""

    instances_file: Path | None = Field(None, validation_alias="JIRA_INSTANCES")
    flavour: JiraFlavour = Field(JiraFlavour.CLOUD, validation_alias="JIRA_FLAVOUR")
    base_url: HttpUrl | None = Field(None, validation_alias="JIRA_BASE_URL")
    username: str | None = Field(None, validation_alias="JIRA_USERNAME")
    api_token: Credential | None = Field(None, validation_alias="JIRA_API_TOKEN")
    default_project: str | None = Field(None, validation_alias="JIRA_DEFAULT_PROJECT")
    search_lag: DurationOrZero | None = Field(None, validation_alias="JIRA_SEARCH_LAG")
    escalation_project: str = Field("ORCHESTRATION", validation_alias="ESCALATION_PROJECT")
    escalation_instance: str | None = Field(None, validation_alias="ESCALATION_INSTANCE")
    escalation_issue_type: str = Field("Incident", validation_alias="ESCALATION_ISSUE_TYPE")
    escalation_priority: str = Field("High", validation_alias="ESCALATION_PRIORITY")
    escalation_fields: EscalationFields = Field({}, validation_alias="ESCALATION_FIELDS")


class GitHubFlavour(StrEnum):
    """The GitHub product: github.com, or an Enterprise Server."""

    CLOUD = "cloud"
    SERVER = "server"


class GitHubSettings(SettingsSection):
    """The GitHub of actions, and its credentials: a token or an App."""

    api_url: HttpUrl = Field("https://api.github.com", validation_alias="GITHUB_API_URL")
    flavour: GitHubFlavour | None = Field(None, validation_alias="GITHUB_FLAVOUR")
    api_version: str = Field(
        "2022-11-28", validation_alias="GITHUB_API_VERSION", pattern=r"^\d{4}-\d{2}-\d{2}$"
    )
    token: Token | None = Field(None, validation_alias="GITHUB_TOKEN")
    app_id: str | None = Field(None, validation_alias="GITHUB_APP_ID")
    app_private_key: SecretStr | None = Field(None, validation_alias="GITHUB_APP_PRIVATE_KEY")
    app_installation_id: int | None = Field(
        None, validation_alias="GITHUB_APP_INSTALLATION_ID", ge=1
    )


class WorkerSettings(SettingsSection):
    """The worker that executes workflows and actions."""

    pool_size: Count = Field(10, validation_alias="WORKER_POOL_SIZE")
    target_share: Count | None = Field(None, validation_alias="WORKER_TARGET_SHARE")
    slow_pool_size: Count = Field(4, validation_alias="WORKER_SLOW_POOL_SIZE")
    waits_pool_size: Count = Field(100, validation_alias="WORKER_WAITS_POOL_SIZE")
    sweep_after: Duration = Field(timedelta(seconds=20), validation_alias="WORKER_SWEEP_AFTER")
    temporal_approvals: bool = Field(default=False, validation_alias="PAO_TEMPORAL_APPROVALS")
    metrics_host: str = Field("127.0.0.1", validation_alias="WORKER_METRICS_HOST")
    metrics_port: Port | None = Field(None, validation_alias="WORKER_METRICS_PORT")


class SecretsSettings(SettingsSection):
    """Secrets that were given by `<NAME>_PATH` or `<NAME>_FILE`."""

    refresh: Duration = Field(timedelta(minutes=5), validation_alias="PAO_SECRETS_REFRESH")


class LoggingSettings(SettingsSection):
    """What is logged, and in which format."""

    level: Annotated[LogLevel, Upper] = Field(LogLevel.INFO, validation_alias="LOG_LEVEL")
    format: Literal["json", "text"] = Field("json", validation_alias="LOG_FORMAT")


class TelemetrySettings(SettingsSection):
    """Where traces go; without an endpoint none are sent."""

    otlp_endpoint: HttpUrl | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    sample_rate: float = Field(1.0, validation_alias="TRACING_SAMPLE_RATE", ge=0, le=1)
