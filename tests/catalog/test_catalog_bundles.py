"""Bundles: what their documents say, in which order components come, what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from catalog.bundle import CatalogBundle
from catalog.document_kinds import parse_definition
from catalog.model import CatalogItem
from catalog.validation import ActionSchema, Finding, validate

FILE = "bundles/bundle-webapp-standard.yaml"
KNOWN = {"jira-ticket": ActionSchema(config={"type": "object"})}
GOOD = """\
schemaVersion: catalog/v1
kind: CatalogBundle
metadata:
  id: bundle-webapp-standard
  name: Web application
  description: A database, a bucket and a host name for one web application.
  version: 1.0.0
  category: bundles
  owner: {team: team-platform}
presentation:
  form:
    groups:
      - id: app
        name: Application
        fields:
          - {id: appName, name: Name, type: string, required: true}
components:
  - id: dns
    catalogItem: network-dns-record
    dependsOn: [app-db]
    config:
      hostName: "{{fields.appName}}"
      target: "{{output/app-db/host}}"
  - id: app-db
    name: Database
    catalogItem: database-postgresql-standard
    config: {instanceName: "{{fields.appName}}-db", storageSize: 20}
  - id: files
    catalogItem: storage-s3-bucket
fulfillment:
  orchestration:
    mode: parallel
    jiraLinking: {linkType: blocks, parentTicket: true}
  manual:
    actions:
      - type: jira-ticket
        config: {text: "{{components.files.outputs.url}} {{components.dns.status}}"}
"""


def findings(text: str) -> list[Finding]:
    return list(validate(text, file=FILE, known_actions=KNOWN).findings)


def bundle(components: list[dict[str, Any]], mode: str = "sequential") -> CatalogBundle:
    definition = {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogBundle",
        "metadata": {"id": "b", "name": "B", "version": "1.0.0", "category": "bundles"},
        "components": components,
        "fulfillment": {"orchestration": {"mode": mode}},
    }
    parsed = parse_definition(definition)
    assert isinstance(parsed, CatalogBundle)
    return parsed


def component(identifier: str, *depends_on: str) -> dict[str, Any]:
    return {"id": identifier, "catalogItem": "x", "dependsOn": list(depends_on)}


def test_a_good_bundle_has_no_findings_and_says_all_that_it_says() -> None:
    result = validate(GOOD, file=FILE, known_actions=KNOWN)

    assert [str(finding) for finding in result.findings] == []
    item = result.item
    assert isinstance(item, CatalogBundle)
    assert [part.id for part in item.ordered_components] == ["app-db", "dns", "files"]
    assert item.components[1].label == "Database"
    assert item.orchestration.jira_linking.parent_ticket
    assert [action.id for action in item.manual_actions] == ["jira-ticket-1"]


def test_the_kind_decides_what_a_definition_becomes() -> None:
    item = {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {"id": "a", "name": "A", "version": "1.0.0", "category": "x"},
    }

    assert isinstance(parse_definition(item), CatalogItem)
    with pytest.raises(ValidationError):
        parse_definition(item | {"kind": "Other"})


def test_one_after_another_every_earlier_component_is_ready() -> None:
    parsed = bundle([component("c", "a"), component("a"), component("b")])

    assert parsed.ready_before == {"a": (), "c": ("a",), "b": ("a", "c")}


def test_in_parallel_only_what_a_component_depends_on_is_ready() -> None:
    chain = [component("c", "b"), component("a"), component("b", "a"), component("d")]

    assert bundle(chain, "parallel").ready_before == {
        "a": (),
        "b": ("a",),
        "c": ("a", "b"),
        "d": (),
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "rule", "part"),
    [
        ("components:", "component:", 17, "unknown-key", "did you mean 'components'"),
        ("catalogItem: storage", "item: storage", 29, "unknown-key", "unknown key 'item'"),
        ("id: files", "id: dns", 28, "component-ids", "is used twice"),
        ("id: files", "id: 'my files'", 28, "component-ids", "cannot be used in templates"),
        ("[app-db]", "[app_db]", 20, "component-order", "did you mean 'app-db'"),
        ("[app-db]", "[app-db, dns]", 17, "component-order", "dns -> dns"),
        ("fields.appName}}-db", "fields.appNam}}-db", 27, "component-template", "appNam"),
        ("output/app-db", "output/files", 23, "component-template", "does not exist here"),
        ("components.dns", "components.dsn", 37, "template", "components.dsn"),
        ("mode: parallel", "mode: paralel", 32, "value-type", "not 'paralel'"),
        ("parentTicket: true", "parentTicket: yes", 33, "value-type", "true or false"),
        ("version: 1.0.0", "version: 1", 7, "version", "not a semantic version"),
    ],
)
def test_a_mistake_in_a_bundle_is_told_by_line(
    old: str, new: str, line: int, rule: str, part: str
) -> None:
    assert old in GOOD
    found = findings(GOOD.replace(old, new, 1))

    assert (line, rule) in [(finding.line, finding.rule) for finding in found]
    assert part in " ".join(str(finding) for finding in found)


def test_components_in_a_circle_are_named_in_their_order() -> None:
    text = GOOD.replace("    name: Database\n", "    dependsOn: [dns]\n")

    (finding,) = [one for one in findings(text) if one.rule == "component-order"]

    assert "dns -> app-db -> dns" in finding.message or "app-db -> dns -> app-db" in finding.message


def test_a_bundle_needs_no_manual_actions_but_a_component() -> None:
    head = GOOD[: GOOD.index("components:")]

    rules = [finding.rule for finding in findings(head + "components: []\n")]

    assert rules == ["value-type"]
