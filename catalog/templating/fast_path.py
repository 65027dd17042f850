"""The fast path of most templates, text with plain paths: six times as fast as the renderer.

Without it, rendering misses its target (`python -m benchmarks.documents`). It returns what the
renderer would return, or None for anything unusual, which is left to the renderer. Nothing here
raises, and no rule of the language is decided here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.templating.contract import Escaping
from catalog.templating.limits import TEXT_BYTES
from catalog.templating.nodes import Body, Interpolation, Key, Reference, Text
from catalog.templating.resolver import ResolvedReference, Root
from catalog.templating.wiki import jira_escape

KeyPath = tuple[str, ...]
Plan = tuple[str | KeyPath, ...]
"""Texts, and ways into the scopes: the scope's name and the keys below it."""

_LARGEST_INTEGER = 1 << 63
# Every character may take four bytes.
_SURELY_SHORT = TEXT_BYTES // 4
_CONSTANTS = {True: "true", False: "false", None: ""}


def plan_of(body: Body, links: tuple[ResolvedReference, ...]) -> Plan | None:
    """Return the plan of a template that is text and plain paths only, else None."""
    plan: list[str | KeyPath] = []
    for block in body:
        part = _part(block, links)
        if part is None:
            return None
        plan.append(part)
    return tuple(plan)


def quick_text(plan: Plan, scopes: Mapping[str, Any], target: Escaping) -> str | None:
    """Render a plan for the targets none and jira, or return None."""
    escape = _ESCAPES.get(target)
    if escape is None:
        return None
    parts: list[str] = []
    for part in plan:
        if type(part) is str:
            parts.append(part)
            continue
        value: Any = scopes
        for key in part:
            # Mappings of other types, lists and missing values are left to the renderer.
            if type(value) is not dict or key not in value:
                return None
            value = value[key]
        kind = type(value)
        if kind is str:
            parts.append(escape(value))
        elif kind is bool or value is None:
            parts.append(_CONSTANTS[value])
        elif kind is int and -_LARGEST_INTEGER < value < _LARGEST_INTEGER:
            parts.append(escape(str(value)))
        else:
            return None
    text = "".join(parts)
    return text if len(text) < _SURELY_SHORT else None


def _part(block: object, links: tuple[ResolvedReference, ...]) -> str | KeyPath | None:
    if isinstance(block, Text):
        return block.text
    if not isinstance(block, Interpolation) or not isinstance(block.expression, Reference):
        return None
    link = links[block.expression.number]
    # Everything from the secret store is secret.
    if link.root is not Root.SCOPE or link.name == "secrets":
        return None
    keys = [
        one.value for one in link.members if isinstance(one, Key) and isinstance(one.value, str)
    ]
    return (link.name, *keys) if len(keys) == len(link.members) else None


def _unchanged(text: str) -> str:
    return text


_ESCAPES: dict[Escaping, Callable[[str], str]] = {
    Escaping.NONE: _unchanged,
    Escaping.JIRA: jira_escape,
}
