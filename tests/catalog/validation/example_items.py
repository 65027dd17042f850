"""Items for tests of rules: a complete good one, with parts laid over it."""

import json
from textwrap import dedent

import yaml

from activities.registry import action_schemas
from catalog.loading import load_document
from catalog.validation import Finding, validate
from catalog.validation.examples import RuleExample

ADDRESS = {"url": "https://x.example.com", "method": "POST"}
FILE = "databases/database-postgresql-standard.yaml"


def item(fragment: str) -> str:
    """Return a good item with a fragment of YAML laid over it."""
    laid = RuleExample("", "", "", {}).document(dedent(fragment))
    return yaml.safe_dump(laid, sort_keys=False)


def action(kind: str, config: str) -> str:
    """Return a good item with one manual action of this type; its configuration is flow YAML."""
    read = load_document(f"config: {config}\n", file="config").data
    steps = [{"id": "step", "type": kind, **read}]
    return item(yaml.safe_dump({"fulfillment": {"manual": {"actions": steps}}}))


def findings(text: str, *, file: str = FILE) -> list[Finding]:
    """Return what is found in a document, without what is only a suggestion."""
    found = validate(text, file=file, known_actions=action_schemas()).findings
    return [one for one in found if one.severity != "suggestion"]


def told(text: str) -> list[tuple[str, str]]:
    """Return rule and message of what is found, with the hint in brackets."""
    return [
        (one.rule, f"{one.message} ({one.hint})" if one.hint else one.message)
        for one in findings(text)
    ]


def rules(text: str) -> list[str]:
    """Return the rules that find something in a document."""
    return [one.rule for one in findings(text)]


def form(*fields: str) -> str:
    """Return a form of these fields, in flow YAML."""
    return (
        f"presentation: {{form: {{groups: [{{id: a, name: A, fields: [{', '.join(fields)}]}}]}}}}"
    )


def ticket(text: str) -> str:
    """Return an item whose ticket has this summary."""
    return action("jira-ticket", json.dumps({"ticket": {"summaryTemplate": text}}))


def call(**config: object) -> str:
    """Return an item that makes a call with this configuration."""
    return action("rest-api", json.dumps({"endpoint": ADDRESS, **config}))
