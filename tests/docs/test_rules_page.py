"""docs/rules.md: each rule's bad example breaks that rule alone, the good one breaks none."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.registry import action_schemas
from catalog.document_kinds import parse_definition
from catalog.history import FileChange, breaking_findings
from catalog.loading import load_document
from catalog.ownership import CodeOwnersCheck, CodeOwnersDialect, OwnershipMode
from catalog.validation import Finding, validate_files
from catalog.validation.examples import RuleExample, examples
from catalog.validation.rules_page import all_rules, rules_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
OWNERS = CodeOwnersCheck(OwnershipMode.REPORT, CodeOwnersDialect.GITHUB)
# It shows a defect of PAO: no document has it.
WITHOUT_EXAMPLE = {"internal-error"}
KNOWN = action_schemas()
RULE_IDS = [identifier for identifier, *_ in all_rules()]


def findings(example: RuleExample, fragment: str) -> list[Finding]:
    files = example.files(fragment)
    if "code-owners" in example.options:
        return list(OWNERS.own_findings({file: text.encode() for file, text in files.items()}))
    found = validate_files(files, lambda file: files[file].encode(), KNOWN)
    if example.before:
        ((file, before),) = example.files(example.before).items()
        change = FileChange(file, before.encode(), files[file].encode())
        found += breaking_findings([change], ids=["database-postgresql-standard"])
    if example.owners:
        ((file, text),) = files.items()
        document = parse_definition(load_document(text.encode(), file=file).data)
        found += OWNERS.findings(file, document, {"CODEOWNERS": example.owners.encode()})
    return found


def written_codes() -> Iterator[str]:
    """Yield the codes that findings are given in the source, by name or as they are."""
    for file in (*ROOT.glob("catalog/**/*.py"), *ROOT.glob("pao/app/**/*.py")):
        calls = (
            node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
        )
        for value in (one.value for call in calls for one in call.keywords if one.arg == "rule"):
            if isinstance(value, ast.Constant):
                yield str(value.value)
            elif isinstance(value, ast.Name) and value.id.isupper():
                module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                yield str(getattr(importlib.import_module(module), value.id))


def test_every_rule_has_a_section_and_an_example() -> None:
    assert sorted({*examples(), *WITHOUT_EXAMPLE}) == sorted(RULE_IDS)
    assert len(set(RULE_IDS)) == len(RULE_IDS)


def test_every_code_of_a_finding_can_be_explained() -> None:
    found = set(written_codes())
    assert {"owner-not-code-owner", "code-owners-line", "internal-error", "yaml"} <= found
    assert found <= set(RULE_IDS)


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == rules_page(), "run: make generate"


@pytest.mark.parametrize("rule", sorted(examples()))
def test_a_bad_example_breaks_its_rule_alone(rule: str) -> None:
    example = examples()[rule]

    found = findings(example, example.bad)

    rules = {one.rule for one in found} - set(example.options.get("also", ()))
    assert rules == {rule}, [str(one) for one in found]


@pytest.mark.parametrize("rule", sorted({*examples()} - {"yaml"}))
def test_a_good_example_breaks_no_rule(rule: str) -> None:
    example = examples()[rule]

    found = [
        one
        for one in findings(example, example.good)
        if one.rule not in example.options.get("also", ())
    ]

    assert [str(one) for one in found] == []
