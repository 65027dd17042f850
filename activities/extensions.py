"""Action types of other packages: found by entry points and checked before use."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

from pydantic import BaseModel

from activities.base import Action, ActionConfig
from pao.core.names import ACTION_GROUP

OWN = "PAO"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UnusableExtension:
    """A package whose action type cannot be used, and what to do about it."""

    source: str
    message: str


@dataclass(frozen=True, slots=True)
class LoadedActions:
    """Every usable action type by its name, where each comes from, and what is wrong."""

    actions: dict[str, Action[Any]]
    sources: dict[str, str]
    problems: tuple[UnusableExtension, ...]


class _UnusableError(Exception):
    """An entry point has no usable action type; the text says why."""


def load_extensions(
    own: Mapping[str, Action[Any]], entry_points: Iterable[EntryPoint]
) -> LoadedActions:
    """Add the types of other packages; of two with one name neither is used, PAO's own always is.

    Never raises: what is wrong with a package is returned, and logged.
    """
    offers: dict[str, list[tuple[str, Action[Any]]]] = defaultdict(list)
    problems = []
    for point in sorted(entry_points, key=_source):
        try:
            action = _load(point)
        except _UnusableError as error:
            problems.append(UnusableExtension(_source(point), str(error)))
        else:
            offers[action.type].append((_source(point), action))
    actions, sources = dict(own), dict.fromkeys(own, OWN)
    for name, offered in offers.items():
        clash = _clash(name, offered, own)
        if clash is None:
            (sources[name], actions[name]), *_ = offered
        else:
            problems += [UnusableExtension(source, clash) for source, _ in offered]
    for problem in problems:
        _log.error("an action type of %s is not used: %s", problem.source, problem.message)
    return LoadedActions(actions, sources, tuple(problems))


def _load(point: EntryPoint) -> Action[Any]:
    try:
        action = point.load()
    except Exception as error:
        raise _UnusableError(
            f"{point.value} cannot be imported ({type(error).__name__}: {error}); fix or remove "
            "the package"
        ) from error
    if not isinstance(action, Action):
        raise _UnusableError(
            f"{point.value} is not an Action object; name an instance of your class"
        )
    _require_complete(point, action)
    return action


def _require_complete(point: EntryPoint, action: Action[Any]) -> None:
    """Raise if a type would fail later, when a request needs it."""
    name = getattr(action, "type", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _UnusableError(f"its type {name!r} is not a name such as dns-record")
    if name != point.name:
        raise _UnusableError(f"the entry point is named {point.name}, the type {name}; use one")
    for attribute, kind in (("config", ActionConfig), ("outputs", BaseModel)):
        model = getattr(action, attribute, None)
        if not (isinstance(model, type) and issubclass(model, kind)):
            raise _UnusableError(f"{name}.{attribute} must be a class derived from {kind.__name__}")
    for attribute in ("summary", "resource_type", "examples"):
        if not getattr(action, attribute, None):
            raise _UnusableError(f"{name}.{attribute} is missing")


def _clash(
    name: str, offered: list[tuple[str, Action[Any]]], own: Mapping[str, Action[Any]]
) -> str | None:
    if name in own:
        return f"the name {name} belongs to PAO itself; give the type another one"
    if len(offered) > 1:
        others = ", ".join(source for source, _ in offered)
        return f"several packages offer {name} ({others}); remove all but one"
    return None


def _source(point: EntryPoint) -> str:
    if point.dist is None:
        return f"{ACTION_GROUP}:{point.name}"
    return f"{point.dist.name} {point.dist.version}"
