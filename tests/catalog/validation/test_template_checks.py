"""What templates can never do is told before anything runs, with the place and what was meant."""

from typing import Any

import pytest

from catalog.validation import ActionSchema, Finding, validate

TICKET = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "points": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "labels": {"type": "array", "items": {"type": "string"}},
        "extra": {"type": "object", "additionalProperties": True},
        "link": {"$ref": "#/$defs/Link"},
    },
    "$defs": {"Link": {"type": "object", "properties": {"key": {"type": "string"}}}},
}
OUTPUTS = {"type": "object", "properties": {"key": {"type": "string"}, "id": {"type": "string"}}}
OPEN = {"type": "object", "properties": {"status": {"type": "integer"}}}
KNOWN = {
    "jira-ticket": ActionSchema(config=TICKET, outputs=OUTPUTS),
    "rest-api": ActionSchema(config=TICKET, outputs=OPEN | {"additionalProperties": True}),
}
FORM = """\
      - id: all
        name: All
        fields:
          - {id: name, name: Name, type: string, required: true}
          - {id: size, name: Size, type: integer, default: 5}
          - {id: fast, name: Fast, type: boolean, default: false}
          - {id: place, name: Place, type: select, enum: [north, south]}
          - {id: ports, name: Ports, type: multiselect, enum: [80, 443]}
          - {id: secret, name: Secret, type: password, validation: {minLength: 12}}
"""
HEAD = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: database-postgresql-standard
  name: PostgreSQL
  version: 1.0.0
  category: databases
  runbook: https://docs.example.com
presentation:
  form:
    groups:
"""


def document(config: str, *, mode: str = "", extra: str = "") -> str:
    return f"""{HEAD}{FORM}fulfillment:
  strategy: {{mode: automatic}}
  manual:
    actions:
      - {{type: jira-ticket}}
  automatic:
    {mode or "parallel: false"}
    actions:
      - {{id: first, type: jira-ticket}}
      - {{id: other, type: rest-api, outputs: [token]}}
      - id: last
        type: jira-ticket
        {extra or "name: Last"}
        config:
          {config}
"""


def judged(text: str) -> list[Finding]:
    found = validate(text, file="databases/database-postgresql-standard.yaml", known_actions=KNOWN)
    quiet = {"field-unused", "owner", "description"}
    return [finding for finding in found.findings if finding.rule not in quiet]


@pytest.mark.parametrize(
    "config",
    [
        "text: '{{fields.name}} {{fields.size}} {{metadata.runbook}} {{metadata.id}}'",
        "points: '{{fields.size}}'",
        "points: '{{fields.name}}'",  # Texts of digits are turned into numbers.
        "labels: ['{{fields.place}}', '{{fields.name}}']",
        "labels: '{{fields.ports}}'",
        "text: '{{outputs.first.key}} {{output/first/id}} {{outputs.other.anything}}'",
        "text: '{{outputs.other.token}} {{fulfillment.token}} {{.Fulfillment.token}}'",
        "text: '{{#each fields.ports}}{{this}} {{/each}}'",
        "text: '{% for p in fields.ports if p > 100 %}{{p}}{% endfor %}'",
        "text: '{{metadata.nothing | default(\"x\")}}'",
        "text: '{{#if metadata.nothing}}x{{/if}}'",
        "text: '{{#if fields.place == \"north\"}}x{{/if}}'",
        "text: '{{#if fields.place == null}}x{{/if}}'",
        "text: '{{#if fields.size > 3 and fields.fast}}x{{/if}}'",
        "text: '{{fields.size | string}}'",
        "text: '{{printf \"%d of %s\" fields.size fields.name}}'",
        "text: '{{upper(fields.size)}}'",
        "extra: {deep: {size: '{{fields.size}}', list: ['{{fields.ports}}']}}",
        "text: '{{env.STAGE}} {{secrets.token | default(\"\")}}x'",
        "link: {key: '{{request.user.email}}'}",
        "text: '{{system.timestamp + 5}}x'",
        "text: '{{first(fields.ports) | default(1) + 1}}x'",
    ],
)
def test_what_can_work_has_no_finding(config: str) -> None:
    found = [one for one in judged(document(config)) if one.rule != "secret-in-sight"]

    assert [str(finding) for finding in found] == []


@pytest.mark.parametrize(
    ("config", "rule", "parts"),
    [
        ("text: '{{fields.sizee}}'", "template", ("did you mean fields.size?",)),
        ("text: '{{field.name}}'", "template", ("did you mean fields.name?",)),
        ("text: '{{outputs.last.key}}'", "template", ("outputs.last",)),
        ("text: '{{outputs.frist.key}}'", "template", ("did you mean outputs.first.key?",)),
        ("text: '{{uper(fields.name)}}'", "template", ("did you mean upper?",)),
        ("text: '{{outputs.first.kye}}'", "template-missing", ("did you mean outputs.first.key?",)),
        ("text: '{{outputs.first.ticket}}'", "template-missing", ("known here: key, id",)),
        ("text: '{{fulfillment.tokn}}'", "template-missing", ("did you mean fulfillment.token?",)),
        ("text: '{{.Fulfillment.other}}'", "template-missing", ("known here: token",)),
        ("text: '{{metadata.runbok}}'", "template-missing", ("did you mean metadata.runbook?",)),
        ("text: 'a {{fields.name.first}}'", "template-missing", ("fields.name.first is missing",)),
        ("text: '{{upper(fields.ports)}}'", "template-type", ("upper needs", "is a list")),
        ("text: '{{fields.name + 1}}'", "template-type", ("+ works on numbers", "fields.name")),
        ("text: '{{#each fields.name}}x{{/each}}'", "template-type", ("a loop needs",)),
        ("text: '{{#if fields.size > \"5\"}}x{{/if}}'", "template-type", ("> compares",)),
        ("text: '{{#if 5 in fields.size}}x{{/if}}'", "template-type", ("in needs",)),
        ("text: '{{join(fields.name)}}'", "template-type", ("join needs a list",)),
        ("text: '{{fields.size}}'", "template-type", ("gives a number", "text needs a text")),
        ("labels: ['{{fields.ports}}']", "template-type", ("gives a list",)),
        ("points: '{{fields.ports}}'", "template-type", ("gives a list", "a number")),
        ("link: {key: '{{fields.fast}}'}", "template-type", ("gives a boolean",)),
        ("text: '{{#if fields.size == \"5\"}}x{{/if}}'", "comparison", ("always false",)),
        (
            "text: '{{#if fields.place == \"nroth\"}}x{{/if}}'",
            "comparison",
            ('did you mean "north"?', 'one of "north", "south"'),
        ),
        ("text: '{{#if fields.fast != \"yes\"}}x{{/if}}'", "comparison", ("always true",)),
        ("text: 'key {{fields.secret}}'", "secret-in-sight", ("fields.secret is a secret",)),
        ("text: 'key {{secrets.token}}'", "secret-in-sight", ("secrets.token",)),
    ],
)
def test_what_can_never_work_is_told(config: str, rule: str, parts: tuple[str, ...]) -> None:
    (finding,) = judged(document(config))

    assert (finding.rule, finding.line) == (rule, 35)
    assert all(part in str(finding) for part in parts), str(finding)


@pytest.mark.parametrize(
    ("when", "rule"),
    [
        ("fields.sizee > 3", "when"),
        ("'{{fields.size}} > 3'", "when"),
        ("outputs.last.key", "when"),
        ('fields.size > "3"', "template-type"),
        ("fields.place == 'west'", "comparison"),
    ],
)
def test_conditions_of_actions_are_checked_too(when: str, rule: str) -> None:
    found = judged(document("text: x", extra=f"when: {when}"))

    assert [(finding.rule, finding.path) for finding in found] == [
        (rule, "$.fulfillment.automatic.actions[2].when")
    ]


@pytest.mark.parametrize(
    ("mode", "extra", "rules"),
    [
        ("parallel: false", "", []),
        ("parallel: true", "", ["template"]),
        ("parallel: true", "dependsOn: [other]", ["template"]),
        ("parallel: true", "dependsOn: [first]", []),
    ],
)
def test_in_parallel_only_outputs_that_are_waited_for_exist(
    mode: str, extra: str, rules: list[str]
) -> None:
    found = judged(document("text: '{{outputs.first.key}}'", mode=mode, extra=extra))

    assert [finding.rule for finding in found] == rules


def test_outputs_further_up_a_chain_of_dependencies_exist() -> None:
    text = document(
        "text: '{{outputs.first.key}}'", mode="parallel: true", extra="dependsOn: [other]"
    )

    chained = text.replace("type: rest-api,", "type: rest-api, dependsOn: [first],")

    assert judged(chained) == []


def test_an_action_that_depends_on_a_later_one_runs_after_it_and_sees_it() -> None:
    text = document("text: x").replace(
        "{id: first, type: jira-ticket}",
        "{id: first, type: jira-ticket, dependsOn: [other], config: {text: '{{outputs.other.a}}'}}",
    )

    assert judged(text) == []


def test_what_is_to_be_undone_may_name_what_the_action_made() -> None:
    assert judged(document("text: x", extra="cleanup: 'Close {{outputs.last.key}}'")) == []


def test_a_field_that_nobody_reads_is_a_suggestion() -> None:
    def unused(config: str) -> list[Any]:
        result = validate(document(config), file="x.yaml", known_actions=KNOWN)
        return [one.message.split("'")[1] for one in result.findings if one.rule == "field-unused"]

    assert unused("text: '{{fields.name}} {{.User.all_size}} {{input/all/fast}}'") == [
        "place",
        "ports",
    ]
    assert unused("text: '{{json fields}}'") == []
    assert unused("text: '{{#each fields}}{{this}}{{/each}}'") == []
    assert unused("text: '{{request.data.place}}{{request.data.ports}}'") == [
        "name",
        "size",
        "fast",
    ]


def with_json(text: str) -> str:
    last = "          - {id: secret, name: Secret, type: password, validation: {minLength: 12}}\n"
    held = "          - {id: held, name: Held, type: json, validation: {schema: {type: object}}}\n"
    return text.replace(last, f"{last}          - {{id: free, name: Free, type: json}}\n{held}")


@pytest.mark.parametrize("name", ["free", "held"])
def test_a_json_field_is_no_text(name: str) -> None:
    [finding] = judged(with_json(document(f'text: "{{{{fields.{name}}}}}"')))
    assert finding.rule == "template-type"


@pytest.mark.parametrize(
    "config",
    [
        'text: "{{json(fields.free)}}"',
        'text: "it is {{fields.free}}"',
        'labels: "{{fields.free}}"',
        'extra: "{{fields.free}}"',
    ],
)
def test_a_json_field_may_stand_where_its_json_is_meant(config: str) -> None:
    assert judged(with_json(document(config))) == []


NOTICE = {"type": "object", "properties": {"url": {"type": "string"}}}
APPROVAL = {"type": "object", "properties": {"message": {"type": "string"}}}


def rules_of(action: str) -> list[tuple[str, str]]:
    known = KNOWN | {
        "notification": ActionSchema(config=NOTICE),
        "approval": ActionSchema(config=APPROVAL),
        "git-commit": ActionSchema(config={"type": "object"}),
    }
    text = document("text: x").replace("      - id: last\n", f"{action}\n      - id: last\n")
    found = validate(text, file="databases/database-postgresql-standard.yaml", known_actions=known)
    return [(one.rule, str(one.severity)) for one in found.findings if "secret" in one.rule]


@pytest.mark.parametrize(
    "config",
    [
        "message: 'May {{secrets.token}}?'",
        "message: 'May {{upper(fields.secret)}}?'",
        "message: '{{json fields}}'",
        "message: '{{request.data.secret}}'",
        "approvers: {teams: ['{{secrets.team}}']}",
        "approvers: {users: ['ann', '{{fields.secret}}']}",
    ],
)
def test_a_secret_in_an_approval_is_an_error(config: str) -> None:
    action = f"      - {{id: may, type: approval, config: {{{config}}}}}"
    assert rules_of(action) == [("secret-in-approval", "error")]


@pytest.mark.parametrize("config", ["message: 'May {{fields.name}}?'", "message: hello"])
def test_an_approval_without_a_secret_has_no_finding(config: str) -> None:
    assert rules_of(f"      - {{id: may, type: approval, config: {{{config}}}}}") == []


@pytest.mark.parametrize(
    ("type_", "config", "rules"),
    [
        ("notification", "url: '{{secrets.hook}}'", []),
        ("notification", "url: '{{fields.secret}}', text: '{{fields.name}}'", []),
        ("notification", "text: '{{secrets.hook}}'", [("secret-in-sight", "warning")]),
        ("notification", "blocks: [{t: '{{secrets.x}}'}]", [("secret-in-sight", "warning")]),
        ("git-commit", "body: '{{fields.secret}}'", [("secret-in-sight", "warning")]),
        ("git-commit", "files: [{contentTemplate: '{{secrets.x}}'}]", []),
    ],
)
def test_the_address_of_a_notification_is_where_a_secret_belongs(
    type_: str, config: str, rules: list[tuple[str, str]]
) -> None:
    assert rules_of(f"      - {{id: tell, type: {type_}, config: {{{config}}}}}") == rules


@pytest.mark.parametrize(
    ("constraints", "warned"),
    [
        ("", True),
        ("validation: {minLength: 4}", True),
        ("validation: {pattern: '^[0-9]{4}$'}", True),
        ("validation: {strength: weak}", True),
        ("validation: {minLength: 8}", False),
        ("validation: {strength: medium}", False),
    ],
)
def test_a_password_without_a_minimum_length_is_a_warning(
    constraints: str, *, warned: bool
) -> None:
    own = f"{{id: pin, name: Pin, type: password, {constraints}}}"
    text = document("text: x").replace(
        "          - {id: secret", f"          - {own}\n          - {{id: secret"
    )
    found = [one for one in judged(text) if one.rule == "password-length"]
    assert [str(one.severity) for one in found] == (["warning"] if warned else [])
