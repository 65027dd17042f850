"""The stand-in's settings and seed data: credentials, the kind of server, repositories."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

TOKEN = "ghp_sandboxToken0000000000000000000000"  # noqa: S105 -- of the stand-in on loopback only


class Flavour(StrEnum):
    """Which server is simulated: github.com, or an older Enterprise Server."""

    CLOUD = "cloud"
    SERVER = "server"

    @property
    def prefix(self) -> str:
        """Where the REST API begins."""
        return "" if self is Flavour.CLOUD else "/api/v3"

    @property
    def most_inputs(self) -> int:
        """How many inputs a dispatch may carry."""
        return 25 if self is Flavour.CLOUD else 10

    @property
    def dispatch_properties(self) -> frozenset[str]:
        """The properties of a dispatch that the server knows; it refuses all others."""
        common = frozenset({"ref", "inputs"})
        return common | {"return_run_details"} if self is Flavour.CLOUD else common


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSandboxSettings:
    """How the stand-in behaves.

    A run is done ``run_seconds`` after its dispatch (None: when a test ends it), and is listed
    ``listing_lag`` seconds after it. ``app_key`` is the public key of the App with the id
    ``app_id``, as PEM. ``may_write_workflows`` is the permission of that name;
    a tree of more than ``most_entries`` is answered truncated.
    """

    flavour: Flavour = Flavour.CLOUD
    token: str = TOKEN
    login: str = "pao-bot"
    users: tuple[str, ...] = ("pao-bot", "ann", "dana")
    teams: tuple[str, ...] = ("team-platform", "team-database")
    app_id: str = "4711"
    app_key: str | None = None
    installation_id: int = 990001
    token_seconds: float = 3600
    run_seconds: float | None = None
    listing_lag: float = 0.0
    may_write_workflows: bool = True
    most_entries: int = 100_000
    seeds: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: SEEDS)


_PROVISION = """\
name: Provision a namespace
run-name: Namespace ${{ inputs.namespace }} (${{ inputs.pao_mark }})
on:
  workflow_dispatch:
    inputs:
      namespace: {type: string, required: true}
      environment: {type: string, default: dev}
      pao_mark: {type: string, description: Finds this run again}
jobs:
  provision:
    runs-on: ubuntu-latest
    steps:
      - name: Check out
        uses: actions/checkout@v4
      - name: Apply the manifests
        run: ./apply.sh "$NAMESPACE"
"""
_README = "# Tenants\n\nOne file per tenant; what is merged here is rolled out.\n"
_TENANT = "name: shop\nowner: team-shop\nquota: 4\n"

SEEDS: Mapping[str, Mapping[str, str]] = {
    "platform/provisioning": {
        "README.md": "# Provisioning\n",
        ".github/workflows/provision.yml": _PROVISION,
    },
    "platform/tenants": {"README.md": _README, "tenants/shop.yaml": _TENANT},
}
DEFAULT_BRANCH = "main"
