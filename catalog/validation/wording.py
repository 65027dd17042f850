"""Words for values of a wrong type: what was found, and what to write instead."""

import re
from collections.abc import Collection
from typing import Any

from catalog.suggestions import did_you_mean

_MOST = 80
_TRUE = frozenset({"yes", "y", "on", "true"})
_FALSE = frozenset({"no", "n", "off", "false"})
# What other tools call it.
_OTHER_NAMES = {
    "array": "multiselect",
    "bool": "boolean",
    "checkbox": "boolean",
    "timestamp": "datetime",
    "uri": "url",
    "link": "url",
    "table": "list",
    "rows": "list",
    "dropdown": "select",
    "enum": "select",
    "float": "number",
    "int": "integer",
    "object": "json",
    "str": "string",
    "text": "string",
    "automated": "automatic",
}
_OTHER_KEYS = {
    "choices": "enum",
    "default_value": "default",
    "help": "description",
    "label": "name",
    "operator": "condition",
    "options": "enum",
    "title": "name",
    "values": "enum",
}


def other_key(key: str, known: Collection[str]) -> str | None:
    """Return the key for what other tools call so, where it is known here."""
    other = _OTHER_KEYS.get(key)
    return other if other in known else None


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
    other = _OTHER_NAMES.get(value.lower())
    return f"; did you mean {other!r}?" if other in words else did_you_mean(value, words)


def _short(value: Any) -> bool:
    return len(str(value)) <= _MOST if not isinstance(value, int) else abs(value) < 10**_MOST
