"""The key of a state: the same for every request that uses it, however it is spelled."""

import hashlib
import json
import os
import posixpath
import re
import socket
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from activities.terraform.state_location import WITHOUT_WORKSPACES, location_settings

DEFAULT_WORKSPACE = "default"
LOOPBACK = "localhost"
_DEFAULT_PORTS = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432}
_NUMBERS = re.compile(r"(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,3}")
_BARE = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-f:.]+\](:\d+)?", re.IGNORECASE)
"""A host with or without a port, as the backend ``consul`` takes it."""


def state_key(kind: str, config: Mapping[str, Any], workspace: str) -> str:
    """Return the digest of where a backend of this kind keeps the state of a workspace."""
    where = json.dumps([kind, *_location(kind, config, workspace)])
    return hashlib.sha256(where.encode()).hexdigest()


def _location(kind: str, config: Mapping[str, Any], workspace: str) -> list[str]:
    """Return the object that holds the state, if it is known how the backend names it."""
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
    settings = location_settings(config)
    if _BARE.fullmatch(settings.get("address", "")):
        settings["address"] = f"http://{settings['address']}"
    return [f"{name}={_address(settings[name])}" for name in sorted(settings)] + [workspace]


def _endpoint(config: Mapping[str, Any]) -> str:
    """Return the address of an S3 server other than Amazon's; empty for Amazon's."""
    several = config.get("endpoints")
    named = several.get("s3") if isinstance(several, Mapping) else None
    return str(named or config.get("endpoint") or "")


def _address(text: str) -> str:
    """Return a normalized address without account; any other text unchanged."""
    try:
        parts = urlsplit(text.strip())
        number = parts.port
    except ValueError:  # no address, which Terraform refuses, or several hosts, which pg takes
        return text
    if not parts.scheme or not parts.hostname:
        return text
    port = "" if number in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{number}"
    path = posixpath.normpath(f"/{unquote(parts.path).lstrip('/')}")
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{parts.scheme}://{_host(parts.hostname)}{port}{path}?{query}"


def _host(name: str) -> str:
    """Return a normalized host: one name for this machine, one spelling of an IP address."""
    name = name.rstrip(".")
    if name == LOOPBACK or name.endswith(f".{LOOPBACK}"):
        return LOOPBACK
    try:
        # Also 127.1 and 0x7f.1, which the system's own resolver takes.
        address = (
            ip_address(socket.inet_aton(name)) if _NUMBERS.fullmatch(name) else ip_address(name)
        )
    except (OSError, ValueError):
        return name
    address = getattr(address, "ipv4_mapped", None) or address
    # A client that is sent to 0.0.0.0 or :: reaches its own machine.
    return LOOPBACK if address.is_loopback or address.is_unspecified else address.compressed
