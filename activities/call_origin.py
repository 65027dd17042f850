"""The item that an execution makes calls for, and the targets that its document names.

Requesters' values may choose hosts. Only what is written literally in a document, or configured by
the operator, may be shown to everybody in health and metrics.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from pao.clients.outgoing import host_of

OTHERS = "other"
# Instances that the operator has configured.
_CONFIGURED = ("jira:", "GitHub ")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
# An address up to the end of its host, if no template is part of it.
_LITERAL = re.compile(r"\s*(https?://[^/?#{}\s]+)(?=[/?#]|\s*\Z)", re.IGNORECASE)
_MOST_HOSTS = 50


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """The item, and the targets that are literal in its document."""

    item: str = ""
    literal: frozenset[str] = field(default_factory=frozenset)


_origin: ContextVar[CallOrigin | None] = ContextVar("behalf", default=None)


@contextmanager
def acting_for(item: str, config: Mapping[str, Any], keys: tuple[str, ...] = ()) -> Iterator[None]:
    """Set the item of the calls in the block; ``config`` is the unrendered configuration.

    A target that is not a host depends on the configuration's ``keys``: it may be named if none
    of them contains a template.
    """
    literal = set(_hosts(config))
    if keys and not any(_TEMPLATE.search(text) for key in keys for text in _texts(config.get(key))):
        literal.add(OTHERS)
    token = _origin.set(CallOrigin(item, frozenset(literal)))
    try:
        yield
    finally:
        _origin.reset(token)


def acting_item() -> str:
    """Return the id of the current item; empty for PAO's own calls."""
    behalf = _origin.get()
    return behalf.item if behalf else ""


def is_named(target: str) -> bool:
    """Return whether everybody may see the name of a target."""
    behalf = _origin.get()
    if behalf is None or target.startswith(_CONFIGURED) or target in behalf.literal:
        return True
    return OTHERS in behalf.literal and " " in target


def label_of(target: str) -> str:
    """Return the name under which calls to a target are counted."""
    return target if is_named(target) else OTHERS


def _hosts(config: Mapping[str, Any]) -> Iterator[str]:
    for number, text in enumerate(_texts(config)):
        if number >= _MOST_HOSTS:
            return
        if found := _LITERAL.match(text):
            yield host_of(found[1])


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
