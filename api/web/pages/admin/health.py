"""The state of every part of the installation, in words. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api.web import times
from api.web.words import _

STATE_WORDS = {"ok": _("OK"), "degraded": _("Degraded"), "down": _("Down")}
_NAMES = {
    "database": _("Database"),
    "temporal": _("Temporal"),
    "worker": _("Workers"),
    "mirror": _("Mirror"),
    "catalog": _("Catalog"),
    "secrets": _("Secrets"),
}
_MANY = {"jira": _("JIRA %(name)s"), "tasks": _("Background task %(name)s")}
_ELSEWHERE = frozenset({"status", "nextTryAt", "ageSeconds"})
_REVISION = 12


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """One part of the installation as a row: its state, and what is known about it."""

    name: str
    state: str
    word: str
    facts: list[tuple[str, str]]
    next_try_at: str | None = None


def parts_of(components: Mapping[str, Any], now: datetime) -> Iterator[ComponentRow]:
    """Yield the parts, in the order of what depends on what."""
    for key, name in _NAMES.items():
        yield row_of(name, components[key], now)
    for kind, words in _MANY.items():
        for name, one in components[kind].items():
            yield row_of(words % {"name": name}, one, now)


def row_of(name: str, component: Mapping[str, Any], now: datetime) -> ComponentRow:
    """Return a part as a row."""
    state = component["status"]
    facts = [
        _fact(key, value, now)
        for key, value in component.items()
        if key not in _ELSEWHERE and value is not None and value != []
    ]
    return ComponentRow(
        name, state, STATE_WORDS.get(state, state), facts, component.get("nextTryAt")
    )


def _fact(key: str, value: Any, now: datetime) -> tuple[str, str]:
    """Return a fact of the API in words: latencyMs 53.2 is "latency" and "53 ms"."""
    if key.endswith("Ms"):
        return _label(key.removesuffix("Ms")), f"{value:.0f} ms"
    if key.endswith("Seconds"):
        return _label(key.removesuffix("Seconds")), times.whole_span(timedelta(seconds=value))
    if key.endswith("At"):
        return _label(key.removesuffix("At")), times.ago(times.read(value), now)
    if key == "revision":
        return _label(key), str(value)[:_REVISION]
    if isinstance(value, list):
        return _label(key), ", ".join(map(str, value))
    # A period would end a row of facts too early.
    return _label(key), str(value).rstrip(".")


def _label(key: str) -> str:
    """Return a key of the API as words: nextTry is next try."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in key)
