"""The settings of identity: who may vouch for callers, and the teams of groups."""

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from pao.core.names import NAME_RULE, USER_OR_TEAM
from pao.settings.sections import HttpUrl, SettingsSection, check_http_url
from pao.settings.values import Credential, JsonObject, Names
from pao.settings.web import LOOPBACK

_NAME = re.compile(USER_OR_TEAM)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_SHORTEST_SECRET = 16
_LOAD_BALANCER = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:(?P<region>[a-z0-9-]+):\d{12}:loadbalancer/app/[\w/-]+"
)


def _check_safe_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        msg = f"{url!r} could be answered by anybody in between; use https"
        raise ValueError(msg)
    return url


def _check_issuer(text: str) -> str:
    # Issuers are compared exactly, and some end in a slash.
    _check_safe_url(check_http_url(text))
    return text


def _check_load_balancer(arn: str) -> str:
    if _LOAD_BALANCER.fullmatch(arn) is None:
        msg = f"{arn!r} is not the ARN of an application load balancer"
        raise ValueError(msg)
    return arn


def _parse_team_map(given: dict[str, Any]) -> dict[str, list[str]]:
    found = {group: teams if isinstance(teams, list) else [teams] for group, teams in given.items()}
    for group, teams in found.items():
        if not teams or not all(isinstance(one, str) and _NAME.fullmatch(one) for one in teams):
            msg = f"{group!r} must stand for a team, or a list of teams, each {NAME_RULE}"
            raise ValueError(msg)
    return found


SafeUrl = Annotated[HttpUrl, AfterValidator(_check_safe_url)]
Issuer = Annotated[str, AfterValidator(_check_issuer)]
LoadBalancer = Annotated[str, AfterValidator(_check_load_balancer)]
TeamMap = Annotated[JsonObject, AfterValidator(_parse_team_map)]


class DirectorySettings(SettingsSection):
    """The teams of groups, and the certificates of identity services."""

    team_map: TeamMap = Field({}, validation_alias="PAO_TEAM_MAP")
    admin_groups: Names = Field((), validation_alias="PAO_ADMIN_GROUPS")
    ca_bundle: Path | None = Field(None, validation_alias="PAO_IDENTITY_CA_BUNDLE")


class SignInSettings(SettingsSection):
    """Ways to sign in to the pages besides a link: an OpenID provider, a load balancer."""

    oidc_issuer: Issuer | None = Field(None, validation_alias="PAO_OIDC_ISSUER")
    oidc_client_id: str | None = Field(None, validation_alias="PAO_OIDC_CLIENT_ID")
    oidc_client_secret: Credential | None = Field(None, validation_alias="PAO_OIDC_CLIENT_SECRET")
    oidc_scopes: Names = Field(("email", "profile"), validation_alias="PAO_OIDC_SCOPES")
    oidc_name: str = Field("single sign-on", validation_alias="PAO_OIDC_NAME", max_length=60)
    user_claim: str = Field("sub", validation_alias="PAO_OIDC_USER_CLAIM")
    teams_claim: str = Field("groups", validation_alias="PAO_OIDC_TEAMS_CLAIM")
    alb_arn: LoadBalancer | None = Field(None, validation_alias="PAO_ALB_ARN")
    alb_issuer: Issuer | None = Field(None, validation_alias="PAO_ALB_ISSUER")
    alb_keys_url: SafeUrl | None = Field(None, validation_alias="PAO_ALB_KEYS_URL")

    @property
    def alb_keys(self) -> str | None:
        """The address of the load balancer's keys; PAO_ALB_KEYS_URL overrides the region's."""
        found = _LOAD_BALANCER.fullmatch(self.alb_arn or "")
        if found is None or self.alb_keys_url is not None:
            return self.alb_keys_url
        return f"https://public-keys.auth.elb.{found['region']}.amazonaws.com"


def _check_accounts(given: tuple[str, ...]) -> tuple[str, ...]:
    for account in given:
        if _ACCOUNT.fullmatch(account) is None:
            msg = f"{account!r} is not the number of an AWS account; it has twelve digits"
            raise ValueError(msg)
    return given


def _check_users(given: dict[str, Any]) -> dict[str, str]:
    for unique_id, user in given.items():
        if not isinstance(user, str) or _NAME.fullmatch(user) is None:
            msg = f"{unique_id!r} must stand for a user: {NAME_RULE}"
            raise ValueError(msg)
    return given


def _check_length(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _SHORTEST_SECRET:
        msg = f"too short; use {_SHORTEST_SECRET} random characters or more"
        raise ValueError(msg)
    return secret


SharedSecret = Annotated[Credential, AfterValidator(_check_length)]
Accounts = Annotated[Names, AfterValidator(_check_accounts)]
UserMap = Annotated[JsonObject, AfterValidator(_check_users)]


class AwsCallerSettings(SettingsSection):
    """Callers whom AWS vouches for: their accounts, and where AWS is queried about them."""

    server_id: str | None = Field(
        None, validation_alias="PAO_SERVER_ID", pattern=r"^[\x21-\x7e]{1,200}$"
    )
    sts_url: SafeUrl | None = Field(None, validation_alias="PAO_STS_URL")
    accounts: Accounts = Field((), validation_alias="PAO_AWS_ACCOUNTS")
    lookup_role: str | None = Field(
        None, validation_alias="PAO_AWS_LOOKUP_ROLE", pattern=r"^[\w+=,.@/-]+$"
    )
    role_team_tag: str = Field("team", validation_alias="PAO_ROLE_TEAM_TAG")
    user_map: UserMap = Field({}, validation_alias="PAO_USER_MAP")
    identity_store: str | None = Field(
        None, validation_alias="PAO_IDENTITY_STORE_ID", pattern=r"^d-[0-9a-f]{10}$"
    )
    identity_store_region: str | None = Field(None, validation_alias="PAO_IDENTITY_STORE_REGION")
    endpoint_url: SafeUrl | None = Field(None, validation_alias="AWS_ENDPOINT_URL")
    gateway_secret: SharedSecret | None = Field(None, validation_alias="PAO_GATEWAY_SECRET")
    gateway_secret_previous: SharedSecret | None = Field(
        None, validation_alias="PAO_GATEWAY_SECRET_PREVIOUS"
    )

    @property
    def gateway_secrets(self) -> tuple[SecretStr, ...]:
        """The valid secrets; two while they are rotated."""
        given = (self.gateway_secret, self.gateway_secret_previous)
        return tuple(secret for secret in given if secret is not None)


class JwtSettings(SettingsSection):
    """The issuer whose tokens the API accepts."""

    issuer: Issuer | None = Field(None, validation_alias="PAO_JWT_ISSUER")
    audience: str | None = Field(None, validation_alias="PAO_JWT_AUDIENCE")
    jwks_url: SafeUrl | None = Field(None, validation_alias="PAO_JWT_JWKS_URL")
    user_claim: str = Field("sub", validation_alias="PAO_JWT_USER_CLAIM")
    teams_claim: str = Field("groups", validation_alias="PAO_JWT_TEAMS_CLAIM")
