"""What would surprise at the first request is found in the document."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml

from activities.registry import action_schemas
from catalog.model import CatalogItem
from catalog.validation import validate_files
from catalog.validation.examples import RuleExample
from catalog.validation.sample_values import value_for
from tests.catalog.validation.example_items import (
    ADDRESS,
    FILE,
    action,
    call,
    form,
    item,
    rules,
    ticket,
    told,
)

# Everything that is wrong with a template


def test_everything_wrong_with_a_template_is_told_at_once() -> None:
    text = (
        "{{fields.nme}} {{foo(fields.siz)}} {{#if fields.stag}}{{ a && b }}{{/if}}"
        " {{upper(fields.nam | lowr)}} {{metadata.nothing}} {{ 1 + 'x' }}"
    )

    found = " | ".join(message for _, message in told(ticket(text)))

    for part in (
        "fields.nme does not",
        "function foo is",
        "fields.siz does not",
        "fields.stag does not",
        "&& is not an operator",
        "fields.nam does not",
        "function lowr is",
        "metadata.nothing is missing",
        "+ works on numbers",
    ):
        assert part in found, found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{fields.name contains 'x'}}", "did you mean contains(fields.name, 'x')?"),
        ("{{fields.name matches '^a'}}", "did you mean matches(fields.name, '^a')?"),
        ("{{#if fields.name eq 'x'}}a{{/if}}", "did you mean fields.name == 'x'?"),
        ("{{1 + 2 gt 2}}", "gt is not an operator here; write >"),
    ],
)
def test_a_word_between_two_values_is_answered_with_what_is_meant(text: str, said: str) -> None:
    [(_, message)] = told(ticket(text))
    assert said in message


@pytest.mark.parametrize(
    "text", ["{{#if eq fields.name 'x'}}a{{/if}}", "{{#if contains fields.name 'x'}}a{{/if}}"]
)
def test_functions_of_these_names_stay_functions(text: str) -> None:
    assert rules(ticket(text)) == []


def test_a_block_without_an_end_does_not_hide_what_is_wrong_before_it() -> None:
    found = " | ".join(message for _, message in told(ticket("{{ a || b }} {{#if fields.name}}x")))

    assert "|| is not an operator" in found
    assert "this if has no end" in found


# JSON bodies


@pytest.mark.parametrize(
    "body",
    [
        '{"a": {{fields.name}},}',
        '{"a": {{fields.name}}',
        '{"a": "{{fields.name}}}',
        '{"a": {{#if fields.encrypted}}1{{/if}}}',
        '[{{#each request.user.teams}}"{{this}}",{{/each}}]',
        "{'a': {{fields.size}}}",
        "{{fields.name}} {{fields.size}}",
    ],
)
def test_a_body_that_is_no_json_is_found(body: str) -> None:
    assert rules(call(body={"type": "json", "contentTemplate": body})) == ["json-body"]


@pytest.mark.parametrize(
    "body",
    [
        '{"a": {{fields.name}}, "b": {{fields.size}}, "c": {{fields.encrypted}}}',
        '{"a": "{{fields.name}}-db"}',
        "{{json fields}}",
        '[{{#each request.user.teams}}"{{this}}"{{#unless @last}},{{/unless}}{{/each}}]',
        '{"a": {{#if fields.encrypted}}1{{else}}2{{/if}}}',
        '{"a": {{secrets.x}}, "b": {{metadata.cost.code | default(1)}}}',
    ],
)
def test_a_body_that_is_json_is_none_to_tell_of(body: str) -> None:
    assert rules(call(body={"type": "json", "contentTemplate": body})) == []


@pytest.mark.parametrize(
    ("body", "is_json"),
    [
        ('[{{#each fields.rows}}{"p": {{this.p}}}{{/each}}]', False),
        ('[{{#each fields.rows}}{"p": {{this.p}}}{{#unless @last}},{{/unless}}{{/each}}]', True),
        ('[{{#each fields.only}}{"p": {{this.p}}}{{/each}}]', True),
        ("[{{#each fields.tags}}{{this}}{{/each}}]", False),
        ("{% for team in request.user.teams %}{{ team }}{% endfor %}", False),
        ('{"rows": {{fields.rows}}, "tags": {{fields.tags}}}', True),
        ('[{{#each fields.texts}}"{{this}}"{{/each}}]', False),
        ('[{{#each fields.text}}"{{this}}"{{/each}}]', True),
    ],
)
def test_what_is_missing_between_two_rows_is_found(body: str, *, is_json: bool) -> None:
    fields = form(
        "{id: rows, name: Rows, type: list, fields: [{id: p, name: P, type: string}]}",
        "{id: only, name: One, type: list, maxItems: 1, fields: [{id: p, name: P, type: string}]}",
        "{id: tags, name: Tags, type: multiselect, enum: [a, b]}",
        "{id: texts, name: Texts, type: json, "
        "validation: {schema: {type: array, items: {type: string}}}}",
        "{id: text, name: Text, type: json, "
        "validation: {schema: {type: array, maxItems: 1, items: {type: string}}}}",
    )
    content = {"type": "json", "contentTemplate": body}
    step = {"type": "rest-api", "config": {"endpoint": ADDRESS, "body": content}}
    whole = yaml.safe_dump({"fulfillment": {"manual": {"actions": [step]}}})

    assert ("json-body" in rules(item(f"{fields}\n{whole}"))) is not is_json


def test_lists_within_lists_are_not_doubled_at_each_level() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(30):
        schema = {"type": "array", "items": schema}
    assert json.dumps(value_for(schema, several=2)).count('"') == len('""') * 2


def test_fields_that_never_show_together_are_never_tried_together() -> None:
    fields = form(
        "{id: kind, name: Kind, type: select, required: true, enum: [a, b]}",
        "{id: first, name: A, type: string, "
        "conditional: {dependsOn: kind, condition: equals, value: a}}",
        "{id: second, name: B, type: string, "
        "conditional: {dependsOn: kind, condition: equals, value: b}}",
    )
    body = (
        '{"kind": {{fields.kind}}, {{#if fields.first}}"value": {{fields.first}}{{/if}}'
        '{{#if fields.second}}"value": {{fields.second}}{{/if}}'
        '{{#unless fields.first}}{{#unless fields.second}}"value": null{{/unless}}{{/unless}}}'
    )
    step = {
        "type": "rest-api",
        "config": {"endpoint": ADDRESS, "body": {"type": "json", "contentTemplate": body}},
    }
    whole = yaml.safe_dump({"fulfillment": {"manual": {"actions": [step]}}})

    assert rules(item(f"{fields}\n{whole}")) == []


# Ids and metadata


@pytest.mark.parametrize("identifier", ["a/b", "..", ".", "-", "a b", "ä-b-c", "a?b", "x" * 201])
def test_an_id_that_cannot_be_requested_is_an_error(identifier: str) -> None:
    assert "id-usable" in rules(item(yaml.safe_dump({"metadata": {"id": identifier}})))


def test_of_ids_that_differ_in_case_only_the_one_in_lower_case_is_good() -> None:
    files = {FILE: item("metadata: {}"), "databases/x.yaml": item("metadata: {id: Database-PG}")}
    files["databases/y.yaml"] = item("metadata: {id: database-pg}")

    found = validate_files(files, lambda file: files[file].encode(), action_schemas())

    assert [one.file for one in found if one.rule == "id-case"] == ["databases/x.yaml"]


@pytest.mark.parametrize(
    ("metadata", "count"),
    [
        ({"cost": {"baseMonthly": -1, "currency": "EUR"}}, 1),
        ({"cost": {"baseMonthly": 1, "currency": "euro"}}, 1),
        ({"cost": {"baseMonthly": 1}}, 1),
        ({"cost": {"baseMonthly": 0}}, 0),
        ({"sla": {"provisioningTime": "soon"}}, 1),
        ({"sla": {"provisioningTime": "4h"}}, 0),
        ({"sla": {"provisioningTime": "2 business days"}}, 0),
        ({"sla": {"provisioningTime": "1-2 weeks"}}, 0),
        ({"reviewed": "2026-02-30"}, 1),
        ({"reviewed": {"last": "2026-02-28"}}, 0),
    ],
)
def test_values_in_the_metadata_are_what_they_say(metadata: dict[str, object], count: int) -> None:
    found = rules(item(yaml.safe_dump({"metadata": metadata})))

    assert found == ["metadata-value"] * count


# Outputs within the configuration


@pytest.mark.parametrize(
    ("outputs", "extract"),
    [
        (["host"], {}),
        ([{"name": "host", "path": "$.host"}], {"host": "$.host"}),
        ({"host": "$.host"}, {"host": "$.host"}),
        ([{"name": "host", "required": True}], {}),
    ],
)
def test_outputs_within_the_configuration_are_read_beside_it(
    outputs: object, extract: dict[str, str]
) -> None:
    text = call(outputs=outputs)

    assert rules(text) == ["outputs-place"]
    step = CatalogItem.model_validate(yaml.safe_load(text)).manual_actions[0]
    assert [one.name for one in step.outputs] == ["host"]
    assert "outputs" not in step.config
    assert step.config.get("response", {"extract": {}})["extract"] == extract


def test_outputs_of_terraform_stay_in_its_configuration() -> None:
    config = {"source": {"path": "modules/x"}, "outputs": ["id"]}
    text = action("terraform", json.dumps(config))

    assert "outputs-place" not in rules(text)
    step = CatalogItem.model_validate(yaml.safe_load(text)).manual_actions[0]
    assert step.config["outputs"] == ["id"]


BUNDLE = RuleExample("", "", "", {"kind": "CatalogBundle"})


# Components


def bundle_findings(item_text: str, components: Sequence[Mapping[str, object]]) -> list[str]:
    bundle = yaml.safe_dump(BUNDLE.document(yaml.safe_dump({"components": components})))
    files = {FILE: item_text, "bundles/bundle-web-app.yaml": bundle}
    found = validate_files(files, lambda file: files[file].encode(), action_schemas())
    return [one.rule for one in found if one.file.startswith("bundles")]


@pytest.mark.parametrize("error", ["metadata: {version: one}", "lifecycle: {maintenance: 5}"])
def test_values_of_a_component_are_judged_though_its_item_has_errors(error: str) -> None:
    config = {"name": "{{fields.title}}", "sise": 5}
    component = {"id": "app", "catalogItem": "database-postgresql-standard", "config": config}

    assert bundle_findings(item(error), [component]) == ["component-fields"]


def test_an_item_whose_form_is_wrong_says_nothing_of_its_fields() -> None:
    broken = item("presentation: {form: {groups: [{id: a, name: A, fields: [{id: x}]}]}}")
    component = {"id": "app", "catalogItem": "database-postgresql-standard", "config": {"y": "1"}}

    assert bundle_findings(broken, [component]) == []


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("{{components.app.outputs.key}}", []),
        ("{{output/app/url}}", []),
        ("{{components.app.outputs.hots}}", ["component-outputs"]),
        ("{{output/app/hots}}", ["component-outputs"]),
        ("{{components.app.outputs.hots | default('x')}}", ["component-outputs"]),
    ],
)
def test_what_a_bundle_reads_of_a_component_must_exist(template: str, rule: list[str]) -> None:
    name = "database-postgresql-standard"
    components: list[dict[str, object]] = [
        {"id": "app", "catalogItem": name, "config": {"name": "{{fields.title}}"}},
        {"id": "copy", "catalogItem": name, "config": {"name": template}},
    ]

    assert bundle_findings(item("metadata: {}"), components) == rule
