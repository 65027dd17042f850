"""Words for values of a wrong type: what was found, and what to write instead."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from catalog.suggestions import did_you_mean, nearest
from catalog.validation.foreign_words import (
    HINTS,
    KEYS,
    normalize_word,
    translate_action_type,
    translate_type,
)

_MOST = 80
_BEGINNING = 4
_TRUE = frozenset({"yes", "y", "on", "true"})
_FALSE = frozenset({"no", "n", "off", "false"})
_FIRST_KEYS = {
    "owner": "team: {}",
    "strategy": "mode: {}",
    "conditional": "dependsOn: ..., condition: equals, value: ...",
}
"""What belongs into a mapping for which people write one text."""
_WRITTEN_OUT = {
    "enum": "write each choice as {value: ..., label: ...}",
    "fields": "write each field as - id: ...",
    "groups": "write each group as - id: ...",
    "actions": "write each action as - id: ...",
    "rules": "write each rule as - id: ...",
    "components": "write each component as - id: ...",
    "rows": "write each row as - value: ...",
}
"""How lists are written for which people write mappings."""
_WITH_ACTIONS = frozenset({"manual", "automatic"})


def translate_key(key: str, known: Collection[str]) -> str | None:
    """Return the key for what other tools call so, where it is known here."""
    return next((word for word in KEYS.get(normalize_word(key), ()) if word in known), None)


def foreign_key_hint(key: str) -> str | None:
    """Return how what other tools write with this key is written here, in a sentence."""
    return HINTS.get(normalize_word(key))


def suggest_key(key: str, known: Collection[str]) -> str | None:
    """Return the key that other tools call so, one that begins so, or the nearest one."""
    begun = [name for name in known if len(key) >= _BEGINNING and name.startswith(key)]
    alone = begun[0] if len(begun) == 1 else None
    return translate_key(key, known) or alone or nearest(key, known)


def suggest_action_type(name: str, known: Collection[str]) -> str | None:
    """Return the action type that is nearest, or that other tools call so."""
    other = translate_action_type(name)
    return nearest(name, known) or (other if other in known else None)


def action_type_hint(name: str, known: Collection[str]) -> str:
    """Suggest the action type that is meant, as the end of a sentence."""
    meant = suggest_action_type(name, known)
    return f"; did you mean {meant!r}?" if meant else ""


def found_text(value: Any) -> str:
    """Write what was found as the end of a sentence, where that is short enough to help."""
    if value is None:
        return "; it is empty"
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    return f", not {value!r}" if isinstance(value, int | float | str) and _short(value) else ""


def wrong_type_hint(wanted: str, value: Any, key: str = "") -> str:
    """Return what to write instead of a value of a wrong type, or an empty text."""
    if isinstance(value, str):
        return _hint_for_text(wanted, value, key) if _short(value) else ""
    if wanted == "a list" and isinstance(value, Mapping):
        return _WRITTEN_OUT.get(key, "")
    is_list = wanted.startswith("a mapping") and isinstance(value, list)
    return f"write actions: below {key}" if is_list and key in _WITH_ACTIONS else ""


def _hint_for_text(wanted: str, text: str, key: str) -> str:
    hint = ""
    if wanted == "true or false" and text.strip().lower() in _TRUE | _FALSE:
        hint = f"write {str(text.strip().lower() in _TRUE).lower()}, without quotes"
    elif "number" in wanted:
        hint = unquoted_number_hint(text)
    elif key == "required" and "{{" in text:
        hint = "write required: {when: ...}"
    elif key in _FIRST_KEYS and wanted.startswith("a mapping"):
        hint = f"write {key}: {{{_FIRST_KEYS[key].format(text)}}}"
    elif wanted == "a list" and "[" not in text:
        hint = f"write [{text}]"
    return hint


def unquoted_number_hint(value: Any) -> str:
    """Return a hint that a number is meant, where a text looks like one."""
    is_number = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", value)
    return f"write {value}, without quotes" if is_number else ""


def did_you_mean_word(value: Any, allowed: str) -> str:
    """Suggest one of the words that pydantic lists (``'a', 'b' or 'c'``)."""
    if not isinstance(value, str):
        return ""
    words = re.findall(r"'([^']*)'", allowed)
    other = translate_type(value, words)
    return f"; did you mean {other!r}?" if other else did_you_mean(value, words)


def _short(value: Any) -> bool:
    return len(str(value)) <= _MOST if not isinstance(value, int) else abs(value) < 10**_MOST
