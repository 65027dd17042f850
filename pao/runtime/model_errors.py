"""Pydantic's errors about a document, worded for people."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "mapping_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
"""What a value must be, by the type of pydantic's error."""

# Pydantic puts these before the message of our validators.
_PREFIXES = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}
# And these before its own messages: "List should have at most 2 items after validation, not 3".
_SUBJECT = re.compile(r"(?:[A-Z][A-Za-z]+ )+?should ")
_SHORTER = {
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    " after validation": "",
}


def message_of(problem: Mapping[str, Any]) -> str:
    """Return what is wrong with a value, as it reads after the value's name."""
    kind = str(problem["type"])
    if kind in _PREFIXES:
        return str(problem["msg"]).removeprefix(_PREFIXES[kind])
    if kind in KINDS:
        return f"must be {KINDS[kind]}"
    if kind == "missing":
        return "is missing"
    message = _SUBJECT.sub("must ", str(problem["msg"]), count=1)
    for theirs, ours in _SHORTER.items():
        message = message.replace(theirs, ours)
    return message


def messages_of(error: ValidationError) -> Iterator[str]:
    """Yield every problem with its place: ``match.method: must be a text``."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(map(str, problem["loc"]))
        yield f"{where}: {message_of(problem)}" if where else message_of(problem)
