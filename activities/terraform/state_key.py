"""The key of a state: the same for every request that would use it, however it is written."""

import hashlib
import json
import os
import posixpath
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from activities.terraform.state_location import WITHOUT_WORKSPACES, settings_of_place

DEFAULT_WORKSPACE = "default"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def state_key(kind: str, config: Mapping[str, Any], workspace: str) -> str:
    """Return the digest of where a backend of this kind keeps the state of a workspace."""
    where = json.dumps([kind, *_location(kind, config, workspace)])
    return hashlib.sha256(where.encode()).hexdigest()


def _location(kind: str, config: Mapping[str, Any], workspace: str) -> list[str]:
    """Return the object that holds the state, where it is known how the backend names it."""
    given = {name: str(value) for name, value in config.items() if isinstance(value, str | int)}
    default = workspace == DEFAULT_WORKSPACE
    if kind in WITHOUT_WORKSPACES:
        return [_address(given.get("address", ""))]
    if kind == "local":
        folder = os.path.realpath(given.get("workspace_dir", "terraform.tfstate.d"))
        path = os.path.realpath(given.get("path", "terraform.tfstate"))
        return [path if default else f"{folder}/{workspace}/terraform.tfstate"]
    key = given.get("key", "").strip("/")
    if kind == "s3":
        prefix = given.get("workspace_key_prefix", "").strip("/") or "env:"
        place = [_address(_endpoint(config)), given.get("bucket", "")]
        return [*place, key if default else f"{prefix}/{workspace}/{key}"]
    if kind == "gcs":
        prefix = given.get("prefix", "").strip("/")
        return [given.get("bucket", ""), f"{prefix}/{workspace}.tfstate".lstrip("/")]
    if kind == "azurerm":
        account, container = given.get("storage_account_name"), given.get("container_name")
        return [str(account), str(container), key if default else f"{key}env:{workspace}"]
    settings = settings_of_place(config)
    return [f"{name}={_address(settings[name])}" for name in sorted(settings)] + [workspace]


def _endpoint(config: Mapping[str, Any]) -> str:
    """Return the address of another server than Amazon's, which has buckets of its own."""
    several = config.get("endpoints")
    named = several.get("s3") if isinstance(several, Mapping) else None
    return str(named or config.get("endpoint") or "")


def _address(text: str) -> str:
    """Return an address as others may have written it too, without account; others unchanged."""
    parts = urlsplit(text.strip())
    if not parts.scheme or not parts.hostname:
        return text
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    path = posixpath.normpath(f"/{unquote(parts.path).lstrip('/')}")
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{parts.scheme}://{parts.hostname.rstrip('.')}{port}{path}?{query}"
