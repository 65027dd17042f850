"""The settings of the catalog: where it is, and who may change it."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from pao.settings.sections import Count, HttpUrl, SettingsSection
from pao.settings.values import Credential, Duration, Names, Size, Token

_OWNER_TEAM = re.compile(r"(?P<owner>@[^=\s,]+|[^=\s,@]+@[^=\s,]+)=(?P<team>[^=\s,]+)")

_SIGNING_PREFIX = "whsec_"


def _parse_owner_teams(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    teams = {}
    for entry in filter(None, map(str.strip, given.split(","))):
        found = _OWNER_TEAM.fullmatch(entry)
        if found is None:
            msg = (
                f"{entry!r} maps no owner to a team; use @org/slug=team, such as @acme/dba=team-db"
            )
            raise ValueError(msg)
        teams[found["owner"]] = found["team"]
    return teams


def _check_folder_path(text: str) -> str:
    path = text.strip("/")
    if not path or any(part in {"", ".", ".."} for part in path.split("/")):
        msg = f"{text!r} is not a folder of a repository; use its path, such as catalog"
        raise ValueError(msg)
    return path


def _check_gitlab_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text.startswith(_SIGNING_PREFIX):
        return secret
    try:
        key = base64.b64decode(text.removeprefix(_SIGNING_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        msg = (
            f"not a signing token: base64 follows {_SIGNING_PREFIX}; copy it from GitLab as a whole"
        )
        raise ValueError(msg)
    return secret


GitLabSecret = Annotated[SecretStr, AfterValidator(_check_gitlab_secret)]
FolderPath = Annotated[str, AfterValidator(_check_folder_path)]
OwnerTeams = Annotated[Mapping[str, str], NoDecode, BeforeValidator(_parse_owner_teams)]


class CatalogSettings(SettingsSection):
    """Where catalog documents come from, and which variables their templates may read."""

    source: Literal["local", "github", "gitlab", "git"] = Field(
        "local", validation_alias="CATALOG_SOURCE"
    )
    path: Path | None = Field(None, validation_alias="CATALOG_PATH")
    repository: str | None = Field(
        None,
        validation_alias=AliasChoices(
            "CATALOG_REPOSITORY", "CATALOG_GITHUB_REPO", "CATALOG_GITLAB_PROJECT"
        ),
    )
    branch: str = Field(
        "main",
        validation_alias=AliasChoices("CATALOG_BRANCH", "CATALOG_GITHUB_BRANCH"),
        pattern=r"^[^\x00-\x20~^:?*\[\\-][^\x00-\x20~^:?*\[\\]*$",
        max_length=240,
    )
    repository_path: FolderPath = Field("catalog", validation_alias="CATALOG_REPOSITORY_PATH")
    ownership: Literal["off", "report", "refuse"] = Field(
        "off", validation_alias="CATALOG_OWNERSHIP"
    )
    owner_teams: OwnerTeams = Field({}, validation_alias="CATALOG_OWNER_TEAMS")
    gitlab_url: HttpUrl = Field("https://gitlab.com", validation_alias="GITLAB_URL")
    gitlab_token: Token | None = Field(None, validation_alias="GITLAB_TOKEN")
    git_user: str = Field("git", validation_alias="CATALOG_GIT_USER", pattern=r"^[^:\x00-\x20]+$")
    git_token: Credential | None = Field(None, validation_alias="CATALOG_GIT_TOKEN")
    github_webhook_secret: SecretStr | None = Field(None, validation_alias="GITHUB_WEBHOOK_SECRET")
    github_webhook_secret_previous: SecretStr | None = Field(
        None, validation_alias="GITHUB_WEBHOOK_SECRET_PREVIOUS"
    )
    gitlab_webhook_secret: GitLabSecret | None = Field(
        None, validation_alias="GITLAB_WEBHOOK_SECRET"
    )
    gitlab_webhook_secret_previous: GitLabSecret | None = Field(
        None, validation_alias="GITLAB_WEBHOOK_SECRET_PREVIOUS"
    )
    git_webhook_secret: SecretStr | None = Field(
        None, validation_alias="CATALOG_GIT_WEBHOOK_SECRET"
    )
    git_webhook_secret_previous: SecretStr | None = Field(
        None, validation_alias="CATALOG_GIT_WEBHOOK_SECRET_PREVIOUS"
    )
    webhook_rate_per_minute: Count = Field(600, validation_alias="CATALOG_WEBHOOK_RATE_PER_MINUTE")
    poll_interval: Duration = Field(timedelta(minutes=5), validation_alias="CATALOG_POLL_INTERVAL")
    watch: bool = Field(default=True, validation_alias="CATALOG_WATCH")
    cache_max_memory: Size = Field(512 * 1024**2, validation_alias="CACHE_MAX_MEMORY")
    template_environment: Names = Field((), validation_alias="TEMPLATE_ENVIRONMENT")

    @property
    def limits(self) -> tuple[str, ...]:
        """What is not supported for a plain Git repository."""
        if self.source != "git":
            return ()
        rules = (
            "The rules of the branch cannot be read: make its code owners' review a rule there."
            if self.ownership != "off"
            else None
        )
        webhook = (
            "No webhook is set up: changes are served at the next poll or refresh."
            if self.git_webhook_secret is None
            else None
        )
        texts = (
            webhook,
            "Pull requests are not checked: run pao catalog validate in a pipeline.",
            rules,
        )
        return tuple(filter(None, texts))
