"""The types of values in environment variables: durations, sizes, names, credentials."""

import json
import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from pao.core.durations import parse_duration, seconds_of
from pao.runtime.networks import read_network

_SIZE_UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB)", re.IGNORECASE)


def read_duration(text: str) -> timedelta:
    """Return the duration of ``500ms``, ``5m`` or ``1h30m``; zero and no unit are invalid."""
    duration = parse_duration(text)
    if duration is None:
        msg = f"{text!r} is not a duration; use a number with its unit, such as 30s, 5m or 1h"
        raise ValueError(msg)
    if not duration:
        msg = f"the duration {text!r} must be greater than zero"
        raise ValueError(msg)
    return duration


def read_duration_or_zero(text: str) -> timedelta:
    """Return a duration, or zero for ``0`` with or without a unit."""
    return timedelta() if seconds_of(text) == 0 else read_duration(text)


def parse_size(text: str) -> int:
    """Return the bytes of ``512``, ``64KB``, ``1MB`` or ``2GB`` (1 KB is 1024 bytes)."""
    written = text.strip()
    match = _SIZE.fullmatch(written if not written.isdecimal() else f"{written}B")
    if match is None or int(match[1]) == 0:
        msg = f"{text!r} is not a size; write a number above zero with its unit, such as 64KB, 1MB"
        raise ValueError(msg)
    return int(match[1]) * _SIZE_UNITS[match[2].upper()]


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a comma-separated list, without blanks and empty names."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def check_networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Return the entries; raises ``ValueError`` unless all are addresses or networks."""
    for entry in entries:
        try:
            read_network(entry)
        except ValueError:
            msg = f"{entry!r} is not an address or network; use 10.0.0.7 or 10.0.0.0/24"
            raise ValueError(msg) from None
    return entries


def control_problem(secret: str) -> str | None:
    """Return why a credential is invalid; None if it is a single line."""
    if _CONTROL.search(secret) is None:
        return None
    return "has a line break or another control character; store the credential alone"


def token_problem(secret: str) -> str | None:
    """Return why a token cannot be sent in a header; None if it can."""
    if problem := control_problem(secret):
        return problem
    if _TOKEN.fullmatch(secret):
        return None
    return "has blanks or letters that a token cannot have; store the token alone"


def check_credential(secret: SecretStr) -> SecretStr:
    """Return a credential; raises ``ValueError``, which does not repeat it, if it is invalid."""
    if problem := control_problem(secret.get_secret_value()):
        raise ValueError(problem)
    return secret


def check_token(secret: SecretStr) -> SecretStr:
    """Return a token; raises ``ValueError`` if a header cannot contain it."""
    if problem := token_problem(secret.get_secret_value()):
        raise ValueError(problem)
    return secret


def format_size(value: int) -> str:
    """Return a number of bytes as it is written in an environment variable."""
    for unit in ("GB", "MB", "KB"):
        if value % _SIZE_UNITS[unit] == 0:
            return f"{value // _SIZE_UNITS[unit]}{unit}"
    return str(value)


def parse_json_object(text: str) -> dict[str, Any]:
    """Return a JSON object, such as ``{"customfield_10010": {"value": "Production"}}``."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        msg = 'it is not a JSON object; use one such as {"customfield_10010": "text"}'
        raise ValueError(msg)  # noqa: TRY004 -- pydantic reports this type
    return found


def _parse_text(parse: Any) -> BeforeValidator:
    # Defaults are values, variables are text.
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


class ByteSize:
    """Marks a number as bytes, so that it is shown with its unit."""


Credential = Annotated[SecretStr, AfterValidator(check_credential)]
"""A password or a client's secret: any text of one line."""

Token = Annotated[SecretStr, AfterValidator(check_token)]
"""A token that is sent in a header."""

SPLIT = _parse_text(split_names)
Duration = Annotated[timedelta, _parse_text(read_duration)]
DurationOrZero = Annotated[timedelta, _parse_text(read_duration_or_zero)]
Size = Annotated[int, _parse_text(parse_size), ByteSize()]
Names = Annotated[tuple[str, ...], NoDecode, SPLIT]
Networks = Annotated[Names, AfterValidator(check_networks)]
JsonObject = Annotated[dict[str, Any], NoDecode, _parse_text(parse_json_object)]
