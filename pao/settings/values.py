"""How a value is written in an environment variable: durations, sizes, names, credentials."""

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
    """Read ``500ms``, ``30s``, ``5m``, ``1h30m`` or ``2d``; zero and a missing unit are refused."""
    duration = parse_duration(text)
    if duration is None:
        msg = f"{text!r} is not a duration; use a number with its unit, such as 30s, 5m or 1h"
        raise ValueError(msg)
    if not duration:
        msg = f"the duration {text!r} must be greater than zero"
        raise ValueError(msg)
    return duration


def read_duration_or_zero(text: str) -> timedelta:
    """Read a duration, or ``0`` with or without a unit."""
    return timedelta() if seconds_of(text) == 0 else read_duration(text)


def parse_size(text: str) -> int:
    """Read ``512``, ``64KB``, ``1MB`` or ``2GB`` as bytes (1 KB is 1024 bytes)."""
    written = text.strip()
    match = _SIZE.fullmatch(written if not written.isdecimal() else f"{written}B")
    if match is None or int(match[1]) == 0:
        msg = f"{text!r} is not a size; write a number above zero with its unit, such as 64KB, 1MB"
        raise ValueError(msg)
    return int(match[1]) * _SIZE_UNITS[match[2].upper()]


def split_names(text: str) -> tuple[str, ...]:
    """Read a comma-separated list; blanks around names and empty names are dropped."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def check_networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is no address or network; a host's name would be the resolver's word."""
    for entry in entries:
        try:
            read_network(entry)
        except ValueError:
            msg = f"{entry!r} is not an address or network; use 10.0.0.7 or 10.0.0.0/24"
            raise ValueError(msg) from None
    return entries


def control_problem(secret: str) -> str | None:
    """Return what is wrong with a credential that is more than one line; None if it is one."""
    if _CONTROL.search(secret) is None:
        return None
    return "has a line break or another control character; store the credential alone"


def token_problem(secret: str) -> str | None:
    """Return what is wrong with a token that no header can hold as it is; None if one can."""
    if problem := control_problem(secret):
        return problem
    if _TOKEN.fullmatch(secret):
        return None
    return "has blanks or letters that a token cannot have; store the token alone"


def check_credential(secret: SecretStr) -> SecretStr:
    """Refuse what no target takes; the value is not repeated."""
    if problem := control_problem(secret.get_secret_value()):
        raise ValueError(problem)
    return secret


def check_token(secret: SecretStr) -> SecretStr:
    """Refuse what no header can hold as a token: blanks, control characters, other letters."""
    if problem := token_problem(secret.get_secret_value()):
        raise ValueError(problem)
    return secret


def format_size(value: int) -> str:
    """Write a number of bytes as it may stand in an environment variable."""
    for unit in ("GB", "MB", "KB"):
        if value % _SIZE_UNITS[unit] == 0:
            return f"{value // _SIZE_UNITS[unit]}{unit}"
    return str(value)


def parse_json_object(text: str) -> dict[str, Any]:
    """Read a JSON object, such as ``{"customfield_10010": {"value": "Production"}}``."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        msg = 'it is not a JSON object; use one such as {"customfield_10010": "text"}'
        raise ValueError(msg)  # noqa: TRY004 -- what pydantic tells as a problem
    return found


def _parse_text(parse: Any) -> BeforeValidator:
    # Defaults are given as values, the environment gives text.
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


class ByteSize:
    """Marks a number as bytes, so that it is shown with its unit."""


Credential = Annotated[SecretStr, AfterValidator(check_credential)]
"""A password or a client's secret: any text of one line."""

Token = Annotated[SecretStr, AfterValidator(check_token)]
"""What is sent in a header as it is."""

SPLIT = _parse_text(split_names)
Duration = Annotated[timedelta, _parse_text(read_duration)]
DurationOrZero = Annotated[timedelta, _parse_text(read_duration_or_zero)]
Size = Annotated[int, _parse_text(parse_size), ByteSize()]
Names = Annotated[tuple[str, ...], NoDecode, SPLIT]
Networks = Annotated[Names, AfterValidator(check_networks)]
JsonObject = Annotated[dict[str, Any], NoDecode, _parse_text(parse_json_object)]
