"""What is known of values from a JSON Schema, however broken the schema is."""

import pytest

from catalog.templating.value_types import ANY, shape_of_schema


@pytest.mark.parametrize("kinds", [[[]], [{}], [1], [None, "text"], ["nonsense"]])
def test_a_kind_that_no_schema_knows_may_be_anything(kinds: list[object]) -> None:
    assert shape_of_schema({"type": kinds}).kinds == ANY
