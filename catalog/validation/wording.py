"""Words for values of a wrong type: what was found, and what to write instead."""

import re
from collections.abc import Collection
from typing import Any

from catalog.suggestions import did_you_mean, nearest

_MOST = 80
_BEGINNING = 4
_TRUE = frozenset({"yes", "y", "on", "true"})
_FALSE = frozenset({"no", "n", "off", "false"})
# What other tools call it: the first of these words that is allowed is meant.
_OTHER_WORDS: dict[str, tuple[str, ...]] = {
    "!=": ("notEquals",),
    "<": ("lessThan",),
    "==": ("equals",),
    ">": ("greaterThan",),
    "array": ("multiselect",),
    "auto": ("automatic",),
    "automated": ("automatic",),
    "bool": ("boolean",),
    "checkbox": ("boolean",),
    "dropdown": ("select",),
    "enum": ("select",),
    "eq": ("equals",),
    "equal": ("equals",),
    "float": ("number",),
    "gt": ("greaterThan",),
    "includes": ("contains",),
    "int": ("integer",),
    "is": ("equals",),
    "link": ("url",),
    "lt": ("lessThan",),
    "ne": ("notEquals",),
    "neq": ("notEquals",),
    "object": ("json",),
    "oneof": ("in",),
    "present": ("exists",),
    "rows": ("list",),
    "str": ("string",),
    "table": ("list",),
    "text": ("string",),
    "timestamp": ("datetime",),
    "uri": ("url",),
}
_OTHER_KEYS: dict[str, tuple[str, ...]] = {
    "apiVersion": ("schemaVersion",),
    "choices": ("enum",),
    "condition": ("when", "conditional"),
    "default_value": ("default",),
    "errorMessage": ("message",),
    "help": ("description",),
    "if": ("when", "conditional"),
    "inputs": ("fields", "config"),
    "label": ("name",),
    "mandatory": ("required",),
    "maximum": ("max",),
    "minimum": ("min",),
    "multipleOf": ("step",),
    "needs": ("dependsOn",),
    "operator": ("condition",),
    "options": ("enum",),
    "parameters": ("fields", "config"),
    "params": ("config", "fields"),
    "regex": ("pattern",),
    "regexp": ("pattern",),
    "showIf": ("conditional",),
    "steps": ("actions",),
    "tasks": ("actions",),
    "title": ("name",),
    "uses": ("type",),
    "values": ("enum",),
    "visibleWhen": ("conditional",),
    "with": ("config",),
}
_OTHER_ACTIONS = {
    "api": "rest-api",
    "git": "git-commit",
    "github-action": "github-workflow",
    "github-actions": "github-workflow",
    "http": "rest-api",
    "http-request": "rest-api",
    "jira": "jira-ticket",
    "manual-approval": "approval",
    "opentofu": "terraform",
    "pull-request": "git-commit",
    "rest": "rest-api",
    "slack": "notification",
    "ticket": "jira-ticket",
    "tofu": "terraform",
}


def other_key(key: str, known: Collection[str]) -> str | None:
    """Return the key for what other tools call so, where it is known here."""
    return next((word for word in _OTHER_KEYS.get(key, ()) if word in known), None)


def key_meant(key: str, known: Collection[str]) -> str | None:
    """Return the key that other tools call so, one that begins so, or the nearest one."""
    begun = [name for name in known if len(key) >= _BEGINNING and name.startswith(key)]
    alone = begun[0] if len(begun) == 1 else None
    return other_key(key, known) or alone or nearest(key, known)


def action_type_meant(name: str, known: Collection[str]) -> str:
    """Suggest the action type that other tools call so, or the nearest one."""
    other = _OTHER_ACTIONS.get(name.lower())
    return f"; did you mean {other!r}?" if other in known else did_you_mean(name, known)


def shown(value: Any) -> str:
    """Write what was found as the end of a sentence, where that is short enough to help."""
    if value is None:
        return "; it is empty"
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    return f", not {value!r}" if isinstance(value, int | float | str) and _short(value) else ""


def hint_for(wanted: str, value: Any) -> str:
    """Return what to write instead of a value of a wrong type, or an empty text."""
    if not isinstance(value, str) or not _short(value):
        return ""
    if wanted == "true or false" and value.strip().lower() in _TRUE | _FALSE:
        return f"write {str(value.strip().lower() in _TRUE).lower()}, without quotes"
    if "number" in wanted:
        return unquoted(value)
    return f"write [{value}]" if wanted == "a list" and "[" not in value else ""


def unquoted(value: Any) -> str:
    """Return a hint that a number is meant, where a text looks like one."""
    is_number = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", value)
    return f"write {value}, without quotes" if is_number else ""


def word_meant(value: Any, allowed: str) -> str:
    """Suggest one of the words that pydantic lists (``'a', 'b' or 'c'``)."""
    if not isinstance(value, str):
        return ""
    words = re.findall(r"'([^']*)'", allowed)
    others = _OTHER_WORDS.get(value.lower(), ())
    other = next((word for word in others if word in words), None)
    return f"; did you mean {other!r}?" if other else did_you_mean(value, words)


def _short(value: Any) -> bool:
    return len(str(value)) <= _MOST if not isinstance(value, int) else abs(value) < 10**_MOST
