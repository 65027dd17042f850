"""What a person types becomes the value that the field means."""

from typing import Any

import pytest

from pao.cli.fields import FormField, typed


def select(choices: list[Any]) -> FormField:
    named = tuple((one, str(one)) for one in choices)
    return FormField(id="size", label="Size", type="select", choices=named)


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("1.0", 1), ("1e0", 1), ("true", True), ("2", "2"), ("3", "3")]
)
def test_a_choice_that_is_a_number_is_taken_in_each_spelling(text: str, value: Any) -> None:
    found = typed(select([1, "2", True]), text)
    assert (found, type(found)) == (value, type(value))
