"""Runs the rules over one document. What is wrong with a document is decided by the rules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from catalog.loading import Document, DocumentError, json_path
from catalog.model import CatalogDocument
from catalog.validation.action_rules import configuration_errors
from catalog.validation.findings import Finding, Severity
from catalog.validation.rules import GIVES_NAMES, READS_NAMES, RULES
from catalog.validation.structure import STRUCTURE, Shape
from catalog.validation.subject import ActionSchema, Problem, Rule, Subject

YAML = "yaml"
# Nobody reads more of one rule at once, and each costs time.
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one document: all findings by place, and the item unless one is an error.

    ``item`` is a ``CatalogItem`` or a ``CatalogBundle``.
    ``definition`` is the document as plain data, with numbers as they are written where the schema
    says text (``version: 1.10``); it is what templates and later versions read.
    """

    item: CatalogDocument | None
    definition: dict[str, Any]
    findings: tuple[Finding, ...]


def judge(document: Document, known_actions: Mapping[str, ActionSchema]) -> Verdict:
    """Check a document with every rule and give all that was found, not the first only."""
    shape = Shape(document)
    _write_config_texts(shape, known_actions)
    findings = list(_located(document, "", Severity.ERROR, shape.problems))
    if shape.item is not None:
        subject = Subject(document, shape.item, known_actions)
        for rules in (_rules(subject, reading=False), _rules(subject, reading=True)):
            # Where names are wrong, everything that reads them would look wrong as well.
            if rules[0].id in READS_NAMES and _names_are_unsure(findings):
                break
            for rule in rules:
                problems = islice(rule.check(subject), MOST_PROBLEMS)
                findings += _located(document, rule.id, rule.severity, problems)
    findings.sort(key=lambda finding: (finding.line, finding.column))
    refused = any(finding.severity is Severity.ERROR for finding in findings)
    return Verdict(None if refused else shape.item, shape.data, tuple(findings))


def validate_document(
    document: Document, known_actions: Mapping[str, ActionSchema]
) -> list[Finding]:
    """Give everything that is found in a document, ordered by line and column."""
    return list(judge(document, known_actions).findings)


def _rules(subject: Subject, *, reading: bool) -> list[Rule]:
    return [
        rule
        for rule in RULES
        if subject.item.kind in rule.kinds and (rule.id in READS_NAMES) == reading
    ]


def _names_are_unsure(findings: list[Finding]) -> bool:
    return any(finding.rule in STRUCTURE | GIVES_NAMES for finding in findings)


def unreadable(error: DocumentError) -> Finding:
    """Give the finding of a file that could not be read as YAML at all."""
    return Finding(
        file=error.file,
        line=error.line,
        column=error.column,
        path="$",
        rule=YAML,
        severity=Severity.ERROR,
        message=error.message,
    )


def _write_config_texts(shape: Shape, known_actions: Mapping[str, ActionSchema]) -> None:
    """Put numbers back as they are written where an action's schema wants a text."""
    if shape.item is None:
        return
    subject = Subject(shape.document, shape.item, known_actions)
    paths = [
        (*path, "config", *error.absolute_path)
        for path, action in subject.actions()
        for error in configuration_errors(subject, action)
        if error.validator in {"type", "anyOf"} and _wants_text(error.schema)
    ]
    if shape.write_as_text(paths):
        shape.parse_again()


def _wants_text(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    kinds = schema.get("type", [])
    members = schema.get("anyOf", ())
    return "string" in ([kinds] if isinstance(kinds, str) else kinds) or any(
        _wants_text(member) for member in members
    )


def _located(
    document: Document, rule: str, severity: Severity, problems: Iterable[Problem]
) -> Iterator[Finding]:
    for problem in problems:
        find = document.key_position if problem.at_key else document.position
        where = find(problem.path)
        yield Finding(
            file=document.file,
            line=where.line,
            column=where.column,
            path=json_path(problem.path),
            rule=problem.rule or rule,
            severity=severity,
            message=problem.message,
            hint=problem.hint,
        )
