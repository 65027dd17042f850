"""On whose behalf an execution calls out: which item, and which targets its document names.

What requesters type may choose hosts. Only what is written literally in a document, or configured
by the operator, is a name that everybody may see in health and metrics.
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
# The text of an address up to the end of its host, where no template has a part in it.
_LITERAL = re.compile(r"\s*(https?://[^/?#{}\s]+)(?=[/?#]|\s*\Z)", re.IGNORECASE)
_MOST_HOSTS = 50


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """The item that is acted for, and the targets that its document writes out."""

    item: str = ""
    literal: frozenset[str] = field(default_factory=frozenset)


_origin: ContextVar[CallOrigin | None] = ContextVar("behalf", default=None)


@contextmanager
def acting_for(item: str, config: Mapping[str, Any], keys: tuple[str, ...] = ()) -> Iterator[None]:
    """Note for whom the calls inside are made, and the action's configuration before rendering.

    A target that is no host is made of the configuration's ``keys``: it has a name when none of
    them holds a template.
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
    """Return the id of the item that is acted for; empty for PAO's own calls."""
    behalf = _origin.get()
    return behalf.item if behalf else ""


def is_named(target: str) -> bool:
    """Return whether everybody may see the name of a target that is called now."""
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
