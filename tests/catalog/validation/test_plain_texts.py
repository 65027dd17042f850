"""Texts in which no template is read: in the document, and in the spelling of other tools."""

import json

import pytest

from tests.catalog.validation.example_items import (
    action,
    call,
    findings,
    form,
    item,
    rules,
    ticket,
    told,
)


@pytest.mark.parametrize(
    "field",
    [
        '{id: x, name: X, type: string, default: "{{fields.team}}-db"}',
        '{id: x, name: X, type: string, placeholder: "{{fields.team}}"}',
        '{id: x, name: "{{fields.team}}", type: string}',
        '{id: x, name: X, type: string, validation: {pattern: "^{{fields.team}}$"}}',
        '{id: x, name: X, type: string, validation: {minLength: 1, message: "{{fields.x}}"}}',
        '{id: x, name: X, type: select, enum: ["{{fields.team}}", b]}',
        '{id: x, name: X, type: select, enum: [{value: a, label: "{{fields.team}}"}]}',
        '{id: x, name: X, type: multiselect, enum: ["a"], default: ["{{fields.team}}"]}',
        '{id: x, name: X, type: string, description: "Of `{{a}}` and {{fields.team}}"}',
    ],
)
def test_a_template_where_none_is_read_is_an_error(field: str) -> None:
    found = [one for one in findings(item(form(field))) if one.rule == "template-unread"]

    assert [one.severity for one in found] == ["error"]
    line = item(form(field)).split("\n")[found[0].line - 1]
    assert line[found[0].column - 1 :].startswith("{{fields.")


def test_what_only_people_read_of_an_item_is_no_template() -> None:
    text = item("""
        metadata: {owner: {team: a, contact: 'x@{{fields.a}}'}, tags: ['{{fields.b}}']}
        presentation: {display: {documentationUrl: 'https://x.example.com/{{fields.c}}'}}
    """)
    told = [one.message for one in findings(text) if one.rule == "template-unread"]
    assert [one.partition(" is not a template")[0] for one in told] == [
        "the contact",
        "a tag",
        "the documentationUrl",
    ]


@pytest.mark.parametrize(
    "field",
    [
        (
            "{id: x, name: X, type: string, "
            "conditional: {dependsOn: stage, condition: equals, value: '{{fields.size}}'}}"
        ),
        (
            "{id: x, name: X, type: string, conditional: "
            "{any: [{dependsOn: stage, condition: in, value: [test, '{{fields.size}}']}]}}"
        ),
        "{id: x, name: X, type: multiselect, items: {pattern: '^{{fields.size}}$'}}",
        "{id: x, name: X, type: select, options: {from: list, list: '{{fields.size}}'}}",
    ],
)
def test_what_is_compared_is_no_template(field: str) -> None:
    assert "template-unread" in rules(item(form(field)))


def test_who_may_request_an_item_is_no_template() -> None:
    assert "template-unread" in rules(item("metadata: {access: {allowedTeams: ['{{fields.a}}']}}"))


def test_a_description_may_show_a_template_as_code() -> None:
    field = "{id: x, name: X, type: string, description: 'Written `{{fields.team}}` there'}"
    assert "template-unread" not in rules(item(form(field)))


def test_for_a_default_the_computed_form_is_shown() -> None:
    field = '{id: x, name: X, type: string, default: "{{fields.team}}-db"}'
    (found,) = (one for one in findings(item(form(field))) if one.rule == "template-unread")

    assert found.hint == 'write default: {template: "..."} to have it computed'


def test_a_computed_default_is_a_template_where_one_is_read() -> None:
    fields = form(
        "{id: team, name: Team, type: string}",
        '{id: x, name: X, type: string, default: {template: "{{fields.team}}-db"}}',
    )

    assert "template-unread" not in rules(item(fields))


def test_a_template_as_a_key_is_an_error() -> None:
    assert "template-unread" in rules(call(headers={"{{fields.name}}": "x"}))


def test_a_json_default_and_a_text_of_the_config_may_hold_braces() -> None:
    document = item(form('{id: x, name: X, type: json, default: {text: "{{value}}"}}'))

    assert "template-unread" not in rules(document)


# The spelling of other tools


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("${{ parameters.name }}", "write {{fields.name}}"),
        ("${var.size} GB", "write {{fields.size}}"),
        ("$(params.stage)", "write {{fields.stage}}"),
        ("<%= name %>", "write {{fields.name}}"),
        ("{fields.name}", "write {{fields.name}}"),
        ("#{fields.name}", "write {{fields.name}}"),
    ],
)
def test_a_spelling_of_another_tool_is_warned_of(text: str, hint: str) -> None:
    ((rule, message),) = told(ticket(text))

    assert rule == "template-foreign"
    assert hint in message


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("default: '${var.name}-db'", 'write default: {template: "{{fields.name}}"}'),
        ("placeholder: '$(params.name)'", "put the template where the value is used"),
        ("validation: {message: 'No #{fields.name}', maxLength: 3}", "put the template where"),
    ],
)
def test_it_is_warned_of_where_no_template_is_read_too(field: str, hint: str) -> None:
    fields = form(
        "{id: name, name: Name, type: string}", f"{{id: x, name: X, type: string, {field}}}"
    )

    [message] = [message for rule, message in told(item(fields)) if rule == "template-foreign"]
    assert hint in message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("${{ secrets.TOKEN }}", "write {{secrets.TOKEN}}"),
        ("${{ user.entity.metadata.name }}", "write {{request.user.id}}"),
        ("${env.STAGE}", "write {{env.STAGE}}"),
        ("${metadata.name}", "write {{metadata.name}}"),
        ("${metadata.labels.name}", "write {{metadata.labels.name}}"),
        ("${request.headers.name}", "another value of this request"),
        ("${{ secrets.name }}", "write {{secrets.name}}"),
    ],
)
def test_of_other_scopes_ours_is_named(text: str, hint: str) -> None:
    ((_, message),) = told(ticket(text))
    assert hint in message
    assert "syntax, not a template" in message


def test_files_of_a_commit_may_be_written_in_the_spelling_of_another_tool() -> None:
    config = {
        "repository": "org/repo",
        "branch": "x",
        "commitMessage": "Add it",
        "files": [
            {"path": "w.yml", "operation": "create", "contentTemplate": "run: ${{ github.sha }}"}
        ],
    }

    assert "template-foreign" not in rules(action("git-commit", json.dumps(config)))
    assert "template-foreign" in rules(
        action("git-commit", json.dumps({**config, "commitMessage": "${{ inputs.name }}"}))
    )


@pytest.mark.parametrize("text", ["costs $5 {code}", "${HOME}/x", "{{fields.name}}", "{color:red}"])
def test_other_braces_are_no_spelling_of_another_tool(text: str) -> None:
    assert rules(ticket(text)) == []
