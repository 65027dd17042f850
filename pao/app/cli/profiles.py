"""Finds the endpoint, the keys and the region: in options, environment and profile file.

The file is `profiles.toml` in the user's configuration folder, one table per profile:

    [production]
    endpoint = "https://pao.example.com"
    region = "eu-central-1"
    access_key_id = "PAOEXAMPLE"
    secret_access_key = "..."
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.unknown_words import unknown_word
from pao.runtime.files import is_file

DEFAULT_ENDPOINT = "http://127.0.0.1:8080"
DEFAULT_REGION = "us-east-1"
DEFAULT_SERVICE = "execute-api"

_VARIABLES = {
    "endpoint": "PAO_URL",
    "region": "PAO_REGION",
    "service": "PAO_SERVICE_NAME",
    "access_key_id": "PAO_ACCESS_KEY_ID",
    "secret_access_key": "PAO_SECRET_ACCESS_KEY",
    "server_id": "PAO_SERVER_ID",
    "sts_url": "PAO_STS_URL",
}

# What is part of the headers of a signed call.
_SIGNED = frozenset({"region", "service", "access_key_id", "server_id"})
_SIGNABLE = re.compile(r"[!-~]{1,256}")


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """Which service is called, and as whom; without keys, AWS credentials are looked up.

    ``server_id`` is the name of the service in AWS signatures; None means its endpoint.
    """

    endpoint: str
    region: str
    service: str
    access_key_id: str | None
    secret_access_key: str | None = field(repr=False)
    warnings: tuple[str, ...] = ()
    server_id: str | None = None
    sts_url: str | None = None


def profile_file() -> Path:
    """Return the path of the profiles."""
    return Path(typer.get_app_dir("pao")) / "profiles.toml"


def find_target(
    environ: Mapping[str, str],
    *,
    profile: str | None,
    endpoint: str | None,
    region: str | None,
) -> ApiTarget:
    """Return the target from options, profile and environment.

    An option wins over everything; a profile that was named by option wins over the environment,
    and any other profile (PAO_PROFILE, `default`) only adds what the environment does not set.
    """
    given = {name: environ[key] for name, key in _VARIABLES.items() if environ.get(key)}
    name = profile or environ.get("PAO_PROFILE")
    path = profile_file()
    stored, warnings = _read_profile(path, name)
    values = given | stored if profile else stored | given
    options = {"endpoint": endpoint, "region": region}
    values |= {key: value for key, value in options.items() if value}
    for key in _SIGNED & values.keys():
        if _SIGNABLE.fullmatch(values[key]) is None:
            raise _usage_error(f"{key}: {values[key]!r} cannot be part of a signature; correct it")
    return ApiTarget(
        endpoint=_read_endpoint(values.get("endpoint", DEFAULT_ENDPOINT)),
        region=values.get("region", DEFAULT_REGION),
        service=values.get("service", DEFAULT_SERVICE),
        access_key_id=values.get("access_key_id"),
        secret_access_key=values.get("secret_access_key"),
        warnings=warnings,
        server_id=values.get("server_id"),
        sts_url=values.get("sts_url"),
    )


def _read_profile(path: Path, name: str | None) -> tuple[dict[str, str], tuple[str, ...]]:
    if not is_file(path):
        if name:
            raise _usage_error(f"There is no profile {name!r}: {path} does not exist")
        return {}, ()
    profiles = _read_file(path)
    if name and name not in profiles:
        raise unknown_word(f"In {path} the profile", name, sorted(profiles))
    stored = profiles.get(name or "default", {})
    if not isinstance(stored, dict):
        raise _usage_error(
            f"{path}: {name or 'default'} is not a table; write [{name or 'default'}]"
        )
    unknown = sorted(set(stored) - set(_VARIABLES))
    if unknown:
        known = ", ".join(_VARIABLES)
        raise _usage_error(f"{path}: unknown setting {unknown[0]!r}; a profile has {known}")
    return {key: str(value) for key, value in stored.items()}, _permission_warnings(path, stored)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _usage_error(f"{path} cannot be read: {error}") from error


def _permission_warnings(path: Path, stored: Mapping[str, Any]) -> tuple[str, ...]:
    if os.name != "posix" or "secret_access_key" not in stored or not path.stat().st_mode & 0o077:
        return ()
    return (f"{path} holds a secret key and others may read it; run: chmod 600 {path}",)


def _read_endpoint(endpoint: str) -> str:
    trimmed = endpoint.rstrip("/").removesuffix("/api/v1")
    if not _is_web_address(trimmed):
        raise _usage_error(f"{endpoint!r} is not an endpoint; write one such as {DEFAULT_ENDPOINT}")
    return trimmed


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _usage_error(message: str) -> CliError:
    return CliError(message, exit_code=ExitCode.USAGE)
