"""Passwords in the rows of lists: judged as others are, and shown by nothing that a form says."""

import json
from datetime import date
from typing import Any

import pytest

from catalog.forms import Form, FormError
from pao.core.passwords import PasswordFields

TODAY = date(2026, 3, 5)
Document = dict[str, Any]
NAME = {"id": "name", "name": "Name", "type": "string", "required": True}
PASSWORD = {
    "id": "initial",
    "name": "Initial password",
    "type": "password",
    "required": True,
    "validation": {"minLength": 8, "strength": "medium"},
}
USERS = {"id": "users", "name": "Users", "type": "list", "fields": [NAME, PASSWORD]}
ROOT = {"id": "root", "name": "Root", "type": "password"}


def form(*fields: Document) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields)}]})


def computed(template: str) -> Document:
    return {"id": "shown", "type": "string", "default": {"template": template}}


def test_a_password_in_a_row_is_judged_and_never_repeated() -> None:
    rows = [{"name": "a", "initial": "s3cret"}, {"name": "b"}, {"name": "c", "initial": ["s3cret"]}]
    told = form(USERS).validate({"users": rows}, TODAY).errors
    assert [(one.field, one.constraint) for one in told] == [
        ("users[0].initial", "minLength"),
        ("users[0].initial", "strength"),
        ("users[1].initial", "required"),
        ("users[2].initial", "type"),
    ]
    assert "s3cret" not in repr(told)


@pytest.mark.parametrize("value", ["s3cret", ["s3cret"], [["s3cret"]], {"initial": "s3cret"}])
def test_a_list_with_passwords_that_is_none_is_not_repeated(value: Any) -> None:
    result = form(USERS).validate({"users": value}, TODAY)
    assert not result.valid
    assert "s3cret" not in repr(result.errors)


def test_passwords_are_found_in_rows_by_their_ways() -> None:
    values = {"root": "r", "users": [{"name": "a", "initial": "x"}, {"name": "b"}, "no row"]}
    passwords = form(ROOT, USERS).passwords
    assert passwords == PasswordFields(frozenset({"root"}), {"users": frozenset({"initial"})})
    assert passwords.values_in(values) == {"root": "r", "users[0].initial": "x"}
    assert passwords.without(values) == {"users": [{"name": "a"}, {"name": "b"}, "no row"]}


@pytest.mark.parametrize(
    "template",
    [
        "{{json(fields.users)}}",
        "{{#each fields.users}}{{this.initial}}{{/each}}",
        "{{fields.users.0.initial | upper}}",
    ],
)
def test_a_computed_default_shows_no_password_of_a_row(template: str) -> None:
    rows = [{"name": "a", "initial": "Gehe1mes"}]
    result = form(USERS, computed(template)).validate({"users": rows}, TODAY)
    assert [(one.field, one.constraint) for one in result.errors] == [("shown", "computed")]
    assert result.errors[0].message == "Shown cannot be computed: it would show a password"
    assert "gehe1mes" not in repr(result).casefold().replace(repr(rows).casefold(), "")


def test_a_computed_default_may_read_what_else_is_in_the_rows() -> None:
    names = "{{#each fields.users}}{{this.name}} {{/each}}{{len(fields.users)}}"
    judge = form(USERS, {"id": "zone", "type": "string"}, computed(f"{names} {{{{.User.g_zone}}}}"))
    values = {"users": [{"name": "a", "initial": "Gehe1mes"}], "zone": "z"}
    assert judge.validate(values, TODAY).values["shown"] == "a 1 z"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ([USERS | {"uniqueBy": ["initial"]}], "would reveal that two passwords are the same"),
        ([USERS | {"default": [{"name": "a", "initial": "x"}]}], "everybody could read"),
        ([USERS | {"fields": [PASSWORD, computed("{{fields.initial}}")]}], "show the password"),
        ([ROOT, USERS | {"fields": [computed("{{fields.root}}")]}], "show the password"),
        ([USERS, {"id": "a", "type": "select", "options": {
            "from": "http", "url": "https://x.example.com/?q={{fields.users}}"}}], "password"),
    ],
)  # fmt: skip
def test_a_form_that_would_show_a_password_of_a_row_is_refused(
    fields: list[Document], says: str
) -> None:
    with pytest.raises(FormError, match=says):
        form(*fields)


def test_schemas_of_a_form_say_that_a_password_in_a_row_is_secret() -> None:
    judge = form(USERS | {"fields": [NAME, PASSWORD | {"default": "Gehe1mes"}]})
    assert '"writeOnly": true' in json.dumps(judge.json_schema())
    assert "Gehe1mes" not in json.dumps([judge.json_schema(), judge.ui_schema()])
