"""The rules of validation: each mistake is told by line, in words, with all the others."""

from typing import Any

import pytest

from catalog.validation import ActionSchema, Finding, Severity, validate

TICKET: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ticket"],
    "properties": {
        "instance": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "ticket": {
            "type": "object",
            "additionalProperties": False,
            "required": ["summaryTemplate"],
            "properties": {
                "project": {"type": "string"},
                "summaryTemplate": {"type": "string"},
                "labels": {"type": "array", "items": {"type": "string"}},
                "points": {"type": "integer"},
            },
        },
    },
}
KNOWN = {"jira-ticket": ActionSchema(config=TICKET)}

GOOD = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: database-postgresql-standard
  name: PostgreSQL Database
  description: A managed PostgreSQL instance with daily backups and monitoring.
  version: 1.10.0
  category: databases
  owner: {team: team-database}
presentation:
  form:
    groups:
      - id: basic
        name: Basic
        fields:
          - id: instanceName
            name: Instance name
            type: string
            required: true
          - id: size
            name: Size
            type: integer
            default: 5
            validation: {min: 1, max: 9}
fulfillment:
  manual:
    actions:
      - type: jira-ticket
        config:
          ticket:
            project: DB
            summaryTemplate: Database {{fields.instanceName}} of {{fields.size}}
"""
FILE = "databases/database-postgresql-standard.yaml"


def findings(text: str) -> list[Finding]:
    return list(validate(text, file=FILE, known_actions=KNOWN).findings)


def changed(old: str, new: str) -> list[Finding]:
    assert old in GOOD
    return findings(GOOD.replace(old, new, 1))


def test_a_good_document_has_no_findings() -> None:
    assert findings(GOOD) == []


def test_a_finding_is_written_as_compilers_do() -> None:
    (finding,) = changed("version: 1.10.0", 'version: "1"')

    assert str(finding) == (
        f"{FILE}:7:12: error: version '1' is not a semantic version "
        "(write three numbers, such as 1.2.0) [version]"
    )
    assert finding.path == "$.metadata.version"


@pytest.mark.parametrize(
    ("old", "new", "line", "rule", "part"),
    [
        ("catalog/v1", "catalog/v2", 1, "schema-version", "'catalog/v2' is not known"),
        ("kind: CatalogItem\n", "", 1, "kind", "kind is missing"),
        ("CatalogItem", "CatalogBundle", 1, "missing-key", "components is missing"),
        ("  name: PostgreSQL Database\n", "", 3, "missing-key", "metadata.name is missing"),
        ("required: true", "requird: true", 19, "unknown-key", "did you mean 'required'"),
        ("required: true", "required: yes", 19, "value-type", "must be true or false"),
        ("type: string", "type: text", 18, "value-type", "not 'text'"),
        ("type: string", "type: [string]", 18, "value-type", "type must be"),
        ("{team: team-database}", "team-database", 9, "value-type", "must be a mapping"),
        ("min: 1", "min: true", 24, "value-type", "a number or a text"),
        ("presentation:", "presentaton:", 10, "unknown-key", "did you mean 'presentation'"),
        ("    groups:", "    group:", 12, "unknown-key", "did you mean 'groups'"),
        ("id: size", "id: instanceName", 20, "form-ids", "is used twice"),
        ("id: size", "id: a b", 20, "field-id", "cannot be used in templates"),
        ("min: 1", "min: one", 24, "constraint", "must be a number"),
        (
            "            required: true\n",
            "            validation: {minLength: 5, maxLength: 3}\n",
            19,
            "constraint-range",
            "above maxLength",
        ),
        ("min: 1", "minLength: 1", 24, "constraint-type", "no effect"),
        ("default: 5", "default: 50", 23, "default", "must be at most 9"),
        ("default: 5", "default: x", 23, "default", "whole number"),
        ("type: jira-ticket", "type: jira-tickets", 28, "action-type", "did you mean"),
        ("project: DB", "projekt: DB", 31, "action-config", "did you mean 'project'"),
        ("project: DB", "project: db", 31, "jira-project", "not a JIRA project key"),
        (
            "project: DB",
            "points: many",
            31,
            "action-config",
            "points must be a whole number, not 'many'",
        ),
        ("        config:\n", "        timeout: soon\n        config:\n", 29, "action-timeout", ""),
        (
            "        config:\n",
            "        dependsOn: [other]\n        config:\n",
            29,
            "action-order",
            "no action 'other'",
        ),
        (
            "            required: true\n",
            "            validation: {pattern: '(?=x)'}\n",
            19,
            "constraint",
            "RE2",
        ),
        (
            "            required: true\n",
            "            conditional: {dependsOn: sizes, condition: exists}\n",
            19,
            "condition-reference",
            "did you mean 'size'",
        ),
        (
            "            required: true\n",
            "            conditional: {dependsOn: instanceName, condition: exists}\n",
            16,
            "condition-cycle",
            "instanceName -> instanceName",
        ),
        (
            "            required: true\n",
            "            conditional: {dependsOn: size, condition: in, value: 3}\n",
            19,
            "condition-value",
            "needs a list",
        ),
        ("{{fields.instanceName}}", "{{fields.instanceNam}}", 32, "template", "instanceNam"),
        ("{{fields.instanceName}}", "{{fields.instanceName", 32, "template", "has no end"),
    ],
)
def test_a_mistake_is_told_by_line_and_in_words(
    old: str, new: str, line: int, rule: str, part: str
) -> None:
    errors = [f for f in changed(old, new) if f.severity is Severity.ERROR]

    assert [(finding.line, finding.rule) for finding in errors] == [(line, rule)]
    assert part in errors[0].message


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("  owner: {team: team-database}\n", "", "owner"),
        (" instance with daily backups and monitoring", "", "description"),
        ("            name: Size\n", "", "form-names"),
        ("id: instanceName", "id: instance_name", "field-case"),
        ("category: databases", "category: storage", "file-name"),
        ("        config:\n", "        retry: {times: 3}\n        config:\n", "action-retry"),
        ("  owner:", "  acess: {allowedTeams: []}\n  owner:", "metadata-key"),
        ("type: string", "type: multiselect", "multiselect-free"),
        (
            "type: integer\n            default: 5",
            "type: password\n            default: x",
            "default-secret",
        ),
    ],
)
def test_what_should_be_better_is_a_warning(old: str, new: str, rule: str) -> None:
    found = changed(old, new)

    (finding,) = [one for one in found if one.severity is Severity.WARNING and one.rule == rule]
    assert (finding.rule, finding.severity) == (rule, Severity.WARNING)


def test_an_id_off_the_convention_is_a_warning() -> None:
    rules = {f.rule: f.severity for f in changed("id: database-postgresql-standard", "id: pg")}

    assert rules == {"item-id": Severity.WARNING, "file-name": Severity.WARNING}


def test_an_item_without_manual_actions_is_refused() -> None:
    (finding,) = findings(GOOD[: GOOD.index("fulfillment:")])

    assert (finding.rule, finding.severity) == ("manual-actions", Severity.ERROR)


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    text = GOOD.replace("version: 1.10.0", "version: x").replace("default: 5", "default: 50")
    text = text.replace("required: true", "requird: true").replace("jira-ticket", "mail")

    found = [(f.line, f.rule) for f in findings(text)]

    assert found == [(7, "version"), (19, "unknown-key"), (23, "default"), (28, "action-type")]


def test_a_part_with_an_unknown_key_is_still_judged_as_a_whole() -> None:
    broken = "            conditional: {dependsOn: size, mood: exists}\n"

    told = sorted(f.message for f in changed("            required: true\n", broken))

    assert len(told) == 2
    assert "unknown key 'mood'" in told[1]
    assert "dependsOn and condition must be used together" in told[0]


def test_a_number_stays_as_written_where_the_schema_says_text() -> None:
    text = GOOD.replace("version: 1.10.0", "version: 1.10").replace("project: DB", "labels: [1.10]")

    result = validate(text, file=FILE, known_actions=KNOWN)

    action = result.definition["fulfillment"]["manual"]["actions"][0]
    assert result.definition["metadata"]["version"] == "1.10"
    assert action["config"]["ticket"]["labels"] == ["1.10"]
    assert [finding.rule for finding in result.findings] == ["version"]


def test_a_template_in_the_configuration_is_judged_when_it_has_become_a_value() -> None:
    assert changed("project: DB", 'points: "{{fields.size}}"') == []
