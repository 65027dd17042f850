"""The input of one execution, independent of how a catalog document writes it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSource:
    """Where a module is: exactly one of ``git``, ``registry`` and ``path``, and a folder in it."""

    git: str | None = None
    ref: str | None = None
    registry: str | None = None
    version: str | None = None
    path: str | None = None
    directory: str = ""

    def __str__(self) -> str:
        """Return it as people write it."""
        place = self.git or self.registry or self.path or ""
        folder = f"//{self.directory}" if self.directory else ""
        at = self.ref or self.version
        return f"{place}{folder}" + (f" at {at}" if at else "")

    @property
    def address(self) -> str:
        """Return it without its version: all versions of a module share their states."""
        return f"{self.git or self.registry or self.path}//{self.directory}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSpec:
    """One execution. ``own`` says that the workspace belongs to this action of this request.

    ``shared`` says that other requests may work on the state as well.
    """

    source: ModuleSource
    workspace: str
    own: bool
    shared: bool = False
    variables: dict[str, Any] = field(default_factory=dict, repr=False)
    backend: str | None = None
    backend_config: dict[str, Any] = field(default_factory=dict, repr=False)
    plan_only: bool = False
    approved: dict[str, Any] | None = None
    destroy: bool = False
    parallelism: int | None = None
    outputs: tuple[str, ...] | None = None
