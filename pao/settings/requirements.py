"""What each process cannot start without; one generator per section."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from db.urls import SYSTEM, has_password, names_authorities
from pao.runtime.files import is_file
from pao.settings.catalog_requirements import missing_catalog
from pao.settings.identity import AwsCallerSettings, JwtSettings, SignInSettings
from pao.settings.sections import (
    DatabaseSettings,
    GitHubSettings,
    IdentitySource,
    JiraFlavour,
    JiraSettings,
    SslMode,
    TemporalSettings,
)
from pao.settings.values import token_problem

Process = Literal["api", "worker", "release", "keys", "database"]
"""The process; ``release`` replays and promotes workers, and reads no catalog."""


def missing(parts: Mapping[str, Any], process: Process) -> Iterator[tuple[str, str]]:
    """Yield variable and message for each setting that keeps ``process`` from starting.

    ``parts`` are the sections by name; one that could not be read is absent, and skipped.
    """
    if "database" in parts:
        yield from _missing_database(parts["database"], migrates=process == "database")
    if process == "database":
        return
    if "auth" in parts and parts["auth"].encryption_keys is None:
        text = "missing; set <id>:<base64 of 32 random bytes>, the active key first"
        yield "PAO_ENCRYPTION_KEYS", text
    if process == "keys":
        return
    if process == "api":
        yield from _missing_identity(parts)
    if "temporal" in parts:
        yield from _missing_temporal(parts["temporal"])
    if "jira" in parts:
        yield from _missing_jira(parts["jira"])
    if "github" in parts:
        yield from _missing_github(parts["github"])
    if "catalog" in parts and process == "worker":
        yield from missing_catalog(parts["catalog"], parts.get("github"))


def _missing_database(database: DatabaseSettings, *, migrates: bool) -> Iterator[tuple[str, str]]:
    if database.iam_auth and database.password is not None:
        yield "DATABASE_PASSWORD", "set together with DB_IAM_AUTH; keep one of them"
    url = database.given_url.get_secret_value() if database.given_url else ""
    if database.iam_auth and has_password(url):
        yield "DATABASE_URL", "has a password, set together with DB_IAM_AUTH; keep one of them"
    if database.given_url is not None:
        if database.host is not None:
            yield "DATABASE_HOST", "set together with DATABASE_URL; keep one of them"
    elif database.host is None and not (migrates and database.migration_url):
        yield "DATABASE_URL", "missing; set it, or DATABASE_HOST with DATABASE_PASSWORD"
    elif database.host and database.password is None and not database.iam_auth:
        yield "DATABASE_PASSWORD", "missing; set it"
    yield from _missing_database_tls(database)
    is_given = "max_idle_connections" in database.model_fields_set
    if is_given and database.max_idle_connections > database.max_open_connections:
        most = database.max_open_connections
        yield "DB_MAX_IDLE_CONNS", f"above DB_MAX_OPEN_CONNS ({most}); lower it"


def _missing_database_tls(database: DatabaseSettings) -> Iterator[tuple[str, str]]:
    files = {
        "DATABASE_SSL_ROOT_CERT": database.ssl_root_cert,
        "DATABASE_SSL_CERT": database.ssl_cert,
        "DATABASE_SSL_KEY": database.ssl_key,
    }
    for name, path in files.items():
        if path is not None and str(path) != SYSTEM and not is_file(path):
            yield name, f"there is no file {str(path)!r}; correct the path"
    if (database.ssl_cert is None) != (database.ssl_key is None):
        yield "DATABASE_SSL_CERT", "a client certificate and its key belong together; set both"
    checks = database.effective_ssl_mode in {SslMode.VERIFY_CA, SslMode.VERIFY_FULL}
    by_itself = database.given_url is not None and not database.iam_auth
    if checks and not by_itself and not names_authorities(database.url.get_secret_value()):
        text = "missing; name the file of the CA certificates to trust, or system"
        yield "DATABASE_SSL_ROOT_CERT", text


def _missing_identity(parts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "directory" in parts:
        bundle = parts["directory"].ca_bundle
        if bundle is not None and not is_file(bundle):
            yield "PAO_IDENTITY_CA_BUNDLE", f"there is no file {str(bundle)!r}; correct the path"
    if "sign_in" in parts:
        yield from _missing_sign_in(parts["sign_in"])
    sources = parts["auth"].identity_sources if "auth" in parts else ()
    if "aws_callers" in parts and "web" in parts and "http" in parts:
        yield from _missing_aws(parts["aws_callers"], parts, frozenset(sources))
    if "jwt" in parts and IdentitySource.JWT in sources:
        yield from _missing_jwt(parts["jwt"])


def _missing_aws(
    given: AwsCallerSettings, parts: Mapping[str, Any], sources: frozenset[IdentitySource]
) -> Iterator[tuple[str, str]]:
    if not sources.isdisjoint({IdentitySource.STS, IdentitySource.GATEWAY}) and not given.accounts:
        # Anybody can have an AWS account.
        yield "PAO_AWS_ACCOUNTS", "missing; set the accounts whose users and roles may call"
    if IdentitySource.STS in sources and not (given.server_id or parts["web"].public_url):
        yield "PAO_SERVER_ID", "missing; set it or PAO_PUBLIC_URL: callers sign for this name"
    if IdentitySource.GATEWAY in sources:
        if given.gateway_secret is None:
            yield "PAO_GATEWAY_SECRET", "missing; set what the gateway sends along"
        if not parts["http"].trusted_proxies:
            yield "PAO_TRUSTED_PROXIES", "missing; set the addresses that the gateway calls from"


def _missing_jwt(given: JwtSettings) -> Iterator[tuple[str, str]]:
    needed = {
        "PAO_JWT_ISSUER": given.issuer,
        "PAO_JWT_AUDIENCE": given.audience,
        "PAO_JWT_JWKS_URL": given.jwks_url,
    }
    for name, value in needed.items():
        if value is None:
            yield name, "missing; the identity source jwt needs it"


def _missing_sign_in(given: SignInSettings) -> Iterator[tuple[str, str]]:
    if given.oidc_issuer is not None and given.oidc_client_id is None:
        text = "missing; set the id under which PAO is registered at PAO_OIDC_ISSUER"
        yield "PAO_OIDC_CLIENT_ID", text
    if given.oidc_issuer is None and given.oidc_client_id is not None:
        yield "PAO_OIDC_ISSUER", "missing; set the issuer that PAO_OIDC_CLIENT_ID belongs to"
    if given.alb_arn is not None and given.alb_issuer is None:
        yield "PAO_ALB_ISSUER", "missing; set the issuer that the load balancer's rule names"


def _missing_temporal(temporal: TemporalSettings) -> Iterator[tuple[str, str]]:
    if (temporal.tls_client_cert is None) != (temporal.tls_client_key is None):
        text = "a client certificate and its key belong together; set both or neither"
        yield "TEMPORAL_TLS_CLIENT_CERT_PATH", text
    files = {
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": temporal.tls_server_ca_cert,
        "TEMPORAL_TLS_CLIENT_CERT_PATH": temporal.tls_client_cert,
        "TEMPORAL_TLS_CLIENT_KEY_PATH": temporal.tls_client_key,
    }
    for name, path in files.items():
        if path is not None and not is_file(path):
            yield name, f"there is no file {str(path)!r}; correct the path"


def _missing_jira(jira: JiraSettings) -> Iterator[tuple[str, str]]:
    if jira.instances_file is None:
        yield from _missing_single_jira(jira)
        return
    given = {
        "JIRA_BASE_URL": jira.base_url,
        "JIRA_API_TOKEN": jira.api_token,
        "JIRA_USERNAME": jira.username,
        "JIRA_DEFAULT_PROJECT": jira.default_project,
    }
    for name, value in given.items():
        if value is not None:
            # Otherwise it would be unclear which of the two is used.
            yield name, "set together with JIRA_INSTANCES; put it into that file"


def _missing_single_jira(jira: JiraSettings) -> Iterator[tuple[str, str]]:
    if jira.escalation_instance is not None:
        yield "ESCALATION_INSTANCE", "there is only one JIRA; set JIRA_INSTANCES for several"
    if jira.base_url is None:
        yield "JIRA_BASE_URL", "missing; set the address of JIRA, such as https://x.atlassian.net"
    if jira.api_token is None:
        yield "JIRA_API_TOKEN", "missing; set a token of the account that creates the tickets"
    elif jira.username is None and (problem := token_problem(jira.api_token.get_secret_value())):
        yield "JIRA_API_TOKEN", problem
    if jira.username is None and jira.flavour is JiraFlavour.CLOUD:
        yield (
            "JIRA_USERNAME",
            "missing; JIRA Cloud needs the account's e-mail address with its token",
        )


def _missing_github(github: GitHubSettings) -> Iterator[tuple[str, str]]:
    if (github.app_id is None) != (github.app_private_key is None):
        absent = "GITHUB_APP_ID" if github.app_id is None else "GITHUB_APP_PRIVATE_KEY"
        yield absent, "an App's id and its private key belong together; set both or neither"
    if github.app_installation_id is not None and github.app_id is None:
        yield "GITHUB_APP_INSTALLATION_ID", "it belongs to an App; set GITHUB_APP_ID as well"
