"""The examples of the rules, laid over good documents, for the page of rules and for tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from catalog.loading import load_document

_FILE = Path(__file__).parent / "rule_examples.yaml"
_FIELDS = """
- {id: name, name: Name, type: string, required: true}
- {id: size, name: Size, type: integer, default: 20}
- {id: stage, name: Stage, type: select, default: test, enum: [test, production]}
- {id: encrypted, name: Encrypted, type: boolean, default: false}
"""
_ITEM = """
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: database-postgresql-standard
  name: PostgreSQL
  description: A managed PostgreSQL instance with daily backups and monitoring.
  version: 1.2.0
  category: databases
  owner: {team: team-database}
presentation: {form: {groups: [{id: basic, name: Basic, fields: []}]}}
fulfillment:
  manual:
    actions:
      - {type: jira-ticket, config: {ticket: {summaryTemplate: "{{json fields}}"}}}
"""
_BUNDLE = """
schemaVersion: catalog/v1
kind: CatalogBundle
metadata:
  id: bundle-web-app
  name: Web application
  description: A database and what else a web application needs, in one request.
  version: 1.0.0
  category: bundles
  owner: {team: team-platform}
presentation:
  form:
    groups:
      - {id: app, name: App, fields: [{id: title, name: Title, type: string, required: true}]}
components:
  - {id: app, catalogItem: database-postgresql-standard, config: {name: "{{fields.title}}"}}
"""
_LIST = """
schemaVersion: catalog/v1
kind: CatalogList
metadata:
  id: flavors
  name: Flavors
  description: The flavors of databases that the platform team runs for everybody.
  version: 1.0.0
  category: lists
  owner: {team: team-platform}
rows:
  - {value: s, label: Small}
"""
_OLD = """
metadata: {id: database-postgresql-old}
lifecycle: {deprecation: {deprecated: true, replacement: database-postgresql-standard}}
"""


@dataclass(frozen=True, slots=True)
class RuleExample:
    """One rule's examples: what is shown, and how it becomes whole documents."""

    bad: str
    good: str
    before: str
    options: Mapping[str, Any]

    @property
    def owners(self) -> str:
        """The CODEOWNERS file beside the document, where one matters."""
        return str(self.options.get("owners", ""))

    @property
    def language(self) -> str:
        """What the shown text is: YAML, or the text of a template or of CODEOWNERS."""
        return "text" if {"ticket", "code-owners"} & self.options.keys() else "yaml"

    def files(self, fragment: str) -> dict[str, str]:
        """Return the files of a catalog that contain an example, the example's own first."""
        if "code-owners" in self.options:
            return {"CODEOWNERS": fragment}
        if "whole" in self.options:
            return {"databases/example.yaml": fragment}
        laid = self.document(fragment)
        name = str(self.options.get("file", _default_file_name(laid)))
        files = {name.format(id=laid["metadata"]["id"]): _to_yaml(laid)}
        if "further" in self.options or laid["kind"] == "CatalogBundle":
            for other in (_item(), _overlay(_item(), _read(_OLD)), _read(_LIST)):
                files.setdefault(_default_file_name(other), _to_yaml(other))
        return files

    def document(self, fragment: str) -> dict[str, Any]:
        """Lay an example over a good document."""
        base = _BASES.get(self.options.get("kind", ""), _item)()
        if "form" in self.options:
            return _overlay(base, _form(_FIELDS + f"- {fragment}"))
        if "actions" in self.options:
            return _overlay(base, {"fulfillment": {"manual": {"actions": _read(fragment)}}})
        if "ticket" in self.options:
            config = {"ticket": {"summaryTemplate": fragment}}
            action = {"type": "jira-ticket", "config": config}
            return _overlay(base, {"fulfillment": {"manual": {"actions": [action]}}})
        return _overlay(base, _read(fragment))


@cache
def examples() -> dict[str, RuleExample]:
    """Return the examples by the rule's id."""
    raw = load_document(_FILE.read_bytes(), file=_FILE.name).data
    return {
        rule: RuleExample(
            bad=str(parts["bad"]).strip(),
            good=str(parts["good"]).strip(),
            before=str(parts.get("before", "")).strip(),
            options=parts,
        )
        for rule, parts in raw.items()
    }


def _item() -> dict[str, Any]:
    return _overlay(_read(_ITEM), _form(_FIELDS))


_BASES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "CatalogBundle": lambda: _read(_BUNDLE),
    "CatalogList": lambda: _read(_LIST),
}


def _form(fields: str) -> dict[str, Any]:
    group = {"id": "basic", "name": "Basic", "fields": _read(fields)}
    return {"presentation": {"form": {"groups": [group]}}}


def _read(text: str) -> Any:
    # As the catalog reads it: `version: 1.10.0` and `yes` are texts there.
    return load_document("root:\n" + _indent(text), file="example").data["root"]


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip("\n").splitlines())


def _overlay(base: dict[str, Any], fragment: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _overlay_value(base.get(key), fragment[key]) if key in fragment else base[key]
        for key in {**base, **fragment}
    }


def _overlay_value(base: Any, fragment: Any) -> Any:
    both = isinstance(base, dict) and isinstance(fragment, dict)
    return _overlay(base, fragment) if both else fragment


def _default_file_name(document: dict[str, Any]) -> str:
    return f"{document['metadata']['category']}/{document['metadata']['id']}.yaml"


def _to_yaml(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
