"""Messages of JSON Schema say values as documents write them."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.schema_messages import message_of


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string"}, None, "null is not of type 'string'; write a value, or leave it out"),
        ({"type": "string"}, True, "true is not of type 'string'"),
        ({"enum": ["a", None]}, False, 'false is not one of ["a", null]'),
        ({"const": True}, "x", "true was expected"),
        ({"minItems": 2}, [None], "[null] is too short"),
        ({"type": "integer"}, "x", "'x' is not of type 'integer'"),
    ],
)
def test_values_are_written_as_in_a_document(schema: Any, value: Any, message: str) -> None:
    [error] = Draft202012Validator(schema).iter_errors(value)
    assert message_of(error) == message
