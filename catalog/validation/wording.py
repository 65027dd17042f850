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
    "datetime": "date",
    "dropdown": "select",
    "enum": "select",
    "float": "number",
    "int": "integer",
    "list": "multiselect",
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


def shown(found: Any) -> str:
    """Write what was found as the end of a sentence, where that is short enough to help."""
    if found is None:
        return "; it is empty"
    if isinstance(found, bool):
        return f", not {str(found).lower()}"
    return f", not {found!r}" if isinstance(found, int | float | str) and _short(found) else ""


def hint_for(wanted: str, found: Any) -> str:
    """Return what to write instead of a value of a wrong type, or an empty text."""
    if not isinstance(found, str) or not _short(found):
        return ""
    if wanted == "true or false" and found.strip().lower() in _TRUE | _FALSE:
        return f"write {str(found.strip().lower() in _TRUE).lower()}, without quotes"
    if "number" in wanted:
        return unquoted(found)
    return f"write [{found}]" if wanted == "a list" and "[" not in found else ""


def unquoted(found: Any) -> str:
    """Return a hint that a number is meant, where a text looks like one."""
    is_number = isinstance(found, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", found)
    return f"write {found}, without quotes" if is_number else ""


def word_meant(found: Any, allowed: str) -> str:
    """Suggest one of the words that pydantic lists (``'a', 'b' or 'c'``)."""
    if not isinstance(found, str):
        return ""
    words = re.findall(r"'([^']*)'", allowed)
    other = _OTHER_NAMES.get(found.lower())
    return f"; did you mean {other!r}?" if other in words else did_you_mean(found, words)


def _short(found: Any) -> bool:
    return len(str(found)) <= _MOST if not isinstance(found, int) else abs(found) < 10**_MOST
