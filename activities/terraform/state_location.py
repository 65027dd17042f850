"""Where a state is: its backend and workspace, named for people, for breakers, and for names."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from activities.terraform.execution_spec import ExecutionSpec, ModuleSource
from catalog.templating import Escaping, has_dot_segments

WITHOUT_WORKSPACES = frozenset({"http"})

PLACE_KEYS = (
    "address",
    "bucket",
    "key",
    "prefix",
    "path",
    "region",
    "endpoint",
    "storage_account_name",
    "container_name",
    "resource_group_name",
    "schema_name",
    "workspace_key_prefix",
    "workspace_dir",
    "secret_suffix",
    "namespace",
    "hostname",
    "organization",
    "conn_str",
)
"""The keys by which backends name where a state is. Credentials are not among them."""

BACKEND_TARGETS: Mapping[str, Escaping] = {
    **dict.fromkeys(
        ("*address", "*endpoint", "endpoints.*", "*url", "*_proxy", "*host", "hostname", "domain"),
        Escaping.ENDPOINT,
    ),
    "conn_str": Escaping.CONNECTION,
    # Backends put these into a host's name.
    **dict.fromkeys(("bucket", "region", "*account_name"), Escaping.LABEL),
    **dict.fromkeys(
        ("key", "path", "prefix", "workspace_dir", "workspace_key_prefix"), Escaping.PATH
    ),
}
"""What values become part of in the settings of backends, which hold the operator's credentials."""

_ADDRESS_KEYS = (
    "address",
    "lock_address",
    "unlock_address",
    "endpoint",
    "key",
    "prefix",
    "workspace_key_prefix",
)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ACCOUNT = re.compile(
    r"""\b(?:user|password|passfile|sslpassword|sslkey)\s*=\s*('(?:\\.|[^'\\])*+'|\S+)\s*""",
    re.IGNORECASE,
)
"""The account in a connection string in PostgreSQL's own form."""
_QUERY = re.compile(r"[?#]")
_BREAKER_KEYS = {
    "azurerm": "storage_account_name",
    "cos": "bucket",
    "gcs": "bucket",
    "oss": "bucket",
    "s3": "bucket",
}
"""The key that names the target of a breaker, without what identifies one state."""


def breaker_target(
    source: ModuleSource, backend: str | None = None, config: Mapping[str, Any] | None = None
) -> str:
    """Describe the target for people, without credentials and what identifies one request."""
    module = f"terraform {without_account(source.address).removesuffix('//')}"
    return f"{module} with state in {_backend_target(backend, config or {})}" if backend else module


def climbing_key(config: Mapping[str, Any]) -> str | None:
    """Return a setting that is part of an address and leaves its path with .., if any.

    The path of a local state is checked once its folder is known.
    """
    for key in _ADDRESS_KEYS:
        if has_dot_segments(str(config.get(key) or "")):
            return key
    return None


def location_settings(
    config: Mapping[str, Any], *, keys: Sequence[str] = PLACE_KEYS
) -> dict[str, str]:
    """Return those settings of a backend that say where the state is, without credentials."""
    return {key: _without_credentials(str(config[key])) for key in keys if config.get(key)}


def describe_place(
    source: ModuleSource, workspace: str | None, backend: str | None, config: Mapping[str, Any]
) -> str:
    """Describe module, backend and workspace; ``workspace`` is None for the request's own."""
    module = without_account(source.address).removesuffix("//")
    settings = ", ".join(f"{key} {value}" for key, value in location_settings(config).items())
    shown = f" ({settings})" if settings else ""
    where = f"the backend {backend}{shown}" if backend else "the module's or the worker's backend"
    own = workspace or "of the request"
    return f"workspace {own} of {where}, module {module}"


def foreign_request_in(config: Mapping[str, Any], request_id: str) -> str | None:
    """Return the id in a backend's settings that seems to be another request's.

    The state of a single request has the request's id in its address, key or path.
    """
    text = " ".join(str(config[key]) for key in PLACE_KEYS if config.get(key))
    others = {found.lower() for found in _UUID.findall(text)} - {request_id.lower()}
    return min(others, default=None)


def place_digest(spec: ExecutionSpec) -> str:
    """Return a short name of where the state is: the same for every request that uses it.

    A backend that the module declares is identified by the module.
    """
    where: list[Any] = [spec.source.address]
    if spec.backend is not None:
        config = spec.backend_config
        settings = {key: without_account(str(config[key])) for key in PLACE_KEYS if config.get(key)}
        where = [spec.backend, settings]
    if spec.backend not in WITHOUT_WORKSPACES:
        where.append(spec.workspace)
    return hashlib.sha256(json.dumps(where, sort_keys=True).encode()).hexdigest()[:12]


def without_account(address: str) -> str:
    """Return an address without user and password."""
    scheme, found, rest = address.partition("://")
    if not found:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _without_credentials(text: str) -> str:
    """Return a setting without account and query, which an address or a connection may have."""
    if "://" not in text:
        return _ACCOUNT.sub("", text).strip()
    return without_account(_QUERY.split(text, maxsplit=1)[0])


def _backend_target(backend: str, config: Mapping[str, Any]) -> str:
    named = config.get(_BREAKER_KEYS.get(backend, ""))
    if backend == "http":
        # The address also identifies the state, often by the request's id: use its host only.
        address = _without_credentials(str(config.get("address", "")))
        named = address.partition("://")[2].partition("/")[0]
    return f"{backend} {named}" if named else backend
