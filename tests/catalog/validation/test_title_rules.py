"""Titles are checked before a document is served."""

import json
from typing import Any

import pytest

from catalog.validation import validate
from tests.support.requests import item

FIELDS: list[dict[str, Any]] = [
    {"id": "host", "type": "string", "required": True},
    {"id": "token", "type": "password", "validation": {"minLength": 12}},
    {"id": "key", "type": "file"},
]
ROWS = {"id": "rows", "type": "list", "fields": [{"id": "proof", "type": "file"}]}


def findings(title: Any, fields: list[dict[str, Any]] = FIELDS) -> list[tuple[str, str, str]]:
    document = item()
    document["metadata"] = {**document["metadata"], "title": title}
    document["presentation"] = {"form": {"groups": [{"id": "all", "fields": fields}]}}
    result = validate(json.dumps(document), file="things/thing.yaml", known_actions={})
    return [
        (one.rule, str(one.severity), one.message)
        for one in result.findings
        if "metadata.title" in one.path
    ]


@pytest.mark.parametrize(
    "title",
    [
        "Plain text",
        "{{fields.host}}",
        "{{request.data.host | upper}} for {{request.user.email}}",
        "{{.User.all_host}}",
        "{{metadata.name}} {{json fields.host}}",
    ],
)
def test_a_title_of_form_metadata_and_request_is_fine(title: str) -> None:
    assert findings(title) == []


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("{{fields.token}}", "fields.token would show token (password)"),
        ("{{request.data.token | lower}}", "request.data.token would show token (password)"),
        ("{{fields.key}}", "fields.key would show key (file)"),
        ("{{json fields}}", "would show token (password), key (file)"),
        ("{{json request}}", "would show token (password), key (file)"),
        ("{{secrets.admin}}", "cannot read secrets.admin"),
        ("{{env.HOME}}", "cannot read environment.HOME"),
        ("{{system.date}}", "cannot read system.date"),
        ("{{request.title}}", "cannot be made of itself"),
    ],
)
def test_a_title_with_a_secret_or_of_what_is_not_there_yet_is_an_error(
    title: str, told: str
) -> None:
    [(rule, severity, message)] = findings(title)
    assert (rule, severity) == ("title", "error")
    assert told in message


@pytest.mark.parametrize(
    ("title", "rule"),
    [
        ("{{fields.nothing}}", "template"),
        ("{{outputs.ticket.key}}", "template"),
        ("{{fields.host", "template"),
        ("{{request.user.name}}", "template"),
    ],
)
def test_a_title_is_checked_as_every_template(title: str, rule: str) -> None:
    assert [one[0] for one in findings(title)] == [rule]


def test_all_fields_may_be_read_where_none_is_hidden() -> None:
    assert findings("{{json fields}}", FIELDS[:1]) == []


def test_rows_with_a_file_are_hidden_as_well() -> None:
    [(rule, _, message)] = findings("{{json fields.rows}}", [FIELDS[0], ROWS])
    assert rule == "title"
    assert "would show rows (list)" in message
