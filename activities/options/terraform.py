"""What the operator of a worker decides about Terraform: what may run, with what, from where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OsAccount:
    """A user account of the worker's machine."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformOptions:
    """The operator's options; without ``sources`` nothing may run, because a module is code.

    ``environment`` holds the variables that Terraform gets besides its own few, credentials among
    them. ``state_folder`` keeps the states of items that name no backend. ``reading_seconds`` are
    kept of the deadline for reading the state after a failure. ``account`` is who runs it; None is
    the worker's own.
    """

    binary: Path | None = None
    sources: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_provisioners: bool = False
    state_folder: Path | None = None
    cli_config: Path | None = None
    plugin_cache: Path | None = None
    lock_seconds: float = 20.0
    grace_seconds: float = 30.0
    reading_seconds: float = 30.0
    account: OsAccount | None = None
    search_path: str = "/usr/local/bin:/usr/bin:/bin"
