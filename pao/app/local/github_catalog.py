"""A catalog on the GitHub stand-in: samples as a repository, an App, a webhook to the API."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pao.app.local.home import Home
from pao.app.local.processes import LocalError, write_private

REPOSITORY = "platform/catalog"
FOLDER = "catalog"
APP_ID = "4711"
_PRIVATE, _PUBLIC = "github-app.pem", "github-app.pub"
_SECONDS = 20.0


def app_key_file(home: Home) -> Path:
    """Return the public key of the stand-in's App; the pair is created once."""
    private, public = home.folder / _PRIVATE, home.folder / _PUBLIC
    if not (private.is_file() and public.is_file()):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = serialization.Encoding.PEM
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public.write_bytes(key.public_key().public_bytes(pem, form))
        private_pem = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(private, private_pem.decode())
    return public


def publish_catalog(
    home: Home, *, github_url: str, api_url: str, catalog: Path
) -> Mapping[str, str]:
    """Recreate the repository from a folder; return the settings by which PAO reads it."""
    secret = secrets.token_hex(32)
    files = {
        f"{FOLDER}/{file.relative_to(catalog).as_posix()}": file.read_text(encoding="utf-8")
        for file in sorted(catalog.rglob("*.yaml"))
    }
    hook = {"url": f"{api_url}/api/v1/webhooks/github", "secret": secret}
    try:
        with httpx.Client(base_url=github_url, trust_env=False, timeout=_SECONDS) as client:
            _post(client, "refs", repository=REPOSITORY)
            _post(client, "repositories", name=REPOSITORY, files=files)
            _post(client, "hooks", repository=REPOSITORY, **hook)
    except httpx.HTTPError as error:
        raise LocalError(f"The catalog cannot be put on the GitHub stand-in: {error}") from error
    return {
        "CATALOG_PATH": "",
        "CATALOG_SOURCE": "github",
        "CATALOG_REPOSITORY": REPOSITORY,
        "CATALOG_REPOSITORY_PATH": FOLDER,
        "GITHUB_APP_ID": APP_ID,
        "GITHUB_APP_PRIVATE_KEY": (home.folder / _PRIVATE).read_text(encoding="utf-8"),
        "GITHUB_WEBHOOK_SECRET": secret,
    }


def _post(client: httpx.Client, what: str, **given: Any) -> None:
    client.post(f"/sandbox/{what}", json=given).raise_for_status()
