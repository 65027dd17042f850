"""Documents as users of other tools write them: each mistake is told once, with what to write."""

import json
import re

import pytest
import yaml

from activities.registry import action_schemas
from tests.catalog.validation.example_items import action, findings, form, item, ticket, told

BACKSTAGE = form(
    "{id: a, title: Name, type: string, ui:help: Lower case}",
    "{id: b, name: B, type: select, enum: [x], enumNames: [X]}",
    "{id: c, name: C, type: array, items: {type: object, properties: {}}}",
    "{id: d, name: D, type: OwnerPicker}",
    "{id: e, name: E, type: string, format: date}",
    "{id: f, name: F, type: boolean, const: true}",
    "{id: g, name: G, type: number, exclusiveMinimum: 0}",
)
PORT = form(
    "{id: a, name: A, type: string, visible: {jqQuery: x}}",
    "{id: b, name: B, type: string, blueprint: cluster}",
    "{id: c, name: C, type: string, default: {jqQuery: x}}",
)
KESTRA = form(
    "{id: a, displayName: A, type: STRING, validator: '^a$'}",
    "{id: b, name: B, type: SELECT, expression: x}",
    "{id: c, name: C, type: FILE, allowedFileExtensions: [.txt]}",
    "{id: d, name: D, type: INT, defaults: 3}",
)
TERRAFORM = form(
    "{id: a, name: A, type: map(string)}",
    "{id: b, name: B, type: list(string), nullable: false}",
    "{id: c, name: C, type: 'list(object({x = string}))'}",
    "{id: d, name: D, type: string, sensitive: true}",
)


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        (
            BACKSTAGE,
            (
                "unknown key 'title' (write name)",
                "unknown key 'ui:help' (write description)",
                "unknown key 'enumNames' (write enum: [{value: ..., label: ...}])",
                "not 'array'; did you mean 'list'?",
                "not 'OwnerPicker'; did you mean 'team'?",
                "unknown key 'format' (the format is the type: date,",
                "unknown key 'const' (terms to accept are written mustBe: true,",
                "unknown key 'exclusiveMinimum' (write min, under validation)",
            ),
        ),
        (
            PORT,
            (
                "unknown key 'visible' (write conditional)",
                "unknown key 'blueprint' (choices from elsewhere are options:",
                '(write default: {template: "{{fields.other}}"})',
            ),
        ),
        (
            KESTRA,
            (
                "unknown key 'displayName' (write name)",
                "not 'STRING'; did you mean 'string'?",
                "unknown key 'validator' (write pattern, under validation)",
                "unknown key 'expression' (choices from elsewhere are options:",
                "unknown key 'allowedFileExtensions' (write types, under validation)",
                "not 'INT'; did you mean 'integer'?",
                "unknown key 'defaults' (write default)",
            ),
        ),
        (
            TERRAFORM,
            (
                "did you mean 'json'?",
                "not 'list(string)'; did you mean 'multiselect'?",
                "did you mean 'list'?",
                "unknown key 'nullable' (leave it out:",
                "unknown key 'sensitive' (write type: password)",
            ),
        ),
        (
            "inputs: []\ntrigger: {}\nspec: {}\nidentifier: x",
            (
                "unknown key 'inputs' (write it under presentation.form.groups",
                "unknown key 'trigger' (leave it out:",
                "unknown key 'spec' (a document has metadata,",
                "unknown key 'identifier' (write id, under metadata)",
            ),
        ),
        ("kind: Template", ("kind 'Template' is not known; did you mean 'CatalogItem'?",)),
        ("metadata: {owner: team-a}", ("(write owner: {team: team-a})",)),
        ("fulfillment: {strategy: manual}", ("(write strategy: {mode: manual})",)),
        ("fulfillment: {manual: [{type: jira-ticket}]}", ("(write actions: below manual)",)),
        (
            form("{id: a, name: A, type: select, enum: {x: X}}"),
            ("must be a list (write each choice as {value: ..., label: ...})",),
        ),
        (
            form("{id: a, name: A, type: string, required: '{{fields.b}}'}"),
            ("(write required: {when: ...})",),
        ),
    ],
)
def test_what_another_tool_writes_is_answered_with_what_to_write(
    fragment: str, said: tuple[str, ...]
) -> None:
    found = [message for _, message in told(item(fragment))]

    for part in said:
        assert [message for message in found if part in message], (part, found)


BACKSTAGE_TEMPLATE = """
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: service, title: Service}
spec: {owner: team-a, type: service, parameters: [], steps: []}
"""
PORT_ACTION = """
identifier: create_service
title: Create a service
trigger: {type: self-service, operation: CREATE, userInputs: {properties: {}}}
invocationMethod: {type: WEBHOOK}
"""
KESTRA_FLOW = """
id: create-service
namespace: company.team
inputs: [{id: name, type: STRING}]
tasks: [{id: log, type: io.kestra.plugin.core.log.Log}]
"""
GITHUB_WORKFLOW = """
name: CI
on: {push: {}}
jobs: {test: {runs-on: ubuntu-latest}}
"""


@pytest.mark.parametrize(
    ("text", "name", "also"),
    [
        (BACKSTAGE_TEMPLATE, "a Backstage Template", "unknown key 'spec' (a document has metadata"),
        (PORT_ACTION, "a Port action", "unknown key 'identifier' (write id, under metadata)"),
        (KESTRA_FLOW, "a Kestra flow", "unknown key 'inputs' (write it under presentation.form"),
        (GITHUB_WORKFLOW, "a GitHub workflow", "unknown key 'jobs' (write it under fulfillment."),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}", "a Kubernetes Dep", ""),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Workflow", "an Argo Workflow", ""),
        ("services: {db: {image: postgres}}", "a Docker Compose file", ""),
        ("openapi: 3.1.0\npaths: {}", "an OpenAPI document", ""),
        ("kind: Template\nmetadata: {}\nspec: {}", "a Backstage template", ""),
    ],
)
def test_a_document_of_another_tool_is_named_once_and_led_to_the_page(
    text: str, name: str, also: str
) -> None:
    found = told(text)

    [(_, message)] = [one for one in found if one[0] in {"kind", "schema-version"}]
    assert f"this is {name}" in message
    assert "not a catalog document" in message
    assert "docs/from-other-portals.md" in message
    assert [one for _, one in found if also in one], found


@pytest.mark.parametrize(
    "text",
    [
        "kind: CatalogItm\nservices: {db: {image: postgres}}",
        "kind: catalogItem\nmetadata: {}\nspec: {}",
        "apiVersion: x/v1\nkind: Template\npresentation: {}",
        "stages: [a]\nfulfillment: {}",
        "apiVersion: ''\nkind: ''",
    ],
)
def test_a_misspelt_document_of_ours_is_not_taken_for_another_tool_s(text: str) -> None:
    assert not [message for _, message in told(text) if "this is a" in message]


@pytest.mark.parametrize("kind", ["[]", "{}", "5", "null", "''", "x"])
def test_an_odd_kind_is_a_finding(kind: str) -> None:
    assert "kind" in {rule for rule, _ in told(f"kind: {kind}\nmetadata: {{}}")}


def test_a_document_that_is_nearly_one_of_ours_is_judged_as_a_whole() -> None:
    document = yaml.safe_load(item("metadata: {colour: x}")) | {"kind": "Template"}
    document["fulfillment"]["manual"]["actions"][0]["type"] = "jira"

    assert {"kind", "action-type"} <= {rule for rule, _ in told(yaml.safe_dump(document))}


def test_a_key_under_the_name_of_another_tool_is_not_called_missing_as_well() -> None:
    step = {"name": "Ask", "uses": "jira-ticket", "with": {}}
    text = item(yaml.safe_dump({"fulfillment": {"manual": {"actions": [step]}}}))

    assert [message for _, message in told(text)] == [
        "unknown key 'uses' (write type)",
        "unknown key 'with' (write config)",
    ]


def test_a_missing_name_that_is_there_under_another_is_told_with_it() -> None:
    document = yaml.safe_load(item("{}"))
    document["metadata"]["identifier"] = document["metadata"].pop("id")

    assert ("missing-key", "metadata.id is missing (write id instead of identifier)") in told(
        yaml.safe_dump(document)
    )


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("jira-ticket", "{summary: x}", "unknown key 'summary' (write summaryTemplate, under"),
        ("webhook", "{url: 'https://x.example.com', secret: abc}", "secret must have at least 16"),
        ("approval", "{approvers: [dana]}", "(write approvers: {users: [...], teams: [...]})"),
        (
            "rest-api",
            "{endpoint: 'https://x.example.com/{{fields.name}}'}",
            "(write endpoint: {url: ..., method: ...})",
        ),
        ("github-workflow", "{workflow_id: a, branch: b}", "did you mean 'workflowFile'?"),
        ("git-commit", "{message: x}", "unknown key 'message'; did you mean 'commitMessage'?"),
        ("io.kestra.plugin.core.http.Request", "{}", "did you mean 'rest-api'?"),
        ("publish:github:pull-request", "{}", "did you mean 'git-commit'?"),
    ],
)
def test_a_configuration_of_another_tool_is_told_with_ours(
    kind: str, config: str, said: str
) -> None:
    found = [message for _, message in told(action(kind, config))]

    assert [message for message in found if said in message], found


def test_keys_beside_an_action_of_another_tool_are_told_by_the_type_that_is_meant() -> None:
    step = {"type": "http", "uri": "https://x.example.com", "method": "POST", "body": {}}
    text = item(yaml.safe_dump({"fulfillment": {"manual": {"actions": [step]}}}))
    found = " | ".join(message for _, message in told(text))

    assert "unknown key 'uri' (write url, under config.endpoint)" in found
    assert "unknown key 'method' (it belongs under config.endpoint)" in found
    assert "unknown key 'body' (it belongs under config)" in found


def test_no_text_of_the_library_that_judges_configurations_shows() -> None:
    odd: list[object] = ["", "x", "a{{fields.name}}", 0, -1, 1.5, True, None, [], [1], {}, {"a": 1}]
    said: list[str] = []
    for kind, schema in action_schemas().items():
        for value in odd:
            config = json.dumps(dict.fromkeys(schema.config["properties"], value))
            said += [message for _, message in told(action(kind, config))]

    assert len(said) > 100
    words = (
        "is too",
        "is not of type",
        "is not valid under",
        "does not match",
        "non-empty",
        "was ",
    )
    for word in (*words, "of the minimum", "of the maximum", "None", "Additional", "Input should"):
        assert not [message for message in said if word in message], word


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("{{ .Values.name }}", "did you mean fields.name?"),
        ("{{ .Values.name | trunc 63 }}", "did you mean truncate?"),
        ("{{ .inputs.name }}", "did you mean fields.name?"),
        ("{{ .trigger.by.user.email }}", "did you mean request.user.email?"),
        ("{{ $.Values.name }}", "did you mean fields.name?"),
        ("{{ user.name }}", "did you mean request.user.id?"),
        ("{{ user.entity.metadata.name }}", "did you mean request.user.id?"),
        ("{{#if fields.name = 'x'}}y{{/if}}", "= is not a comparison; write =="),
    ],
)
def test_a_template_of_another_tool_is_told_with_ours(tag: str, said: str) -> None:
    found = [message for _, message in told(ticket(tag))]

    assert [message for message in found if said in message], found


def test_every_suggestion_for_a_template_can_be_written() -> None:
    """What is suggested is a path that exists, not one more mistake."""
    for tag in ("{{ user.name }}", "{{ requester.groups }}", "{{ .run.createdBy }}"):
        [(_, message)] = told(ticket(tag))
        suggestion = re.search(r"did you mean (\S+)\?", message)
        assert suggestion, message
        assert findings(ticket(f"For {{{{ {suggestion[1]} }}}}")) == []
