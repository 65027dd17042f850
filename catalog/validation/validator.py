"""Validates one document: content in, result out. What is wrong with it is decided by the rules."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice

from catalog.loading import DocumentError, Position, YamlDocument, json_path, load_document
from catalog.validation.error_recovery import RecoveredDocument
from catalog.validation.findings import Finding, Severity
from catalog.validation.result import ValidationResult
from catalog.validation.rules import LOOKUP_RULES, NAME_READING_RULES, NAMING_RULES, RULES
from catalog.validation.structure import Structure, read_structure
from catalog.validation.subject import ActionSchema, Problem, Rule, Subject
from catalog.validation.unquoted_numbers import restore_configurations

YAML, INTERNAL_ERROR = "yaml", "internal-error"
INTERNAL_RULE = (
    INTERNAL_ERROR,
    "PAO can check the file",
    Severity.ERROR,
    (
        "PAO has failed to check the file because of an internal error, which its log has. The "
        "file is refused and its last good version stays in service; all other files are served."
    ),
)
# More of one rule is not helpful at once, and each costs time.
MOST_PROBLEMS = 100

_log = logging.getLogger(__name__)


def validate(
    content: bytes | str, *, file: str, known_actions: Mapping[str, ActionSchema]
) -> ValidationResult:
    """Check a document with every rule for one document; returns all that was found.

    Raises nothing that a document can cause: an error of our own stays in this file as a finding.
    """
    try:
        document = load_document(content, file=file)
        structure = read_structure(document, known_actions)
        findings = _findings_at(document, "", Severity.ERROR, structure.problems)
        return ValidationResult(
            file,
            _by_place([*findings, *_rule_findings(document, structure, known_actions)]),
            structure.definition,
            None if structure.has_made_up_parts else structure.item,
            structure.item if structure.has_reliable_form else None,
        )
    except DocumentError as error:
        return unreadable(error)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must stay in this file
        _log.exception("checking the catalog file %s failed with an internal error", file)
        return ValidationResult(file, (_internal_error(file, error),))


def unreadable(error: DocumentError) -> ValidationResult:
    """Return the result of a file that could not be read as YAML at all."""
    finding = Finding(
        file=error.file,
        line=error.line,
        column=error.column,
        path="$",
        rule=YAML,
        severity=Severity.ERROR,
        message=error.message,
    )
    return ValidationResult(error.file, (finding,))


def _internal_error(file: str, error: Exception) -> Finding:
    return Finding(
        file=file,
        line=1,
        column=1,
        path="$",
        rule=INTERNAL_ERROR,
        severity=Severity.ERROR,
        message=f"this file could not be checked because of an internal error in PAO"
        f" ({type(error).__name__}); all other files are served",
        hint="report the file to the maintainers of PAO; undoing the last change may help",
    )


def _rule_findings(
    document: YamlDocument, structure: Structure, known_actions: Mapping[str, ActionSchema]
) -> list[Finding]:
    if structure.item is None:
        return []
    subject = Subject(document, structure.item, known_actions)
    restore_configurations(subject, structure.definition)
    findings: list[Finding] = []
    for reading in (False, True):
        # Where names are wrong, everything that reads them would look wrong as well.
        if reading and _names_are_unreliable(findings, structure.recovered):
            break
        for rule in _rules(subject.item.kind, reading=reading):
            problems = [*islice(_problems_of(rule, subject, structure.recovered), MOST_PROBLEMS)]
            if problems:
                findings += _findings_at(document, rule.id, rule.severity, problems)
    return findings


def _by_place(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column)))


@cache
def _rules(kind: str, *, reading: bool) -> tuple[Rule, ...]:
    return tuple(
        rule for rule in RULES if kind in rule.kinds and (rule.id in NAME_READING_RULES) == reading
    )


def _names_are_unreliable(findings: list[Finding], recovered: RecoveredDocument | None) -> bool:
    if recovered and not recovered.names_are_reliable:
        return True
    return any(finding.rule in NAMING_RULES for finding in findings)


def _problems_of(
    rule: Rule, subject: Subject, recovered: RecoveredDocument | None
) -> Iterator[Problem]:
    """Return what a rule finds, without what only follows from parts that were recovered."""
    found = rule.check(subject)
    if recovered is None:
        return found
    if not recovered.names_are_reliable and rule.id in LOOKUP_RULES:
        return iter(())
    return (problem for problem in found if not recovered.follows(rule.id, problem.path))


def _findings_at(
    document: YamlDocument, rule: str, severity: Severity, problems: Iterable[Problem]
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


def _place(document: YamlDocument, problem: Problem) -> tuple[Position, str]:
    """Return the place of a problem, inside of a text where the file shows it, and the message."""
    find = document.key_position if problem.at_key else document.position
    if problem.inside is None:
        return find(problem.path), problem.message
    exact = document.place_within(problem.path, problem.inside)
    if exact is not None:
        return exact, problem.message
    there = f"in line {problem.inside.line}, column {problem.inside.column} of the text"
    return find(problem.path), f"{problem.message}, {there}"
