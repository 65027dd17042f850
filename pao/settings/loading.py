"""Reads the whole configuration at once, and reports all its problems together."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from functools import partial
from typing import Any, get_args

from pydantic import AliasChoices, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from db.urls import DEFAULT_PORT, SCHEMES, read_login, url_problem
from pao.core.durations import format_duration
from pao.core.names import MASK
from pao.runtime.model_errors import message_of
from pao.settings.actions import ActionSettings
from pao.settings.catalog import CatalogSettings
from pao.settings.http import HttpSettings
from pao.settings.identity import (
    AwsCallerSettings,
    DirectorySettings,
    JwtSettings,
    SignInSettings,
)
from pao.settings.jira_file import VARIABLE as JIRA_FILE
from pao.settings.jira_file import JiraFile, read_jira_file, secret_problem
from pao.settings.live_secrets import READ_ONCE, Check, LiveSecret, LiveSecrets
from pao.settings.parameter_store import resolve_paths
from pao.settings.requirements import Process, missing
from pao.settings.rollout import RolloutSettings
from pao.settings.secret_files import resolve_files
from pao.settings.sections import (
    AuthSettings,
    DatabaseSettings,
    GitHubSettings,
    JiraSettings,
    LoggingSettings,
    SecretsSettings,
    SettingsSection,
    TelemetrySettings,
    TemporalSettings,
    WorkerSettings,
)
from pao.settings.terraform import TerraformSettings
from pao.settings.values import ByteSize, format_size
from pao.settings.web import WebSettings

SPARE_CONNECTIONS = 5
"""Connections of a worker besides one for each action of its pool."""


class ConfigurationError(Exception):
    """The configuration cannot be used; ``problems`` names everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The effective configuration of one process; each package gets its section."""

    http: HttpSettings
    web: WebSettings
    auth: AuthSettings
    directory: DirectorySettings
    sign_in: SignInSettings
    aws_callers: AwsCallerSettings
    jwt: JwtSettings
    database: DatabaseSettings
    temporal: TemporalSettings
    jira: JiraSettings
    github: GitHubSettings
    catalog: CatalogSettings
    worker: WorkerSettings
    terraform: TerraformSettings
    actions: ActionSettings
    rollout: RolloutSettings
    secrets: SecretsSettings
    logging: LoggingSettings
    telemetry: TelemetrySettings
    jira_file: JiraFile | None = None
    live_secrets: LiveSecrets = field(default_factory=lambda: LiveSecrets({}, {}))

    def masked(self) -> dict[str, str]:
        """Return every variable's name and effective value as text; secrets are masked.

        In a database address only the password is masked. A setting without a value is empty.
        """
        shown = {
            _variable_name(info): _format_setting(getattr(part, name), info)
            for part in (getattr(self, name) for name in SECTIONS)
            for name, info in type(part).model_fields.items()
        }
        for one in self.jira_file.instances if self.jira_file else ():
            shown |= one.masked()
        return shown

    def secret_values(self) -> list[str]:
        """Return every secret of these settings, to keep it out of logs and of the environment."""
        found = [
            value.get_secret_value()
            for part in (getattr(self, name) for name in SECTIONS)
            for value in dict(part).values()
            if isinstance(value, SecretStr)
        ]
        of_jira = self.jira_file.instances if self.jira_file else ()
        return [*found, *(one.secret.get_secret_value() for one in of_jira)]


SECTIONS: dict[str, type[SettingsSection]] = {
    field.name: field.type
    for field in fields(Settings)
    if isinstance(field.type, type) and issubclass(field.type, SettingsSection)
}


def load_settings(environ: Mapping[str, str], *, process: Process) -> Settings:
    """Return the checked settings of ``process``.

    Raises ``ConfigurationError`` with all problems at once; values that may be secret are not
    repeated in them.
    """
    from_files, problems = resolve_files(environ, secret_names())
    resolved, unread = resolve_paths(from_files, secret_names())
    problems += unread
    # A secret that could not be read is not reported as missing as well.
    reported = {
        problem.partition(":")[0].removesuffix("_PATH").removesuffix("_FILE")
        for problem in problems
    }
    parts: dict[str, Any] = {}
    for name, kind in SECTIONS.items():
        try:
            parts[name] = kind.read(resolved)
        except ValidationError as error:
            problems += _explain(kind, error, resolved)
    problems += [
        f"{name}: {text}" for name, text in missing(parts, process) if name not in reported
    ]
    if process != "database" and "database" in parts:
        # Only migrations use the owner's address.
        parts["database"] = parts["database"].model_copy(update={"migration_url": None})
    if process == "worker" and {"database", "worker"} <= parts.keys():
        parts["database"] = _size_pool(parts["database"], parts["worker"])
    jira_file, wrong = _read_jira_instances(parts.get("jira"), process, resolved)
    if problems or wrong:
        raise ConfigurationError(problems + wrong)
    live, jira_file = _make_live(parts, jira_file, environ)
    return Settings(**parts, jira_file=jira_file, live_secrets=live)


def _make_live(
    parts: dict[str, Any], jira_file: JiraFile | None, environ: Mapping[str, str]
) -> tuple[LiveSecrets, JiraFile | None]:
    """Replace secrets that were given by path or file with live ones; return those."""
    secrets: dict[str, LiveSecret] = {}
    checks: dict[str, Check] = {}
    for name, part in parts.items():
        update = {}
        for attribute, info in type(part).model_fields.items():
            variable, value = _variable_name(info), getattr(part, attribute)
            given = environ.get(f"{variable}_PATH") or environ.get(f"{variable}_FILE")
            if given and isinstance(value, SecretStr) and variable not in READ_ONCE:
                update[attribute] = secrets.setdefault(
                    variable, LiveSecret(value.get_secret_value())
                )
                checks[variable] = partial(_refusal, type(part), variable)
        parts[name] = part.model_copy(update=update) if update else part
    if jira_file is None:
        return LiveSecrets(environ, secrets, checks=checks), None
    paths, instances = {}, []
    for one in jira_file.instances:
        path = one.config.authentication.secret.path
        if path:
            live = LiveSecret(one.secret.get_secret_value())
            name = f"{JIRA_FILE}[{one.config.name}]"
            secrets[name], paths[name] = live, path
            checks[name] = partial(secret_problem, one.config)
            one = replace(one, secret=live)  # noqa: PLW2901 -- the same instance
        instances.append(one)
    found = replace(jira_file, instances=tuple(instances))
    return LiveSecrets(environ, secrets, paths=paths, checks=checks), found


def _refusal(kind: type[SettingsSection], variable: str, value: str) -> str | None:
    """Return why a variable's value is invalid; None if it is valid."""
    try:
        kind.read({variable: value})
    except ValidationError as error:
        texts = (text.partition(": ")[2] for text in _explain(kind, error, {}))
        return "; ".join(texts)
    return None


def _size_pool(database: DatabaseSettings, worker: WorkerSettings) -> DatabaseSettings:
    """Return the worker's settings, by default with enough connections for its actions."""
    if "max_open_connections" in database.model_fields_set:
        return database
    most = worker.pool_size + SPARE_CONNECTIONS
    return database.model_copy(update={"max_open_connections": most})


def _read_jira_instances(
    jira: JiraSettings | None, process: Process, environ: Mapping[str, str]
) -> tuple[JiraFile | None, list[str]]:
    if jira is None or jira.instances_file is None or process not in {"api", "worker"}:
        return None, []
    found, problems = read_jira_file(jira.instances_file, environ)
    wanted = jira.escalation_instance
    known = [one.config.name for one in found.instances] if found else []
    if found and wanted is not None and wanted not in known:
        text = f"there is no instance {wanted!r}; JIRA_INSTANCES has: {', '.join(known)}"
        problems.append(f"ESCALATION_INSTANCE: {text}")
    return found, problems


def _explain(
    kind: type[SettingsSection], error: ValidationError, environ: Mapping[str, str]
) -> list[str]:
    names = {alias: info for info in kind.model_fields.values() for alias in _aliases(info)}
    problems = []
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(found["loc"][0])
        text = message_of(found)
        given = environ.get(name, "")
        own_words = found["type"] == "value_error" or _is_secret(names[name])
        problems.append(f"{name}: {text}" if own_words else f"{name}: {text} (it is {given!r})")
    return problems


def secret_names() -> list[str]:
    """Return the name of every setting that is a secret, each once, in order."""
    return sorted(
        {
            _variable_name(info)
            for kind in SECTIONS.values()
            for info in kind.model_fields.values()
            if _is_secret(info)
        }
    )


def _is_secret(info: FieldInfo) -> bool:
    return any(
        SecretStr in (option, *get_args(option)) for option in _union_members(info.annotation)
    )


def _union_members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)


def _aliases(info: FieldInfo) -> list[str]:
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [str(alias)]


def _variable_name(info: FieldInfo) -> str:
    return _aliases(info)[0]


def _format_setting(value: Any, info: FieldInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return _mask_secret(value.get_secret_value())
    if any(isinstance(mark, ByteSize) for mark in info.metadata):
        return format_size(value)
    return _format_value(value)


def _format_value(value: Any) -> str:
    match value:
        case timedelta():
            return format_duration(value)
        case bool():
            return str(value).lower()
        case Mapping() if all(isinstance(one, tuple) for one in value.values()):
            return ",".join(
                f"{target}={failures}/{format_duration(open_for)}"
                for target, (failures, open_for) in value.items()
            )
        case Mapping():
            return json.dumps(value, ensure_ascii=False)
        case tuple():
            return ",".join(str(entry) for entry in value)
        case _:
            return str(value)


def _mask_secret(secret: str) -> str:
    scheme = secret.partition(":")[0]
    if scheme not in SCHEMES or url_problem(secret):
        return MASK
    login = read_login(secret)
    if not login.hosts:
        return MASK
    user = f"{login.user}:{MASK}@" if login.user else ""
    places = ",".join(map(_format_host, login.hosts, login.ports))
    # A query may carry a password as well, so it is left out.
    return f"{scheme}://{user}{places}/{login.database}"


def _format_host(host: str, port: int) -> str:
    written = f"[{host}]" if ":" in host else host
    return written if port == DEFAULT_PORT else f"{written}:{port}"
