"""A list that a browser posts row by row, or as one text of JSON."""

from datetime import date
from typing import Any

import pytest

from catalog.forms import Form
from catalog.forms.definition import MOST_ROWS
from catalog.forms.posted import read_posted
from catalog.forms.writing import row_input_texts

TODAY = date(2026, 3, 5)


def form(*fields: dict[str, Any]) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields)}]})


ROWS = form(
    {"id": "kind", "type": "string"},
    {
        "id": "rules",
        "type": "list",
        "fields": [
            {"id": "prefix", "type": "string", "required": True},
            {"id": "days", "type": "integer"},
            {"id": "keep", "type": "boolean"},
            {
                "id": "until",
                "type": "date",
                "conditional": {"dependsOn": "keep", "condition": "equals", "value": True},
            },
        ],
    },
)


def test_rows_are_read_in_the_order_of_their_numbers() -> None:
    posted = {
        "rules": [],
        "rules[7].prefix": ["logs/"],
        "rules[7].days": ["1 000"],
        "rules[7].keep": [],
        "rules[2].prefix": ["tmp/"],
        "rules[2].keep": ["true"],
        "rules[x].prefix": ["no number"],
        "rules[9].other": ["no field"],
    }
    assert read_posted(ROWS, posted, TODAY).values["rules"] == [
        {"prefix": "tmp/", "keep": True},
        {"prefix": "logs/", "days": 1000, "keep": False},
    ]


def test_what_a_row_hides_is_dropped_and_what_is_unreadable_is_named_by_its_row() -> None:
    posted = {
        "rules": [],
        "rules[3].prefix": ["a"],
        "rules[3].days": ["many"],
        "rules[3].keep": [],
        "rules[3].until": ["2026-04-01"],
    }
    reading = read_posted(ROWS, posted, TODAY)
    assert "until" not in reading.values["rules"][0]
    result = reading.validate(ROWS, TODAY)
    [error] = result.errors
    assert (error.field, error.constraint) == ("rules[0].days", "type")
    assert error.message == "Days: 'many' is not a whole number"
    assert "rules[0].until" not in result.in_rows
    assert "rules[0].keep" in result.in_rows


def test_a_list_without_rows_is_absent_unless_it_would_have_some_by_default() -> None:
    assert read_posted(ROWS, {"rules": []}, TODAY).values == {}
    filled = form(
        {
            "id": "rules",
            "type": "list",
            "default": [{"prefix": "a"}],
            "fields": [{"id": "prefix", "type": "string"}],
        }
    )
    assert read_posted(filled, {"rules": []}, TODAY).values == {"rules": []}
    assert read_posted(filled, {}, TODAY).validate(filled, TODAY).values == {
        "rules": [{"prefix": "a"}]
    }


def test_rows_survive_being_written_and_read() -> None:
    rows = [{"prefix": "a", "days": 3, "keep": True, "until": "2026-04-01"}, {"prefix": "b"}]
    posted = row_input_texts(ROWS.fields["rules"], rows) | {"rules": []}
    again = read_posted(ROWS, posted, TODAY).values["rules"]
    assert again == [rows[0], {"prefix": "b", "keep": False}]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("{", "{"),
        ('{"prefix": "a"}', {"prefix": "a"}),
        ('["a", 1]', ["a", 1]),
        ('[{"until": "x", "more": 1}, {"keep": true, "until": "x"}]',
         [{"more": 1}, {"keep": True, "until": "x"}]),
    ],
)  # fmt: skip
def test_a_list_may_be_posted_as_one_text(text: str, rules: Any) -> None:
    assert read_posted(ROWS, {"rules": [text]}, TODAY).values == {"rules": rules}


def test_passwords_in_rows_are_not_written_and_not_repeated_when_they_cannot_be_read() -> None:
    inner = [{"id": "name", "type": "string"}, {"id": "initial", "type": "password"}]
    users = form({"id": "users", "type": "list", "fields": inner})
    rows = [{"name": "a", "initial": "s3cret"}]
    assert row_input_texts(users.fields["users"], rows) == {
        "users[0].name": ["a"],
        "users[0].initial": [],
    }
    [error] = read_posted(users, {"users": ['[{"initial": "s3cret"']}, TODAY).errors
    assert (error.field, error.received) == ("users", None)


def test_as_many_rows_as_there_may_be_are_read_without_what_they_hide() -> None:
    posted = {f"rules[{number}].until": ["2026-04-01"] for number in range(MOST_ROWS)}
    rules = read_posted(ROWS, posted | {"rules": list[str]()}, TODAY).values["rules"]
    assert rules == [{}] * MOST_ROWS


def test_too_many_rows_are_left_to_the_validator() -> None:
    posted = {f"rules[{number}].prefix": ["a"] for number in range(600)} | {"rules": list[str]()}
    result = read_posted(ROWS, posted, TODAY).validate(ROWS, TODAY)
    assert [one.field for one in result.errors] == ["rules"]
