"""Secrets that are kept in AWS Secrets Manager: an ARN in place of a path.

As in ECS, a key of a JSON secret, a stage and a version may follow the ARN:
``arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf:KEY:STAGE:VERSION``.
"""

import json
import re
from typing import Any

_ARN = re.compile(
    r"(?P<arn>arn:[\w-]+:secretsmanager:(?P<region>[\w-]+):\d*:secret:[^:]+)"
    r"(?::(?P<key>[^:]*))?(?::(?P<stage>[^:]*))?(?::(?P<version>[^:]*))?"
)


def is_arn(path: str) -> bool:
    """Return whether a path names a secret of Secrets Manager."""
    return ":secretsmanager:" in path and path.startswith("arn:")


def region_of(path: str) -> str | None:
    """Return the region in an ARN; None for another text."""
    match = _ARN.fullmatch(path)
    return match["region"] if match else None


def read_secret(client: Any, path: str) -> tuple[str | None, str]:
    """Return a secret's value, or None and why there is none; raises boto's errors."""
    match = _ARN.fullmatch(path)
    if match is None:
        return None, f"{path!r} is not the ARN of a secret; copy it from Secrets Manager"
    asked = {"SecretId": match["arn"]}
    if match["stage"]:
        asked["VersionStage"] = match["stage"]
    if match["version"]:
        asked["VersionId"] = match["version"]
    text = client.get_secret_value(**asked).get("SecretString")
    if text is None:
        return None, f"the secret {path!r} is binary; store it as text"
    if not match["key"]:
        return text, ""
    try:
        value = json.loads(text).get(match["key"])
    except (ValueError, AttributeError, RecursionError):
        return None, f"the secret {path!r} is not a JSON object; leave its key out"
    if not isinstance(value, str) or not value:
        return None, f"the secret of {path!r} has no text {match['key']!r}; correct the key"
    return value, ""
