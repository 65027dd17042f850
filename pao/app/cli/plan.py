"""Prints what a dry run shows: the calls that would be made, the fields that would change."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from pao.app.cli.terminal import clean


def print_actions(console: Console, actions: Iterable[Mapping[str, Any]]) -> None:
    """Print every action with its rendered configuration, one value a line."""
    for number, action in enumerate(actions, start=1):
        name = clean(action.get("name") or action.get("id"))
        line = Text(f"\n{number}. {name}", style="bold")
        line.append(f"  {clean(action.get('type'))}", style="not bold bright_black")
        console.print(line.append(_when_it_runs(action), style="not bold bright_black"))
        for path, value in _leaves(action.get("config")):
            text = clean(value, multiline=True).replace("\n", "\n     ")
            console.print(
                Text(f"   {path}: ", style="cyan").append(text, style="default"), soft_wrap=True
            )


def _when_it_runs(action: Mapping[str, Any]) -> str:
    parts = []
    if action.get("fallback"):
        parts.append("manual way, chosen by a person")
    if action.get("dependsOn"):
        parts.append(f"after {', '.join(clean(one) for one in action['dependsOn'])}")
    if action.get("when"):
        parts.append(f"when {clean(action['when'])}")
    return f"  ({'; '.join(parts)})" if parts else ""


def change_lines(changes: Mapping[str, Any]) -> Iterator[Text]:
    """Yield one line per corrected field, with its old and new value."""
    for name, change in changes.items():
        pair = change if isinstance(change, dict) else {"new": change}
        line = Text(f"  {clean(name)}: ", style="cyan")
        line.append(clean(pair.get("old")), style="red").append(" -> ", style="bright_black")
        yield line.append(clean(pair.get("new")), style="green")


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [
            leaf
            for key, entry in value.items()
            for leaf in _leaves(entry, f"{path}.{clean(key)}" if path else clean(key))
        ]
    if isinstance(value, list):
        return [(path, ", ".join(str(entry) for entry in value))] if value else []
    return [] if value is None else [(path, value)]
