"""What the operator says about outgoing connections of actions."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressOptions:
    """Where actions may connect, by which proxy, and whom they trust.

    ``allow`` holds hosts (``api.example.com``), wildcards (``*.example.com``), addresses and
    networks (``10.1.0.0/16``), each with an optional port. Empty: every public address. What is
    private is refused unless it is listed.
    """

    allow: tuple[str, ...] = ()
    proxy: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] = ()
    ca_bundle: Path | None = None
