"""How values of a form are named, and JSON that means one thing."""

import json

import pytest

from pao.core.field_paths import form_field, parse_field_path, row_field_path
from pao.core.strict_json import read_json


@pytest.mark.parametrize(
    ("way", "read", "field"),
    [
        ("rules[0].port", ("rules", 0, "port"), "rules"),
        ("rules[9999].a.b", ("rules", 9999, "a.b"), "rules"),
        ("rules[3]", ("rules", 3, None), "rules"),
        ("rules", ("rules", None, None), "rules"),
        ("rules[12345].port", ("rules[12345].port", None, None), "rules"),
        ("rules[x].port", ("rules[x].port", None, None), "rules"),
        ("rules[0]port", ("rules[0]port", None, None), "rules"),
        ("rules[0].", ("rules[0].", None, None), "rules"),
        ("[0].port", ("[0].port", None, None), ""),
    ],
)
def test_a_way_names_a_field_or_one_in_a_row(
    way: str, read: tuple[str, int | None, str | None], field: str
) -> None:
    assert (parse_field_path(way), form_field(way)) == (read, field)


def test_the_way_of_a_field_in_a_row_is_read_back() -> None:
    assert row_field_path("rules", 7, "port") == "rules[7].port"
    assert parse_field_path(row_field_path("rules", 7, "port")) == ("rules", 7, "port")


def test_json_is_read_as_it_is() -> None:
    document = {"a": [1, 2.5, None, {"a": "b"}], "b": "NaN"}
    assert read_json(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": NaN}', "^NaN is not a JSON number$"),
        ("-Infinity", "^-Infinity is not a JSON number$"),
        ("1e400", "^1e400 is too large for a number$"),
        ("[-1" + "0" * 400 + ".0]", f"^-1{'0' * 78} is too large for a number$"),
        ('{"b": {"a": 1, "a": 1}}', "^the key 'a' is given twice$"),
        ('{"' + "k" * 99 + '": 1, "' + "k" * 99 + '": 2}', f"^the key '{'k' * 80}' is given twice"),
        ("{", "Expecting property name"),
    ],
)
def test_json_that_may_mean_two_things_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_json(text)
