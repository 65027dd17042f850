"""A list has no members by name: what reads one is told how rows are read."""

import pytest
import yaml

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
        ("{{#each fields.rows.prefix}}x{{/each}}", EACH),
        ("{{#if fields.rows.prefix}}x{{/if}}", EACH),
        ("{{fields.rows.prefix | default('x')}}", EACH),
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
