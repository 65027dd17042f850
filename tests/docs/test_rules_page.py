"""docs/rules.md: each rule's bad example breaks that rule alone, the good one breaks none."""

from pathlib import Path

import pytest

from activities.registry import action_schemas
from catalog.history import Change, breaking_findings
from catalog.validation import Finding, validate_files
from catalog.validation.examples import RuleExample, examples
from catalog.validation.rules_page import all_rules, rules_page

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
KNOWN = action_schemas()
RULE_IDS = [identifier for identifier, *_ in all_rules()]


def findings(example: RuleExample, fragment: str) -> list[Finding]:
    files = example.files(fragment)
    found = validate_files(files, lambda file: files[file].encode(), KNOWN)
    if example.before:
        ((file, before),) = example.files(example.before).items()
        change = Change(file, before.encode(), files[file].encode())
        found += breaking_findings([change], ids=["database-postgresql-standard"])
    return found


def test_every_rule_has_a_section_and_an_example() -> None:
    assert sorted(examples()) == sorted(RULE_IDS)
    assert len(set(RULE_IDS)) == len(RULE_IDS)


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == rules_page(), "run: make generate"


@pytest.mark.parametrize("rule", RULE_IDS)
def test_a_bad_example_breaks_its_rule_alone(rule: str) -> None:
    example = examples()[rule]

    found = findings(example, example.bad)

    rules = {one.rule for one in found} - set(example.options.get("also", ()))
    assert rules == {rule}, [str(one) for one in found]


@pytest.mark.parametrize("rule", [rule for rule in RULE_IDS if rule != "yaml"])
def test_a_good_example_breaks_no_rule(rule: str) -> None:
    example = examples()[rule]

    found = [
        one
        for one in findings(example, example.good)
        if one.rule not in example.options.get("also", ())
    ]

    assert [str(one) for one in found] == []
