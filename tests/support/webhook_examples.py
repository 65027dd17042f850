"""The published example payloads of GitHub's events, and deliveries as forges sign them."""

import base64
import hmac
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.node import node_packages

_PACKAGE = Path(__file__).parent / "webhook_examples_package"
SECRET = "a secret of the webhook"
SIGNING = f"whsec_{base64.b64encode(b'a signing key of 32 bytes.......').decode()}"


@cache
def _events() -> list[dict[str, Any]]:
    folder = node_packages(_PACKAGE).modules / "@octokit/webhooks-examples"
    found: list[dict[str, Any]] = json.loads(
        (folder / "api.github.com/index.json").read_text(encoding="utf-8")
    )
    return found


def github_examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every published payload with the name of its event."""
    for event in _events():
        for payload in event["examples"]:
            yield event["name"], payload


def github_headers(
    event: str, body: bytes, *, secret: str = SECRET, delivery: str = "d-1"
) -> dict[str, str]:
    """Return the headers of a delivery of GitHub."""
    return {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}",
    }


def gitlab_signature(body: bytes, *, stamp: int, secret: str = SIGNING, name: str = "m-1") -> str:
    """Return one signature of GitLab."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{name}.{stamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(mac).decode()}"
