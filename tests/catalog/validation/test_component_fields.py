"""What a bundle passes into rows of lists, and which passwords go where."""

from typing import Any

import pytest
import yaml

from catalog.builtin_action_types import builtin_action_types
from catalog.validation import validate_files
from tests.support.requests import item

Document = dict[str, Any]
LOGIN: Document = {"id": "login", "name": "Login", "type": "string", "validation": {"maxLength": 5}}
INITIAL: Document = {
    "id": "initial",
    "name": "Initial",
    "type": "password",
    "validation": {"minLength": 8},
}
ACCOUNTS: Document = {
    "id": "accounts",
    "name": "Accounts",
    "type": "list",
    "fields": [LOGIN, INITIAL],
}
ROOT: Document = {**INITIAL, "id": "root", "name": "Root"}
NOTES: Document = {**ACCOUNTS, "id": "notes", "name": "Notes", "fields": [LOGIN]}
DISK: Document = {
    "id": "disk",
    "name": "Disk",
    "type": "string",
    "conditional": {"dependsOn": "login", "condition": "equals", "value": "ann"},
}
DISKS: Document = {**ACCOUNTS, "id": "disks", "name": "Disks", "fields": [LOGIN, DISK]}
TEXT: Document = {"id": "text", "name": "Text", "type": "string"}


def problems(config: Document) -> list[str]:
    """Return what is wrong with the values of a component, of a bundle with the same form."""
    form = [ACCOUNTS, ROOT, NOTES, DISKS, TEXT]
    bundle = item(fields=form) | {"kind": "CatalogBundle"}
    bundle |= {
        "components": [
            {"id": "one", "catalogItem": "thing-small-one", "config": {"title": "x", **config}}
        ]
    }
    del bundle["fulfillment"]
    metadata = bundle["metadata"]
    thing = item(fields=form) | {"metadata": {**metadata, "id": "thing-small-one"}}
    files = {"bundles/bundle-all.yaml": bundle, "things/thing-small-one.yaml": thing}
    found = validate_files(
        files, lambda file: yaml.safe_dump(files[file]).encode(), builtin_action_types()
    )
    return [one.message for one in found if one.rule == "component-fields"]


@pytest.mark.parametrize(
    "config",
    [
        {"accounts": "{{fields.accounts}}", "root": "{{fields.root}}"},
        {"accounts": [{"login": "{{fields.text}}", "initial": "{{fields.root}}"}]},
        {"accounts": [{"login": "ann", "initial": "{{fields.accounts.0.initial}}"}]},
        {"text": "{{#if fields.root}}with a password{{/if}}", "notes": [{"login": "ann"}]},
        {"text": "{{#each fields.accounts}}{{login}} {{/each}}"},
    ],
)
def test_a_password_goes_to_a_password(config: Document) -> None:
    assert problems(config) == []


@pytest.mark.parametrize(
    ("config", "secret"),
    [
        ({"text": "{{fields.root}}"}, "fields.root"),
        ({"text": "{{upper fields.root}}!"}, "fields.root"),
        ({"notes": "{{fields.accounts}}"}, "fields.accounts[].initial"),
        ({"accounts": [{"login": "{{fields.root}}", "initial": "x" * 8}]}, "fields.root"),
        ({"text": "{{secrets.token}}"}, "secrets.token"),
    ],
)
def test_a_secret_that_is_passed_to_anything_else_is_found(config: Document, secret: str) -> None:
    told = f"{secret} is a secret, but what it is passed to is not a password of thing-small-one"
    assert problems(config) == [told]


def test_values_beside_templates_in_rows_are_judged() -> None:
    rows = [{"login": "too long", "initial": "{{fields.root}}", "logn": "x"}]
    assert problems({"accounts": rows}) == [
        "the field login does not accept this: Login must have at most 5 characters",
        "accounts has no field 'logn'; did you mean 'login'?",
    ]


def test_a_column_is_given_only_where_its_own_row_shows_it() -> None:
    assert problems({"disks": [{"login": "ann", "disk": "5"}]}) == []
    told = "the field disks does not accept this: Disk does not apply with these values; "
    assert problems({"disks": [{"login": "bob", "disk": "5"}]}) == [f"{told}leave it out"]
