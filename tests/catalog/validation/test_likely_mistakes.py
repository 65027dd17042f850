"""The ten mistakes that people make most: each told by its line, in words, with what to write."""

from activities.registry import action_schemas
from catalog.validation import validate

DOCUMENT = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: database-postgresql-standard
  name: PostgreSQL Database
  description: A managed PostgreSQL instance with daily backups and monitoring.
  version: 1.2
  category: databases
  owner: {team: team-database}
presentation:
  form:
    groups:
      - id: basic
        name: Basic
        fields:
          - {id: instanceName, name: Name, type: string, required: true}
          - id: size
            name: Size
            type: integer
            default: 0
            validation: {min: 1}
          - id: stage
            name: Stage
            type: select
            enum: [test, production]
          - id: standby
            name: Standby
            type: boolean
            conditional: {dependsOn: stge, condition: equals, value: production}
fulfillment:
  strategy: {mode: automatic}
  manual:
    actions:
      - type: jira-ticket
        config:
          ticket:
            project: db-team
            summaryTemplate: "{{fields.instancName}} {{fields.standby}}"
            label: [database]
      - type: jira-tickets
        config: {}
      - type: jira-ticket
        config:
          ticket: {summaryTemplate: '{{"urgent" if fields.stage == "prod"}} {{fields.size}}'}
"""
TOLD = [
    (7, "version '1.2' is not a semantic version", "write three numbers, such as 1.2.0"),
    (20, "the default is invalid: Size must be at least 1", ""),
    (29, "there is no field 'stge'; did you mean 'stage'?", ""),
    (31, "the mode is automatic, but there are no automatic actions", "or write mode: manual"),
    (37, "'db-team' is not a JIRA project key", "capital letters and digits"),
    (38, "fields.instancName does not exist here", "did you mean fields.instanceName?"),
    (39, "unknown key 'label'; did you mean 'labels'?", "known here"),
    (40, "there is no action type 'jira-tickets'; did you mean 'jira-ticket'?", "known types"),
    (44, 'fields.stage is never "prod"', ""),
]


def told(text: str) -> list[tuple[int, str, str]]:
    file = "databases/database-postgresql-standard.yaml"
    found = validate(text, file=file, known_actions=action_schemas()).findings
    return [(one.line, one.message, one.hint) for one in found]


def test_nine_mistakes_in_one_file_are_told_at_once_each_by_its_line() -> None:
    found = told(DOCUMENT)

    assert [line for line, *_ in found] == [line for line, *_ in TOLD], found
    for (_, message, hint), (_, wanted, wanted_hint) in zip(found, TOLD, strict=True):
        assert wanted in message
        assert wanted_hint in hint


def test_a_tab_in_front_of_a_line_is_told_with_what_to_do() -> None:
    ((line, message, _),) = told(DOCUMENT.replace("  name: PostgreSQL", "\tname: PostgreSQL"))

    assert (line, message) == (5, "not YAML: indent with spaces, not with tabs")


def test_a_template_without_quotes_is_told_with_what_to_do() -> None:
    text = DOCUMENT.replace('"{{fields.instancName}} {{fields.standby}}"', "{{fields.size}}")

    ((line, message, _),) = told(text)

    assert line == 38
    assert "quote it" in message


def test_a_colon_in_a_value_is_told_with_what_to_do() -> None:
    ((line, message, _),) = told(DOCUMENT.replace("name: PostgreSQL", "name: SQL: PostgreSQL"))

    assert line == 5
    assert "quote a value that contains ': '" in message
