"""What the rules find in options and lists."""

from typing import Any

import pytest
import yaml

from activities.registry import action_schemas
from catalog.validation import Finding, validate_files
from tests.support.requests import item

Document = dict[str, Any]
SIZES: Document = {
    "schemaVersion": "catalog/v1",
    "kind": "CatalogList",
    "metadata": {"id": "sizes", "name": "Sizes", "version": "1.0.0", "category": "lists"},
    "rows": [{"value": "s", "environment": "test"}, {"value": "m"}],
}
HTTP = {"from": "http", "url": "https://inventory.example.com/clusters"}


def errors(
    options: Any, sizes: Document = SIZES, kind: str = "select", **more: Any
) -> list[tuple[str, str]]:
    field = {"id": "flavor", "name": "Flavor", "type": kind, "options": options, **more}
    files = {"things/thing.yaml": item(fields=[field]), "lists/sizes.yaml": sizes}
    found: list[Finding] = validate_files(
        files, lambda file: yaml.safe_dump(files[file]).encode(), action_schemas()
    )
    return [(one.rule, one.message) for one in found if one.severity == "error"]


@pytest.mark.parametrize(
    ("options", "rule", "message"),
    [
        ({"from": "list", "list": "size"}, "options-list", "did you mean 'sizes'?"),
        (
            {"from": "list", "list": "sizes", "where": "row.environmnt == 'test'"},
            "options-list",
            "no row of sizes has 'environmnt'",
        ),
        ({"from": "list", "list": "sizes", "where": "row.a =="}, "when", ""),
        ({**HTTP, "select": "$["}, "options", "JSONPath"),
        ({**HTTP, "authentication": {"type": "bearer"}}, "options", ""),
        ({**HTTP, "cache": "2d"}, "options", "at most a day"),
        ({**HTTP, "url": "https://a.example/{{fields.token}}"}, "form-template", "token is a"),
        ({**HTTP, "url": "https://a.example/{{fields.nothing}}"}, "template", "nothing"),
        ({"from": "ldap"}, "value-type", "options.from must be one of 'list', 'teams'"),
        ({"url": "https://a.example"}, "value-type", "options needs from, one of"),
        ({"from": "http", "select": "$"}, "missing-key", "].options.url is missing"),
        ({**HTTP, "whenAway": "never"}, "value-type", "'refuse' or 'allow', not 'never'"),
        ({**HTTP, "selct": "$"}, "unknown-key", "did you mean 'select'?"),
        (["a", "b"], "value-type", "values to choose from are an enum"),
    ],
)
def test_a_mistake_in_options_is_found(options: Any, rule: str, message: str) -> None:
    found = errors(options)
    assert [one for one, told in found if message in told] == [rule], found


def test_what_is_wrong_with_a_source_hides_nothing_else() -> None:
    found = errors({"from": "http"}, validation={"minLength": 3, "maxLength": 1})
    assert {rule for rule, _ in found} >= {"missing-key", "constraint-range"}


def test_a_row_of_a_list_is_no_template() -> None:
    sizes = {**SIZES, "rows": [{"value": "s", "label": "Of {{fields.team}}"}]}
    [(rule, message)] = errors({"from": "list", "list": "sizes"}, sizes)
    assert (rule, message.partition(" is not a template")[0]) == ("template-unread", "the label")


@pytest.mark.parametrize(
    "options",
    [
        {"from": "teams"},
        {"from": "list", "list": "sizes", "where": "{{row.environment == fields.title}}"},
        {
            **HTTP,
            "query": {"title": "{{fields.title}}"},
            "authentication": {"type": "bearer", "token": "{{secrets.inventory}}"},
            "select": "$.items[?@.state=='ready']",
            "cache": "5m",
        },
    ],
)
def test_good_options_have_no_findings(options: Any) -> None:
    assert errors(options) == []


def test_options_need_a_field_of_choices() -> None:
    assert errors({"from": "teams"}, kind="string")[0][0] == "options"
    assert errors({"from": "teams"}, enum=["a"])[0][0] == "options"


def test_a_default_that_the_list_does_not_offer_is_found() -> None:
    found = errors({"from": "list", "list": "sizes"}, default="xl")
    assert found == [("options-list", "the default 'xl' is not a value of sizes")]
    assert errors({"from": "list", "list": "sizes"}, default="m") == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"rows": [{"value": 1}, {"value": 1.0}]}, "list-rows"),
        ({"rows": [{"value": 1, "label": "a"}, {"value": 2, "label": "a"}]}, "list-rows"),
        ({"rows": []}, "value-type"),
        ({"rows": [{"label": "a"}]}, "missing-key"),
        ({"fulfillment": {}}, "list-rows"),
    ],
)
def test_a_mistake_in_a_list_is_found(changes: Document, rule: str) -> None:
    found = errors({"from": "list", "list": "sizes"}, SIZES | changes)
    assert rule in [one for one, _ in found], found


def test_a_list_that_is_refused_is_not_missed_as_well() -> None:
    found = errors({"from": "list", "list": "sizes"}, SIZES | {"rows": []})
    assert "options-list" not in [one for one, _ in found]


@pytest.mark.parametrize("value", [[], {}, [[]], [{"value": []}], {"a": 1}, None])
def test_a_value_of_a_row_that_is_none_is_the_only_finding(value: Any) -> None:
    sizes = {**SIZES, "rows": [{"value": value}]}
    [(rule, message)] = errors({"from": "list", "list": "sizes"}, sizes)
    assert rule == "value-type"
    assert message.startswith("rows[0].value must be a text or a number or true or false")
