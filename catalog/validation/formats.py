"""How findings are written for people and machines: text, JSON, GitHub, SARIF. Pure functions."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from catalog.validation.findings import Finding, Severity

_LEAST_ROOM = 20
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_COMMANDS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.SUGGESTION: "notice",
}
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.SUGGESTION: "note"}


def as_text(findings: Sequence[Finding]) -> str:
    """Write one finding a line, as compilers do, and a line that counts them."""
    return "\n".join([*(str(finding) for finding in findings), summary(findings)])


def excerpt(line: str, number: int, column: int, *, width: int = 80) -> list[str]:
    """Return a line of a file with its number, and a caret below the place; long lines are cut."""
    margin = f"{number:>5} | "
    room = max(width - len(margin), _LEAST_ROOM)
    at = min(max(column - 1, 0), len(line))
    start = max(0, at - room // 2) if len(line) > room else 0
    shown = line[start : start + room].replace("\t", " ")
    return [(margin + shown).rstrip(), f"{'':>5} | {'':>{at - start}}^"]


def summary(findings: Sequence[Finding]) -> str:
    """Count findings in words: ``2 errors, 1 warning``."""
    counts = Counter(finding.severity for finding in findings)
    parts = [
        f"{counts[one]} {one}{'' if counts[one] == 1 else 's'}" for one in Severity if counts[one]
    ]
    return ", ".join(parts) or "no findings"


def as_json(findings: Sequence[Finding]) -> str:
    """Write all findings as one JSON document with stable keys."""
    counts = Counter(finding.severity for finding in findings)
    document = {
        "valid": not counts[Severity.ERROR],
        "counts": {str(severity): counts[severity] for severity in Severity},
        "findings": [as_mapping(finding) for finding in findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_mapping(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain data, keys as in the API."""
    return {
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "path": finding.path,
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "hint": finding.hint,
    }


def as_github(findings: Sequence[Finding]) -> str:
    """Write commands that GitHub Actions shows as annotations beside the lines."""
    return "\n".join(_annotation(finding) for finding in findings)


def as_sarif(findings: Sequence[Finding], *, version: str = "0") -> str:
    """Write a SARIF 2.1.0 log, which code scanning services read."""
    rules = sorted({finding.rule for finding in findings})
    driver = {
        "name": "pao",
        "version": version,
        "rules": [{"id": rule} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule)) for finding in findings],
    }
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def _annotation(finding: Finding) -> str:
    place = {
        "file": finding.file,
        "line": str(finding.line),
        "col": str(finding.column),
        "title": finding.rule,
    }
    message = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    properties = ",".join(f"{key}={_escape(value, ':,')}" for key, value in place.items())
    return f"::{_COMMANDS[finding.severity]} {properties}::{_escape(message)}"


def _escape(text: str, further: str = "") -> str:
    """Escape as the runner's own toolkit does, so that no text ends the command."""
    for sign in "%\r\n" + further:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _result(finding: Finding, index: int) -> dict[str, Any]:
    message = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    region = {"startLine": finding.line, "startColumn": finding.column}
    place = {"artifactLocation": {"uri": finding.file}, "region": region}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": message},
        "locations": [
            {"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": finding.path}]}
        ],
    }
