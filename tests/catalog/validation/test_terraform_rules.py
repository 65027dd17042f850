"""Which module runs where is the author's word; what is applied after an approval is that plan."""

import pytest

from activities.registry import action_schemas
from catalog.validation import validate

DOCUMENT = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: database-postgresql-standard
  name: PostgreSQL Database
  description: A managed PostgreSQL instance with daily backups and monitoring.
  version: 1.2.0
  category: databases
  branch: main
  owner: {team: team-database, contact: db@example.com}
presentation:
  form:
    groups:
      - id: basic
        name: Basic
        fields:
          - {id: name, name: Name, type: string, required: true}
          - {id: tags, name: Tags, type: multiselect, enum: [a, b]}
fulfillment:
  manual:
    actions:
      - id: before
        type: jira-ticket
        config: {ticket: {project: DB, summaryTemplate: "{{json fields}}"}}
      - id: infra
        type: terraform
        config: CONFIG
"""
MODULE = "https://git.example.com/platform/modules"


def told(config: str) -> list[str]:
    text = DOCUMENT.replace("CONFIG", config)
    file = "databases/database-postgresql-standard.yaml"
    found = validate(text, file=file, known_actions=action_schemas()).findings
    return [one.message for one in found if one.rule == "terraform-place"]


@pytest.mark.parametrize(
    "config",
    [
        "{source: {git: 'https://git.example.com/{{fields.name}}'}}",
        "{source: {git: MODULE, ref: '{{fields.name}}'}}",
        "{source: {git: MODULE, ref: 'v{{request.data.name | lower}}'}}",
        "{source: {git: MODULE, directory: '{{fields.name}}'}}",
        "{source: {git: MODULE, ref: '{{request.user.id}}'}}",
        "{source: {git: MODULE, ref: '{% for tag in fields.tags %}{{tag}}{% endfor %}'}}",
        "{source: {git: MODULE, ref: '{% if fields.name %}main{% endif %}'}}",
        "{source: {path: '{{fields.name}}'}}",
        "{source: {path: '{{outputs.before.ticketKey}}'}}",
        "{source: {registry: acme/vpc/aws, version: '{{fields.name}}'}}",
        "{source: {path: net}, workspace: '{{fields.name}}'}",
        "{source: {path: net}, workspace: 'x-{{concat(\"a\", fields.name)}}'}",
        "{source: {path: net}, workspace: pao-0123456789ab}",
    ],
)
def test_a_module_or_workspace_that_is_made_of_what_is_entered_is_an_error(config: str) -> None:
    [message] = told(config.replace("MODULE", f"'{MODULE}'"))
    assert "is made from" in message or "belongs to a single request" in message


@pytest.mark.parametrize("read", ["fields.name", "request.id"])
def test_a_shared_state_that_differs_between_requests_is_an_error(read: str) -> None:
    backend = f"{{type: http, config: {{address: 'https://s/{{{{{read}}}}}'}}}}"
    [message] = told(f"{{source: {{path: net}}, shared: true, backend: {backend}}}")
    assert f"backend.config.address is made from {read}, but requests share" in message


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("http", "address: '{{fields.name}}'"),
        ("s3", "endpoints: {s3: '{{ request.data.name | lower }}'}"),
        ("pg", "conn_str: '{{fields.name}}'"),
        ("remote", "hostname: '{{fields.name}}'"),
        ("cos", "domain: '{{fields.name}}'"),
    ],
)
def test_a_field_that_is_the_whole_address_of_a_backend_is_an_error(
    kind: str, setting: str
) -> None:
    [message] = told(f"{{source: {{path: net}}, backend: {{type: {kind}, config: {{{setting}}}}}}}")
    assert "the requester decides where the operator's credentials go" in message


@pytest.mark.parametrize(
    "config",
    [
        "{source: {path: net}, backend: {type: pg, config: {conn_str: '{{outputs.before.url}}'}}}",
        "{source: {path: net}, backend: {type: s3, config: {key: '{{fields.name}}'}}}",
        "{source: {path: net}, backend: {type: s3, config: {region: '{{fields.name}}'}}}",
        "{source: {path: net}, variables: {hostname: '{{fields.name}}'}}",
        "{source: {path: net}, backend: {type: http, config: {address: 'https://s/{{fields.name}}'}}}",
        "{source: {path: net}, workspace: one, shared: true}",
        "{source: {git: MODULE, ref: '{{metadata.branch}}'}, variables: {n: '{{fields.name}}'}}",
        "{source: {path: net}, workspace: 'shared-{{system.region}}'}",
        "{source: {path: net}, backend: {type: http, config: {address: 'https://s/{{request.id}}'}}}",
    ],
)
def test_what_the_author_or_the_operator_says_may_be_a_template(config: str) -> None:
    assert told(config.replace("MODULE", f"'{MODULE}'")) == []
