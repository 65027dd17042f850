"""Findings for people and machines: each format says everything and nothing breaks out of it."""

import json

from catalog.validation import Finding, Severity
from catalog.validation.formats import as_github, as_json, as_sarif, as_text, summary

ERROR = Finding("a/b.yaml", 3, 7, "$.x", "version", Severity.ERROR, "bad, really: 100%", "write\n1")
WARNING = Finding("a,b:c.yaml", 1, 1, "$", "owner", Severity.WARNING, "no owner")
SUGGESTION = Finding("a.yaml", 2, 1, "$", "field-unused", Severity.SUGGESTION, "unused")
ALL = [ERROR, WARNING, SUGGESTION]


def test_text_has_a_line_per_finding_and_a_count() -> None:
    lines = as_text([WARNING, SUGGESTION]).splitlines()

    assert lines == [
        "a,b:c.yaml:1:1: warning: no owner [owner]",
        "a.yaml:2:1: suggestion: unused [field-unused]",
        "1 warning, 1 suggestion",
    ]
    assert summary([ERROR, ERROR]) == "2 errors"
    assert summary([]) == "no findings"


def test_json_says_whether_it_is_valid_and_everything_else() -> None:
    document = json.loads(as_json(ALL))

    assert document["valid"] is False
    assert document["counts"] == {"error": 1, "warning": 1, "suggestion": 1}
    assert document["findings"][0] == {
        "file": "a/b.yaml",
        "line": 3,
        "column": 7,
        "path": "$.x",
        "rule": "version",
        "severity": "error",
        "message": "bad, really: 100%",
        "hint": "write\n1",
    }
    assert json.loads(as_json([WARNING]))["valid"] is True


def test_github_annotations_escape_what_would_end_them() -> None:
    assert as_github(ALL).splitlines() == [
        "::error file=a/b.yaml,line=3,col=7,title=version::bad, really: 100%25 (write%0A1)",
        "::warning file=a%2Cb%3Ac.yaml,line=1,col=1,title=owner::no owner",
        "::notice file=a.yaml,line=2,col=1,title=field-unused::unused",
    ]


def test_sarif_points_to_rule_and_region() -> None:
    log = json.loads(as_sarif(ALL, version="1.2.3"))

    (run,) = log["runs"]
    assert (log["version"], run["tool"]["driver"]["version"]) == ("2.1.0", "1.2.3")
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    first = run["results"][0]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == "version"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a/b.yaml"},
        "region": {"startLine": 3, "startColumn": 7},
    }
