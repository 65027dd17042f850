"""Runs the rules over one document. What is wrong with a document is decided by the rules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

from catalog.loading import Document, DocumentError, Position, json_path
from catalog.model import CatalogDocument
from catalog.validation.error_recovery import RecoveredDocument
from catalog.validation.findings import Finding, Severity
from catalog.validation.rules import GIVES_NAMES, LOOKS_UP, READS_NAMES, RULES
from catalog.validation.structure import Shape
from catalog.validation.subject import ActionSchema, Problem, Rule, Subject

YAML = "yaml"
# Nobody reads more of one rule at once, and each costs time.
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """The outcome for one document: all findings by place, and the item unless one is an error.

    ``item`` is a ``CatalogItem`` or a ``CatalogBundle``.
    ``definition`` is the document as plain data, with numbers as they are written where the schema
    says text (``version: 1.10``); it is what templates and later versions read.
    """

    item: CatalogDocument | None
    definition: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def claimed_id(self) -> str | None:
        """The id that the document gives itself, refused or not."""
        metadata = self.definition.get("metadata")
        claimed = metadata.get("id") if isinstance(metadata, dict) else None
        return claimed if isinstance(claimed, str) else None


def judge(document: Document, known_actions: Mapping[str, ActionSchema]) -> ValidationResult:
    """Check a document with every rule and give all that was found, not the first only."""
    shape = Shape(document)
    subject = _subject(shape, known_actions)
    findings = list(_located(document, "", Severity.ERROR, shape.problems))
    if subject is not None:
        for reading in (False, True):
            # Where names are wrong, everything that reads them would look wrong as well.
            if reading and _names_are_unsure(findings, shape.recovered):
                break
            for rule in _rules(subject.item.kind, reading=reading):
                problems = islice(_news(rule, subject, shape.recovered), MOST_PROBLEMS)
                findings += _located(document, rule.id, rule.severity, problems)
    findings.sort(key=lambda finding: (finding.line, finding.column))
    refused = any(finding.severity is Severity.ERROR for finding in findings)
    return ValidationResult(None if refused else shape.item, shape.data, tuple(findings))


def validate_document(
    document: Document, known_actions: Mapping[str, ActionSchema]
) -> list[Finding]:
    """Give everything that is found in a document, ordered by line and column."""
    return list(judge(document, known_actions).findings)


@cache
def _rules(kind: str, *, reading: bool) -> tuple[Rule, ...]:
    return tuple(
        rule for rule in RULES if kind in rule.kinds and (rule.id in READS_NAMES) == reading
    )


def _names_are_unsure(findings: list[Finding], recovered: RecoveredDocument | None) -> bool:
    if recovered and not recovered.names_are_sure:
        return True
    return any(finding.rule in GIVES_NAMES for finding in findings)


def _news(rule: Rule, subject: Subject, recovered: RecoveredDocument | None) -> Iterator[Problem]:
    """Give what a rule finds, without what only follows from parts that were recovered."""
    if recovered is None:
        yield from rule.check(subject)
    elif recovered.names_are_sure or rule.id not in LOOKS_UP:
        for problem in rule.check(subject):
            if not recovered.follows(rule.id, problem.path):
                yield problem


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


def _subject(shape: Shape, known_actions: Mapping[str, ActionSchema]) -> Subject | None:
    """Give what rules look at, numbers as they are written where an action wants a text."""
    if shape.item is None:
        return None
    subject = Subject(shape.document, shape.item, known_actions)
    paths = [
        (*path, "config", *error.absolute_path)
        for path, action in subject.actions()
        for error in subject.configuration_errors(action)
        if error.validator in {"type", "anyOf"} and _wants_text(error.schema)
    ]
    if not shape.write_as_text(paths):
        return subject
    shape.parse_again()
    return Subject(shape.document, shape.item, known_actions) if shape.item else None


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
        where, message = _place(document, problem)
        yield Finding(
            file=document.file,
            line=where.line,
            column=where.column,
            path=json_path(problem.path),
            rule=problem.rule or rule,
            severity=severity,
            message=message,
            hint=problem.hint,
        )


def _place(document: Document, problem: Problem) -> tuple[Position, str]:
    """Give the place of a problem, inside of a text where the file shows it, and the message."""
    find = document.key_position if problem.at_key else document.position
    if problem.inside is None:
        return find(problem.path), problem.message
    exact = document.place_within(problem.path, problem.inside)
    if exact is not None:
        return exact, problem.message
    there = f"in line {problem.inside.line}, column {problem.inside.column} of the text"
    return find(problem.path), f"{problem.message}, {there}"
