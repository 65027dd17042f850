"""JSON Schema errors as messages for people: values are written as JSON, not as Python."""

import json
from typing import Any

from jsonschema.exceptions import SchemaError, ValidationError


def message_of(error: ValidationError | SchemaError) -> str:
    """Return the message of an error with its values written as JSON."""
    message = str(error.message)
    for value in (error.instance, error.validator_value):
        message = message.replace(repr(value), _json_text(value), 1)
    if error.instance is None and error.validator == "type":
        return f"{message}; write a value, or leave it out"
    return message


def _json_text(value: Any) -> str:
    """Write a value as JSON; a text keeps its single quotes, which stand out in a sentence."""
    return repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
