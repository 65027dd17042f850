"""What the rules find in forms with templates, rules over fields, and lists."""

import pytest

from catalog.validation import ActionSchema, Finding, validate
from tests.catalog.validation.example_items import form, item, told

ITEM = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: storage-s3-bucket
  name: Bucket
  description: A bucket for the files of an application, with rules for their lifetime.
  version: 1.0.0
  category: storage
  owner: {{team: team-storage}}
presentation:
  form:
    groups:
      - id: basic
        name: Basic
        fields:
          - {{id: app, name: App, type: string, required: true}}
          - {{id: secret, name: Secret, type: password, validation: {{minLength: 8}}}}
          - {{id: rules, name: Rules, type: list, fields: [
              {{id: prefix, name: Prefix, type: string, required: true}},
              {{id: days, name: Days, type: integer}}]}}
          - {field}
    rules: [{rule}]
fulfillment:
  manual:
    actions:
      - type: jira-ticket
        config:
          ticket:
            summaryTemplate: "{ticket}{{{{fields.app}}}}{{{{fields.FIELD}}}}"
            description: "{{{{json fields.rules}}}}"
"""
ANY = {"jira-ticket": ActionSchema(config={"type": "object"})}
PLAIN = "{id: bucket, name: Bucket, type: string}"


def findings(field: str = PLAIN, rule: str = "", ticket: str = "") -> list[Finding]:
    text = ITEM.format(field=field, rule=rule, ticket=ticket)
    text = text.replace("FIELD", field[5:].partition(",")[0])
    found = validate(text, file="storage/storage-s3-bucket.yaml", known_actions=ANY).findings
    return list(found)


def test_a_form_with_rules_and_rows_has_no_findings() -> None:
    rule = "{id: few, check: 'len(fields.rules) < 9', message: Too many rules., fields: [rules]}"
    computed = '{id: bucket, name: Bucket, type: string, default: {template: "{{fields.app}}-x"}}'
    rows = "{{#each fields.rules}}{{this.prefix}} {{this.days}}{{/each}}"
    assert findings(computed, rule, rows) == []


@pytest.mark.parametrize(
    ("field", "rule", "path", "message"),
    [
        (
            '{id: b, name: B, type: string, default: {template: "{{fields.ap}}"}}',
            "template",
            "$.presentation.form.groups[0].fields[3].default.template",
            "fields.ap does not exist here (template-name)",
        ),
        (
            "{id: b, name: B, type: string, required: {when: fields.app ==}}",
            "when",
            "$.presentation.form.groups[0].fields[3].required.when",
            "",
        ),
        (
            '{id: b, name: B, type: string, default: {template: "{{fields.b}}"}}',
            "condition-cycle",
            "$.presentation.form.groups[0].fields[3]",
            "the fields depend on each other in a cycle: b -> b",
        ),
        (
            '{id: b, name: B, type: string, default: {template: "{{fields.secret}}"}}',
            "form-template",
            "$.presentation.form.groups[0].fields[3].default.template",
            "secret is a password, and this is shown or sent without being asked for",
        ),
        (
            '{id: b, name: B, type: string, default: {template: "{{secrets.token}}"}}',
            "form-template",
            "$.presentation.form.groups[0].fields[3].default.template",
            "a form is shown to everybody, so it cannot read secrets",
        ),
        (
            "{id: b, name: B, type: string, required: {when: fields.app > 5}}",
            "template-type",
            "$.presentation.form.groups[0].fields[3].required.when",
            "",
        ),
        (
            "{id: b, name: B, type: string, default: {template: x, value: y}}",
            "default",
            "$.presentation.form.groups[0].fields[3].default",
            "a computed default is a mapping with one text: template",
        ),
        (
            "{id: b, name: B, type: string, mustBe: true}",
            "form-fixed",
            "$.presentation.form.groups[0].fields[3].mustBe",
            "mustBe has no effect on a field of type string",
        ),
        (
            "{id: b, name: B, type: list, fields: [{id: app, name: App, type: string}]}",
            "form-ids",
            "$.presentation.form.groups[0].fields[3].fields[0].id",
            "the field id 'app' is used twice",
        ),
        (
            "{id: b, name: B, type: list, fields: [{id: c, name: C, type: list}]}",
            "form-list",
            "$.presentation.form.groups[0].fields[3].fields[0].type",
            "a row cannot have a field of type list",
        ),
        (
            (
                "{id: b, name: B, type: list, uniqueBy: [c], fields: [{id: c, name: C, "
                "type: password, validation: {minLength: 8}}]}"
            ),
            "form-list",
            "$.presentation.form.groups[0].fields[3].uniqueBy[0]",
            "c is a password, and this would reveal which are equal",
        ),
        (
            (
                "{id: b, name: B, type: list, default: [{c: x}], fields: [{id: c, name: C, "
                "type: password, validation: {minLength: 8}}]}"
            ),
            "form-list",
            "$.presentation.form.groups[0].fields[3].default",
            "everybody can read the passwords in this default",
        ),
        (
            (
                "{id: b, name: B, type: list, fields: [{id: c, name: C, type: string, "
                'default: {template: "{{fields.secret}}"}}]}'
            ),
            "form-template",
            "$.presentation.form.groups[0].fields[3].fields[0].default.template",
            "secret is a password, and this is shown or sent without being asked for",
        ),
        (
            (
                "{id: b, name: B, type: list, fields: [{id: c, name: C, type: string, "
                "conditional: {dependsOn: d, condition: exists}}]}"
            ),
            "condition-reference",
            "$.presentation.form.groups[0].fields[3].fields[0].conditional.dependsOn",
            "there is no field 'd'",
        ),
        (
            "{id: b, name: B, type: url, validation: {hosts: ['https://x']}}",
            "constraint",
            "$.presentation.form.groups[0].fields[3].validation.hosts",
            "hosts is not a host: write wiki.example.com or *.example.com",
        ),
        (
            "{id: b, name: B, type: time, validation: {min: '8 am'}}",
            "constraint",
            "$.presentation.form.groups[0].fields[3].validation.min",
            "min must be written like 08:30",
        ),
        (
            "{id: b, name: B, type: multiselect, items: {pattern: '('}}",
            "constraint",
            "$.presentation.form.groups[0].fields[3].items",
            "",
        ),
        (
            "{id: b, name: B, type: string, description: 'see [x](javascript:y)'}",
            "markdown",
            "$.presentation.form.groups[0].fields[3].description",
            "only links to http:// or https:// are followed, not 'javascript:y'",
        ),
    ],
)
def test_a_mistake_in_a_field_is_found_at_its_place(
    field: str, rule: str, path: str, message: str
) -> None:
    found = {one.rule: one for one in findings(field)}
    assert rule in found, found
    assert found[rule].path == path
    assert message in found[rule].message


def test_a_template_that_reads_what_no_row_has_is_found() -> None:
    found = findings(ticket="{{#each fields.rules}}{{this.nothing}}{{/each}}")
    assert [(one.rule, "this.nothing" in one.message) for one in found] == [
        ("template-missing", True)
    ]


def test_two_rules_with_one_id_are_found() -> None:
    rule = "{id: same, check: 'true', message: Text., fields: [app]}"
    assert [one.rule for one in findings(rule=f"{rule}, {rule}")] == ["form-ids"]


def test_a_field_that_only_a_rule_reads_is_used() -> None:
    rule = "{id: r, check: 'fields.app != fields.bucket', message: Text.}"
    text = ITEM.format(field=PLAIN, rule=rule, ticket="").partition("            summary")[0]
    text += "            summaryTemplate: Bucket"
    found = validate(text, file="storage/storage-s3-bucket.yaml", known_actions=ANY).findings
    unused = [one.message for one in found if one.rule == "field-unused"]
    assert unused == ["the field 'rules' is never used"]


def test_terms_that_must_be_accepted_need_not_be_read() -> None:
    terms = "{id: terms, name: Terms, type: boolean, mustBe: true}"
    text = ITEM.format(field=terms, rule="", ticket="").partition("            summary")[0]
    text += "            summaryTemplate: Bucket"
    found = validate(text, file="storage/storage-s3-bucket.yaml", known_actions=ANY).findings
    unused = [one.message for one in found if one.rule == "field-unused"]
    assert not [told for told in unused if "terms" in told]
    assert "the field 'rules' is never used" in unused


ROWS_WITH_PASSWORDS = (
    "{id: b, name: B, type: list, fields: [{id: c, name: C, type: string}, "
    "{id: d, name: D, type: password, validation: {minLength: 8}}]}"
)


@pytest.mark.parametrize(
    ("ticket", "shown"),
    [
        ("{{#each fields.b}}{{this.c}}{{/each}} {{len(fields.b)}}", False),
        ("{{#each fields.b}}{{this.d}}{{/each}}", True),
        ("{{#each fields.b}}{{#if this.d}}{{this.c}} has one{{/if}}{{/each}}", False),
        ("{{fields.b.0.d}}", True),
        ("{{fields.b.0.c}}", False),
        ("{{base64(json(fields.b))}}", True),
        ("{{json fields}}", True),
    ],
)
def test_a_ticket_that_shows_a_password_of_a_row_is_a_warning(ticket: str, *, shown: bool) -> None:
    text = ITEM.replace("{{{{fields.FIELD}}}}", "")
    text = text.format(field=ROWS_WITH_PASSWORDS, rule="", ticket=ticket)
    found = validate(text, file="storage/storage-s3-bucket.yaml", known_actions=ANY).findings
    assert [one.rule for one in found] == (["secret-in-sight"] if shown else [])


@pytest.mark.parametrize(
    ("kind", "template", "said"),
    [
        ("string", "{{fields.size}}", "this gives a number, but x needs a text"),
        ("string", "{{ matches(fields.name, 'a') }}", "this gives a boolean, but x needs a text"),
        ("integer", "{{fields.name}}-1", "this gives a text, but x needs a number"),
        ("boolean", "{{fields.size > 3}}", ""),
        ("integer", "{{fields.size * 2}}", ""),
        ("string", "{{fields.size | string}}", ""),
        ("number", "{{ fields.size if fields.name else null }}", ""),
        ("json", "{{fields.name}}", ""),
    ],
)
def test_a_computed_default_has_the_type_of_its_field(kind: str, template: str, said: str) -> None:
    fields = form(
        "{id: name, name: Name, type: string}",
        "{id: size, name: Size, type: integer, default: 1}",
        f'{{id: x, name: X, type: {kind}, default: {{template: "{template}"}}}}',
    )

    found = [message for rule, message in told(item(fields)) if rule == "template-type"]
    assert len(found) == bool(said)
    assert all(said in message for message in found)


@pytest.mark.parametrize(
    ("schema", "lost"),
    [
        ("{$ref: '#/$defs/absent'}", "#/$defs/absent"),
        ("{properties: {a: {$ref: '#/$defs/a~1b'}}, $defs: {a/b: {type: string}}}", ""),
        ("{items: {$ref: '#'}}", ""),
        ("{$id: 'urn:x', $ref: '#/$defs/absent'}", ""),
        ("{properties: {spec: {default: {$ref: '#/components/schemas/A'}}}}", ""),
        ("{examples: [{$ref: '#/a'}]}", ""),
        ("{const: {$ref: '#/a'}}", ""),
        ("{enum: [{$ref: '#/a'}]}", ""),
        ("{$defs: {old: {$ref: '#/$defs/gone'}}, type: object}", ""),
        ("{properties: {default: {$ref: '#/a'}}}", "#/a"),
        ("{$defs: {old: {$ref: '#/$defs/gone'}}, items: {$ref: '#/$defs/old'}}", "#/$defs/gone"),
        ("{anyOf: [{type: string}, {dependentSchemas: {a: {$ref: '#/b'}}}]}", "#/b"),
    ],
)
def test_a_reference_of_a_schema_leads_somewhere(schema: str, lost: str) -> None:
    field = f"{{id: x, name: X, type: json, validation: {{schema: {schema}}}}}"

    found = [message for rule, message in told(item(form(field))) if rule == "constraint"]
    assert found == ([f"schema refers to '{lost}', which is not in it"] if lost else [])


ROWS = """{{id: rows, name: Rows, type: list, default: [{row}], fields: [
              {{id: kind, name: Kind, type: string, required: true}},
              {{id: size, name: Size, type: string,
                conditional: {{dependsOn: {other}, condition: equals, value: b}}}}]}}"""
HIDDEN = "the default is invalid: Size does not apply with these values; leave it out"


@pytest.mark.parametrize(
    ("row", "other", "said"),
    [
        ("{kind: a, size: '5'}", "kind", [HIDDEN]),
        ("{kind: b, size: '5'}", "kind", []),
        ("{kind: a}", "kind", []),
        # What the rest of the form will hold is known to nobody.
        ("{kind: a, size: '5'}", "app", []),
    ],
)
def test_a_default_row_has_no_column_that_its_own_row_hides(
    row: str, other: str, said: list[str]
) -> None:
    found = findings(ROWS.format(row=row, other=other), ticket="{{json fields.rows}}")
    assert [one.message for one in found if one.rule == "default"] == said


SIZE = "{id: size, name: Size, type: integer, default: 0, validation: {min: 1}}"
TOO_SMALL = "the default is invalid: Size must be at least 1"


@pytest.mark.parametrize(
    "other",
    [
        "{id: fine, name: Fine, type: string, default: a}",
        # No form can be made of these together with the first, or of the pattern at all.
        "{id: odd, name: Odd, type: string, default: a, validation: {pattern: '['}}",
        "{id: size, name: Size again, type: string, default: a}",
        "{id: x, name: X, type: list, fields: [{id: size, name: Y, type: string, default: a}]}",
    ],
)
def test_an_invalid_default_is_told_whatever_the_other_fields_are(other: str) -> None:
    found = findings(f"{SIZE}\n          - {other}")
    assert [one.message for one in found if one.rule == "default"] == [TOO_SMALL]
