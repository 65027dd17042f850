"""A list has no members by name: what reads one is told how rows are read."""

import pytest
import yaml

from catalog.templating import render
from tests.catalog.validation.example_items import findings, form, item, told

FIELDS = form(
    "{id: name, name: Name, type: string, required: true}",
    "{id: tags, name: Tags, type: multiselect, enum: [a, b]}",
    "{id: rows, name: Rows, type: list, fields: ["
    "{id: prefix, name: Prefix, type: string, required: true}, "
    "{id: days, name: Days, type: integer, default: 30}]}",
)
EACH = "write {{#each fields.rows}}{{this.prefix}}{{/each}} for each row"


def document(summary: str, **step: str) -> str:
    config = {"ticket": {"project": "DB", "summaryTemplate": summary}}
    steps = [{"type": "jira-ticket", "config": config, **step}]
    actions = yaml.safe_dump({"fulfillment": {"manual": {"actions": steps}}})
    return item(f"{FIELDS}\n{actions}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{fields.rows.prefix}}", f"{EACH}, or fields.rows.0.prefix for the first"),
        ("For {{ fields.rows.prefix }}", EACH),
        ("{{fields.rows.prefx}}", EACH),
        ("{{fields.rows['prefix']}}", EACH),
        ("{{request.data.rows.prefix}}", "{{#each request.data.rows}}{{this.prefix}}{{/each}}"),
        ("{{.User.a_rows.prefix}}", "{{#each .User.a_rows}}{{this.prefix}}{{/each}}"),
        ("{{input/a/rows/prefix}}", "or input/a/rows/0/prefix for the first"),
        ("{{upper(fields.rows.prefix)}}", EACH),
        ("{{fields.rows.prefix | required}}", EACH),
        ("{{ 'x' if fields.rows.prefix is string else 'y' }}", EACH),
        ("{{fields.rows.prefix == 'a'}}", EACH),
        ("{{fields.rows.color}}", "neither do its rows, which have: prefix, days"),
        ("{{fields.rows.length}}", "(did you mean len(fields.rows)?)"),
        ("{{fields.rows.first}}", "(did you mean first(fields.rows)?)"),
        ("{{lookup fields.rows 'prefix'}}", "write lookup(fields.rows, 0, ...)"),
        ("{{index(fields.rows, 'prefix')}}", "in which index finds numbers"),
        ("{{fields.tags.name}}", "write {{#each fields.tags}}{{this}}{{/each}} for each row"),
        ("{{request.user.teams.name}}", "request.user.teams is a list, which has no name"),
        ("{{fields.rows.0.prefx}}", "did you mean fields.rows.0.prefix?"),
        ("{{#each fields.rows}}{{this.prefx}}{{/each}}", "did you mean this.prefix?"),
    ],
)
def test_a_member_of_a_list_is_told_with_what_to_write(text: str, said: str) -> None:
    [(rule, message)] = told(document(text))

    assert rule == "template-missing"
    assert said in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{#each fields.rows.prefix}}x{{else}}none{{/each}}", EACH),
        ("{{#if fields.rows.prefix}}x{{/if}}", EACH),
        ("{{#if fields.tags.length}}x{{/if}}", "(did you mean len(fields.tags)?)"),
        ("{{#with fields.rows.prefix}}{{this}}{{/with}}", EACH),
        ("{{fields.rows.prefix | default('x')}}", EACH),
        ("{{coalesce(fields.rows.prefix, 'x')}}", EACH),
        ("{{ fields.rows.prefix or 'x' }}", EACH),
        ("{{ 'x' if fields.rows.prefix is defined else 'y' }}", EACH),
        ("{{ fields.rows | index('prefix') | default('x') }}", "in which index finds numbers"),
    ],
)
def test_where_a_missing_value_renders_it_is_a_warning(text: str, said: str) -> None:
    [found] = [one for one in findings(document(text)) if one.severity != "suggestion"]

    assert (found.rule, str(found.severity)) == ("list-member", "warning")
    assert said in str(found)
    render(text, {"fields": {"rows": [{"prefix": "a", "days": 1}], "tags": ["a"]}})


@pytest.mark.parametrize(
    "text",
    [
        "{{#each fields.rows}}{{this.prefix}}: {{days}}{{/each}}",
        "{{fields.rows.0.prefix}} {{fields.rows[-1].days}} {{input/a/rows/0/prefix}}",
        "{{first(fields.rows).prefix}} {{index(fields.rows, 0, 'prefix')}} {{len(fields.rows)}}",
        "{% for row in fields.rows %}{{ row.prefix }}{% endfor %}",
        "{{range .User.a_rows}}{{.prefix}}{{end}} {{json fields.rows}}",
    ],
)
def test_the_forms_that_read_rows_have_no_finding(text: str) -> None:
    assert told(document(text)) == []


def test_it_is_told_in_conditions_and_rules_too() -> None:
    text = document("x", when="fields.rows.days > 3").replace(
        "    groups:",
        "    rules: [{id: few, message: Fewer., check: '{{fields.rows.days < 9}}'}]\n    groups:",
    )

    where = [one.path for one in findings(text) if one.rule == "template-missing"]
    assert where == ["$.presentation.form.rules[0].check", "$.fulfillment.manual.actions[0].when"]
