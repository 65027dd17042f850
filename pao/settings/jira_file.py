"""The file that JIRA_INSTANCES names: its format, its secrets, and all its problems at once."""

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from catalog.loading import MAX_BYTES, DocumentError, YamlDocument, load_document
from pao.core.durations import format_duration
from pao.core.names import MASK
from pao.runtime.files import is_file
from pao.runtime.model_errors import message_of
from pao.settings.parameter_store import read_parameters
from pao.settings.sections import HttpUrl, JiraFlavour
from pao.settings.values import control_problem, read_duration, read_duration_or_zero, token_problem

VARIABLE = "JIRA_INSTANCES"
# One execution of an action must end before Temporal's timeout (workflows/policies.py).
LONGEST_TIMEOUT = timedelta(seconds=8)

State = Literal["submitted", "in_progress", "completed", "failed"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ProjectKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,254}$")]
Text = Annotated[str, Field(min_length=1)]
# A number without a unit is refused, as in environment variables.
Timeout = Annotated[timedelta, BeforeValidator(lambda value: read_duration(str(value)))]

SearchLag = Annotated[timedelta, BeforeValidator(lambda value: read_duration_or_zero(str(value)))]


class _FileModel(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


class SecretReference(_FileModel):
    """Where a secret is: a variable, a path in Parameter Store, or (second choice) plain text."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    path: Text | None = None
    value: SecretStr | None = Field(default=None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _wrap_plain_value(cls, given: Any) -> Any:
        return {"value": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _require_one_origin(self) -> Self:
        if sum(place is not None for place in (self.env, self.path, self.value)) != 1:
            msg = "say where the secret is kept: {env: NAME} or {path: /name/in/parameter/store}"
            raise ValueError(msg)
        return self

    @property
    def origin(self) -> str:
        """Where the secret comes from, without its value."""
        if self.env:
            return f"{MASK} (variable {self.env})"
        return f"{MASK} (parameter {self.path})" if self.path else MASK


class UserToken(_FileModel):
    """``api_token``, Cloud: the account's address with an API token."""

    type: Literal["api_token"]
    username: Text
    token: SecretReference

    @property
    def secret(self) -> SecretReference:
        """Where its secret is."""
        return self.token


class Password(_FileModel):
    """``basic``, Data Center: user name and password."""

    type: Literal["basic"]
    username: Text
    password: SecretReference

    @property
    def secret(self) -> SecretReference:
        """Where its secret is."""
        return self.password


class PersonalToken(_FileModel):
    """``pat``, Data Center: a personal access token."""

    type: Literal["pat"]
    token: SecretReference

    @property
    def secret(self) -> SecretReference:
        """Where its secret is."""
        return self.token


class OAuth2Credentials(_FileModel):
    """``oauth2``: client credentials, with which PAO fetches its tokens itself."""

    type: Literal["oauth2"]
    client_id: Text
    client_secret: SecretReference
    token_url: HttpUrl
    scope: Text | None = None
    client_authentication: Literal["client_secret_post", "client_secret_basic"] = (
        "client_secret_post"
    )

    @property
    def secret(self) -> SecretReference:
        """Where its secret is."""
        return self.client_secret


Authentication = Annotated[
    UserToken | Password | PersonalToken | OAuth2Credentials, Field(discriminator="type")
]
_WRONG_FLAVOUR = {
    ("cloud", "basic"): "JIRA Cloud does not accept passwords; use api_token or oauth2",
    ("cloud", "pat"): "JIRA Cloud has no personal access tokens; use api_token or oauth2",
    ("datacenter", "api_token"): "Data Center has no API tokens; use pat, basic or oauth2",
}


class InstanceConfig(_FileModel):
    """One JIRA instance as the file describes it."""

    name: Name
    base_url: HttpUrl
    site_url: HttpUrl | None = None
    flavour: JiraFlavour
    authentication: Authentication
    default_project: ProjectKey | None = None
    projects: tuple[ProjectKey, ...] = ()
    timeout: Timeout = LONGEST_TIMEOUT
    search_lag: SearchLag | None = None
    status_mapping: dict[Text, State] = Field(default_factory=dict)
    ca_file: Path | None = None

    def problems(self, folder: Path) -> Iterator[tuple[str, str]]:
        """Yield key and message for values that contradict each other."""
        wrong = _WRONG_FLAVOUR.get((self.flavour.value, self.authentication.type))
        if wrong:
            yield "authentication", wrong
        if self.timeout > LONGEST_TIMEOUT:
            longest = format_duration(LONGEST_TIMEOUT)
            yield "timeout", f"is longer than {longest}, the time limit of an action"
        folded = [name.strip().casefold() for name in self.status_mapping]
        for name in sorted({name for name in folded if folded.count(name) > 1}):
            yield "statusMapping", f"{name!r} occurs twice; names are case-insensitive"
        if self.ca_file is not None:
            yield from _certificate_problems(folder / self.ca_file)


class InstancesConfig(_FileModel):
    """The whole file."""

    default: Name | None = None
    instances: tuple[InstanceConfig, ...]


@dataclass(frozen=True, slots=True)
class ConfiguredJira:
    """One instance with its secret; ``ca_file`` is an absolute path."""

    config: InstanceConfig
    secret: SecretStr
    ca_file: Path | None

    def masked(self) -> dict[str, str]:
        """Return every key and its effective value as text; the secret is masked."""
        document = self.config.model_dump(mode="json", by_alias=True, exclude={"authentication"})
        document |= {"timeout": format_duration(self.config.timeout), "caFile": self.ca_file}
        lag = self.config.search_lag
        document["searchLag"] = "(usual for its flavour)" if lag is None else format_duration(lag)
        sign_in = self.config.authentication.model_dump(mode="json", by_alias=True)
        for key, value in sign_in.items():
            origin = self.config.authentication.secret.origin if isinstance(value, dict) else value
            document[f"authentication.{key}"] = origin
        start = f"{VARIABLE}[{document.pop('name')}]"
        return {f"{start}.{key}": _format_value(value) for key, value in document.items()}


@dataclass(frozen=True, slots=True)
class JiraFile:
    """All instances; ``default`` names one of them."""

    default: str
    instances: tuple[ConfiguredJira, ...]


def read_jira_file(path: Path, environ: Mapping[str, str]) -> tuple[JiraFile | None, list[str]]:
    """Read the file and its secrets; return the file, or every problem with it."""
    try:
        with path.open("rb") as stream:
            # One byte more than a document may have, to detect a longer one.
            content = stream.read(MAX_BYTES + 1)
        document = load_document(content, file=path.name)
        form = InstancesConfig.model_validate(document.data)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return None, [f"{VARIABLE}: {str(path)!r} cannot be read ({reason}); correct the path"]
    except DocumentError as error:
        return None, [f"{VARIABLE}: {error}"]
    except ValidationError as error:
        return None, [*_validation_problems(document, error)]
    problems = [*_consistency_problems(document, form, path.parent)]
    secrets, unread = _find_secrets(document, form, environ)
    if problems or unread:
        return None, problems + unread
    configured = tuple(
        ConfiguredJira(one, secrets[index], one.ca_file and (path.parent / one.ca_file).resolve())
        for index, one in enumerate(form.instances)
    )
    return JiraFile(form.default or form.instances[0].name, configured), []


def _validation_problems(document: YamlDocument, error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        where = tuple(part for part in found["loc"] if part not in _AUTHENTICATION_TYPES)
        yield _problem(document, where, message_of(found))


_AUTHENTICATION_TYPES = frozenset({"api_token", "basic", "pat", "oauth2"})


def _consistency_problems(
    document: YamlDocument, form: InstancesConfig, folder: Path
) -> Iterator[str]:
    names = [one.name for one in form.instances]
    if not names:
        yield _problem(document, ("instances",), "is empty; describe at least one instance")
    if form.default is not None and form.default not in names:
        yield _problem(document, ("default",), f"there is no instance {form.default!r}")
    mapped: dict[str, str] = {}
    for index, one in enumerate(form.instances):
        place = ("instances", index)
        if one.name in names[:index]:
            yield _problem(document, (*place, "name"), f"{one.name!r} is taken already")
        for key, text in one.problems(folder):
            yield _problem(document, (*place, key), text)
        for project in dict.fromkeys(one.projects):
            other = mapped.setdefault(project, one.name)
            if other != one.name:
                text = f"{project} is mapped to {other!r} already; keep one of the two"
                yield _problem(document, (*place, "projects"), text)


def _find_secrets(
    document: YamlDocument, form: InstancesConfig, environ: Mapping[str, str]
) -> tuple[dict[int, SecretStr], list[str]]:
    """Return the secret of each instance by its index, and the problems of missing ones."""
    wanted = {index: one.authentication.secret for index, one in enumerate(form.instances)}
    paths = {str(index): secret.path for index, secret in wanted.items() if secret.path}
    values, missing = read_parameters(environ, paths)
    found: dict[int, SecretStr] = {}
    problems: list[str] = []
    for index, secret in wanted.items():
        text = _secret_text(secret, environ, values.get(str(index)))
        wrong = secret_problem(form.instances[index], text) if text else None
        if text and wrong is None:
            found[index] = SecretStr(text)
            continue
        why = wrong or missing.get(str(index)) or f"the variable {secret.env} is not set; set it"
        problems.append(_problem(document, ("instances", index, "authentication"), why))
    return found, problems


def secret_problem(instance: InstanceConfig, secret: str) -> str | None:
    """Return why an instance cannot be called with a secret; None if it can."""
    check = token_problem if instance.authentication.type == "pat" else control_problem
    return check(secret)


def _secret_text(
    secret: SecretReference, environ: Mapping[str, str], parameter: str | None
) -> str | None:
    if secret.value is not None:
        return secret.value.get_secret_value()
    # A variable's value often ends in a line break from a file.
    return (environ.get(secret.env, "") if secret.env else parameter or "").strip()


def _problem(document: YamlDocument, path: tuple[str | int, ...], text: str) -> str:
    place = document.position(path)
    name = re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, path)))
    where = f"{document.file}:{place.line}:{place.column}"
    return f"{VARIABLE}: {where}: {name}: {text}" if name else f"{VARIABLE}: {where}: {text}"


def _certificate_problems(path: Path) -> Iterator[tuple[str, str]]:
    if not is_file(path):
        yield "caFile", f"there is no file {str(path)!r}; correct the path"
        return
    try:
        ssl.create_default_context(cafile=str(path))
    except (ssl.SSLError, OSError):
        yield "caFile", f"{str(path)!r} holds no certificates in PEM form"


def _format_value(value: Any) -> str:
    match value:
        case None:
            return ""
        case list():
            return ",".join(map(str, value))
        case dict():
            return ",".join(f"{name}={state}" for name, state in value.items())
        case _:
            return str(value)
