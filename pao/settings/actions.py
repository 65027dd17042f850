"""The settings of actions: where they may connect, circuit breakers, secrets."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from pao.core.urls import split_url
from pao.runtime.files import is_file, is_folder
from pao.settings.sections import Count, SettingsSection, check_port
from pao.settings.values import Duration, Names, read_duration

_LIMIT = re.compile(r"(?P<target>[^=\s]+)=(?P<failures>[1-9]\d{0,3})/(?P<time>\S+)")


def _check_egress_rules(entries: tuple[str, ...]) -> tuple[str, ...]:
    from pao.clients.outgoing.rules import EgressRules  # noqa: PLC0415 -- an HTTP library with it

    EgressRules.parse(entries)
    return entries


def _check_proxy(secret: SecretStr) -> SecretStr:
    parts = split_url(secret.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = "not a proxy address; use http://host:3128, or http://user:password@host:3128"
        raise ValueError(msg)
    check_port(parts)
    return secret


def _check_file(path: Path) -> Path:
    if not is_file(path):
        msg = f"there is no file {str(path)!r}; correct the path"
        raise ValueError(msg)
    return path


def _check_folder(path: Path) -> Path:
    if not is_folder(path):
        msg = f"there is no folder {str(path)!r}; correct the path"
        raise ValueError(msg)
    return path


def _parse_limits(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    limits = {}
    for entry in filter(None, map(str.strip, given.split(","))):
        found = _LIMIT.fullmatch(entry)
        if found is None:
            msg = f"{entry!r} is not a limit; use target=failures/time, such as jira:main=3/1m"
            raise ValueError(msg)
        limits[found["target"]] = (int(found["failures"]), read_duration(found["time"]))
    return limits


EgressList = Annotated[Names, AfterValidator(_check_egress_rules)]
OwnLimits = Annotated[Mapping[str, tuple[int, timedelta]], NoDecode, BeforeValidator(_parse_limits)]


class ActionSettings(SettingsSection):
    """Which targets actions may reach, when circuit breakers open, and where secrets are."""

    egress_allow: EgressList = Field((), validation_alias="PAO_EGRESS_ALLOW")
    egress_proxy: Annotated[SecretStr, AfterValidator(_check_proxy)] | None = Field(
        None, validation_alias="PAO_EGRESS_PROXY"
    )
    egress_no_proxy: EgressList = Field((), validation_alias="PAO_EGRESS_NO_PROXY")
    egress_ca_bundle: Annotated[Path, AfterValidator(_check_file)] | None = Field(
        None, validation_alias="PAO_EGRESS_CA_BUNDLE"
    )
    breaker_failures: Count = Field(5, validation_alias="PAO_BREAKER_FAILURES")
    breaker_open: Duration = Field(timedelta(seconds=30), validation_alias="PAO_BREAKER_OPEN")
    breaker_targets: OwnLimits = Field({}, validation_alias="PAO_BREAKER_TARGETS")
    secrets_dir: Annotated[Path, AfterValidator(_check_folder)] | None = Field(
        None, validation_alias="PAO_SECRETS_DIR"
    )
    secrets_parameter_prefix: str | None = Field(
        None, validation_alias="PAO_SECRETS_PARAMETER_PREFIX", pattern=r"^/[\w./-]*$"
    )
