"""What the circuit breaker of an execution is named by: its module, and where its state is kept."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from activities.terraform.requirement import Source

_PLACES = {
    "azurerm": "storage_account_name",
    "cos": "bucket",
    "gcs": "bucket",
    "oss": "bucket",
    "s3": "bucket",
}
"""The key by which a backend names where it is, for those in which it is no secret."""


def breaker_target(
    source: Source, backend: str | None = None, config: Mapping[str, Any] | None = None
) -> str:
    """Name the target for people, without what identifies one request, and without credentials."""
    module = f"terraform {_without_account(source.address).removesuffix('//')}"
    return f"{module} with state in {_place(backend, config or {})}" if backend else module


def _place(backend: str, config: Mapping[str, Any]) -> str:
    named = config.get(_PLACES.get(backend, ""))
    if backend == "http":
        # The address says which state as well, often by the request's id: only its host is kept.
        named = urlsplit(str(config.get("address", ""))).netloc.rpartition("@")[2]
    return f"{backend} {named}" if named else backend


def _without_account(address: str) -> str:
    scheme, found, rest = address.partition("://")
    if not found:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
