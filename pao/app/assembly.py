"""Builds the parts of processes from the settings. Starts nothing."""

import os
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta

from temporalio.client import Client, TLSConfig

from catalog.scopes import ScopeContext
from db.connections import PasswordSource
from db.process_connections import ProcessName
from db.session import Database, PoolSettings
from db.urls import DEFAULT_PORT, read_login
from pao.app.secrets_refresh import SecretsRefresh
from pao.clients.database_tokens import DatabaseTokens
from pao.clients.github import (
    AppAuth,
    GitHubAuth,
    GitHubFlavour,
    GitHubInstance,
    GitHubInstances,
    TokenAuth,
    flavour_of,
)
from pao.clients.jira import (
    BasicAuth,
    JiraAuth,
    JiraFlavour,
    JiraInstance,
    OAuth2Auth,
    PatAuth,
)
from pao.clients.jira.escalation import EscalationTarget
from pao.clients.jira.instances import JiraInstances
from pao.clients.temporal_connection import TemporalTarget
from pao.core.states import RequestStatus
from pao.runtime import tracing
from pao.runtime.crypto import SecretBox
from pao.runtime.tracing import Tracing
from pao.settings import ConfiguredJira, Settings
from pao.settings.jira_file import OAuth2Credentials, Password, PersonalToken, UserToken
from pao.settings.live_secrets import LiveSecret

TOKEN_NAME = "database token"  # noqa: S105 -- what it is called
DEFAULT_JIRA = "default"
DEFAULT_GITHUB = "default"
JIRA_CONNECT_SECONDS = 2.0


def database(
    settings: Settings, *, application_name: str, password: PasswordSource | None = None
) -> Database:
    """Return the database, with the service's own role."""
    given = settings.database
    pool = PoolSettings(
        max_idle=min(given.max_idle_connections, given.max_open_connections),
        max_open=given.max_open_connections,
        max_lifetime=given.connection_max_lifetime.total_seconds(),
        max_idle_time=given.connection_max_idle_time.total_seconds(),
        application_name=application_name,
    )
    url = given.url.get_secret_value()
    return Database(url, pool=pool, password=password or database_password(settings, url))


def database_password(settings: Settings, url: str) -> PasswordSource | None:
    """Return the source of passwords of new connections; None if the address has the password."""
    given, login = settings.database, read_login(url)
    if given.iam_auth and not login.password:
        return DatabaseTokens(
            host=next(iter(login.hosts), ""),
            port=next(iter(login.ports), DEFAULT_PORT),
            user=login.user,
            region=settings.auth.region,
        )
    secret, is_own = given.password, url == given.url.get_secret_value()
    if not isinstance(secret, LiveSecret) or given.given_url is not None or not is_own:
        return None

    async def current_password() -> str:
        return secret.get_secret_value()

    return current_password


def secrets_refresh(settings: Settings, client: Client) -> SecretsRefresh:
    """Return the task that rereads this process's secrets; ``client`` has a copy of its own key."""

    def renew_key(value: str) -> None:
        client.api_key = value

    return SecretsRefresh(
        settings.live_secrets,
        every=settings.secrets.refresh.total_seconds(),
        changed={"TEMPORAL_API_KEY": renew_key},
    )


def secret_ages(
    refresh: SecretsRefresh, password: PasswordSource | None
) -> Callable[[], Mapping[str, float]]:
    """Return a function that reports the ages of secrets and of the database's token."""

    def ages() -> Mapping[str, float]:
        token = isinstance(password, DatabaseTokens) and {TOKEN_NAME: password.age()}
        return {**refresh.ages(), **(token or {})}

    return ages


def process_name(settings: Settings, kind: str) -> ProcessName:
    """Return the name of this process's connections; an API process has one more, to listen."""
    return ProcessName(kind, settings.database.max_open_connections + (kind == "pao-api"))


def audit_database(settings: Settings) -> Database:
    """Return a database for work on the whole audit trail, which may take long."""
    pool = PoolSettings(
        max_idle=1, max_open=1, statement_timeout=3600.0, application_name="pao-audit"
    )
    url = settings.database.url.get_secret_value()
    return Database(url, pool=pool, password=database_password(settings, url))


def secret_box(settings: Settings) -> SecretBox:
    """Return the box that seals secrets at rest; the settings refuse a start without keys."""
    keys = settings.auth.encryption_keys
    return SecretBox(keys.get_secret_value() if keys else "")


def jira_instances(settings: Settings) -> JiraInstances:
    """Return the clients of the configured JIRA instances."""
    file = settings.jira_file
    if file is not None:
        return JiraInstances(map(_jira_instance, file.instances), default=file.default)
    given = settings.jira
    if given.base_url is None or given.api_token is None:
        return JiraInstances([])
    token = given.api_token
    return JiraInstances(
        [
            JiraInstance(
                name=DEFAULT_JIRA,
                base_url=str(given.base_url).rstrip("/"),
                flavour=JiraFlavour(given.flavour.value),
                # Without a user the token can only be a personal access token of Data Center.
                auth=BasicAuth(given.username, token) if given.username else PatAuth(token),
                default_project=given.default_project or "",
                search_lag=_seconds(given.search_lag),
            )
        ]
    )


def escalation_target(settings: Settings) -> EscalationTarget:
    """Return where escalation tickets are created, and with which fields."""
    jira = settings.jira
    has_no_priority = jira.escalation_priority.casefold() == "none"
    return EscalationTarget(
        project=jira.escalation_project,
        instance=jira.escalation_instance,
        issue_type=jira.escalation_issue_type,
        priority=None if has_no_priority else jira.escalation_priority,
        fields=jira.escalation_fields,
        pages=pages(settings),
    )


def pages(settings: Settings) -> str | None:
    """Return the address of the pages, for links to them; None where they are off or unknown."""
    return settings.web.public_url if settings.web.enabled else None


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def github_instances(settings: Settings) -> GitHubInstances:
    """Return the configured GitHub, with the credentials of the App if there is one."""
    given = settings.github
    auth = _github_auth(settings)
    if auth is None:
        return GitHubInstances()
    flavour = GitHubFlavour(given.flavour.value) if given.flavour else flavour_of(given.api_url)
    return GitHubInstances(
        [GitHubInstance(DEFAULT_GITHUB, given.api_url, auth, flavour, given.api_version)]
    )


def _github_auth(settings: Settings) -> GitHubAuth | None:
    given = settings.github
    if given.app_id and given.app_private_key:
        return AppAuth(given.app_id, given.app_private_key, given.app_installation_id)
    return TokenAuth(given.token) if given.token else None


def _jira_instance(configured: ConfiguredJira) -> JiraInstance:
    config = configured.config
    timeout = config.timeout.total_seconds()
    return JiraInstance(
        name=config.name,
        base_url=config.base_url,
        flavour=JiraFlavour(config.flavour.value),
        auth=_jira_auth(configured),
        default_project=config.default_project or "",
        connect_timeout=min(JIRA_CONNECT_SECONDS, timeout),
        total_timeout=timeout,
        status_mapping={
            name: RequestStatus(state) for name, state in config.status_mapping.items()
        },
        projects=config.projects,
        site_url=config.site_url,
        ca_file=str(configured.ca_file) if configured.ca_file else None,
        search_lag=_seconds(config.search_lag),
    )


def _jira_auth(configured: ConfiguredJira) -> JiraAuth:
    match configured.config.authentication:
        case UserToken(username=username) | Password(username=username):
            return BasicAuth(username, configured.secret)
        case PersonalToken():
            return PatAuth(configured.secret)
        case OAuth2Credentials(client_id=client, token_url=url, scope=scope) as credentials:
            in_header = credentials.client_authentication == "client_secret_basic"
            return OAuth2Auth(client, configured.secret, url, scope, in_header=in_header)


def temporal_target(settings: Settings) -> TemporalTarget:
    """Return where Temporal is; a client certificate or an API key implies TLS."""
    given = settings.temporal
    cert, key = given.tls_client_cert, given.tls_client_key
    ca = given.tls_server_ca_cert
    has_tls_files = cert or key or ca or given.tls_server_name
    config = TLSConfig(
        server_root_ca_cert=ca.read_bytes() if ca else None,
        domain=given.tls_server_name,
        client_cert=cert.read_bytes() if cert else None,
        client_private_key=key.read_bytes() if key else None,
    )
    return TemporalTarget(
        address=given.address,
        namespace=given.namespace,
        task_queue=given.task_queue,
        api_key=given.api_key.get_secret_value() if given.api_key else None,
        tls=config if has_tls_files else given.tls or given.api_key is not None,
    )


def traces(settings: Settings, *, service: str) -> Tracing:
    """Set up this process's traces if a receiver is configured; close the result at the end.

    Call it before connecting to Temporal, which carries traces only if they are set up by then.
    """
    given = settings.telemetry
    return tracing.install(
        endpoint=given.otlp_endpoint, sample_rate=given.sample_rate, service=service
    )


def scope_context(settings: Settings) -> ScopeContext:
    """Return what templates may read of this installation, with listed variables only."""
    return ScopeContext(
        hostname=socket.gethostname(),
        region=settings.auth.region,
        environment=os.environ.get("PAO_ENVIRONMENT", ""),
        account=os.environ.get("AWS_ACCOUNT_ID", ""),
        variables={
            name: os.environ[name]
            for name in settings.catalog.template_environment
            if name in os.environ
        },
    )
