"""The module of each command, imported only when the command runs or is listed."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer

GROUPS = {
    "request": (
        "requests:group",
        "submission",
        "resubmission",
        "requests",
        "decisions",
        "cleanups",
    ),
    "catalog": (
        "catalog",
        "catalog_validate",
        "catalog_rules",
        "catalog_state",
        "catalog_init",
        "catalog_preview",
    ),
    "actions": ("actions",),
    "health": ("health",),
    "sessions": ("web",),
    "terraform": ("terraform",),
    "webhook": ("webhook",),
    "keys": ("keys",),
    "db": ("database",),
    "audit": ("audit", "audit_list"),
    "config": ("configuration",),
}
"""The groups, by name: the module with the group, then those with more of its commands.

A module's commands are in its ``app``, or in what is named after the colon.
"""

COMMANDS = {
    "metrics": "health:root",
    "version": "health:root",
    "insights": "insights:root",
    "web": "web:root",
    "api": "processes",
    "up": "processes",
    "jira-sandbox": "processes",
    "github-sandbox": "processes",
    "worker": "processes",
    "replay-gate": "rollout:gate",
    "backup": "backups",
    "restore": "backups",
    "install": "machine",
    "upgrade": "machine",
    "uninstall": "machine",
    "machine": "machine",
}
"""The commands, and groups, that a module adds to the root."""


ORDER = (
    *("request", "catalog", "actions", "health", "metrics", "version", "insights", "web"),
    *("sessions", "terraform", "webhook", "keys", "db", "audit", "config"),
)
"""The first names, in the order in which the help lists them."""


class Commands(MutableMapping[str, Any]):
    """The root's commands by name, each imported on access."""

    def __init__(self) -> None:
        self._commands: dict[str, Any] = dict.fromkeys([*ORDER, *GROUPS, *COMMANDS])

    def __getitem__(self, name: str) -> Any:
        """Return a command."""
        if self._commands[name] is None:
            self._commands[name] = _load(name)
        return self._commands[name]

    def __setitem__(self, name: str, command: Any) -> None:
        """Add a command."""
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        """Remove a command."""
        del self._commands[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names in the order of the help; nothing is imported."""
        return iter(self._commands)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._commands)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a command of that name; nothing is imported."""
        return name in self._commands


def _load(name: str) -> Any:
    if name in COMMANDS:
        return typer.main.get_group(app_at(COMMANDS[name])).commands[name]
    first, *more = (app_at(place) for place in GROUPS[name])
    for part in more:
        first.add_typer(part)
    group = typer.main.get_group(first)
    group.name = name
    return group


def app_at(place: str) -> typer.Typer:
    """Return the commands of a module."""
    module, _, attribute = place.partition(":")
    app: typer.Typer = getattr(import_module(f"pao.app.cli.{module}"), attribute or "app")
    return app
