"""One bad file harms no other: not even when checking it ends by an error of PAO's own."""

import pytest

from activities.registry import load_all
from catalog.loading import DocumentError, load_document
from catalog.validation import ActionSchema, Finding, validate, validate_files

# A schema that cannot be resolved, as an action type of another package might have.
BROKEN = ActionSchema(config={"$ref": "#/$defs/absent"})
KNOWN = {
    "broken": BROKEN,
    "jira-ticket": ActionSchema(config=load_all()["jira-ticket"].config.model_json_schema()),
}
ITEM = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: tools-{name}
  name: Tool
  description: A tool that somebody needs for the work of every day.
  version: 1.0.0
  category: tools
  owner: {{team: team-tools, contact: tools@example.com}}
presentation:
  form:
    groups:
      - id: g
        name: G
        fields:
          - {{id: a, name: A, type: {type}}}
fulfillment:
  manual:
    actions:
      - id: one
        name: One
        type: {action}
        config: {{ticket: {{project: DB, summaryTemplate: "{{{{fields.a}}}}"}}}}
"""


def item(name: str, *, action: str = "jira-ticket", type_: str = "string") -> str:
    return ITEM.format(name=name, action=action, type=type_)


def found(files: dict[str, str]) -> dict[str, list[Finding]]:
    findings = validate_files(files, lambda file: files[file].encode(), KNOWN)
    return {name: [one for one in findings if one.file == name] for name in files}


def test_an_internal_error_is_a_finding_of_its_file_and_the_others_are_judged() -> None:
    told = found({"tools/tools-a.yaml": item("a", action="broken"), "tools/x.yaml": "kind: x"})

    [finding] = told["tools/tools-a.yaml"]
    assert finding.rule == "internal-error"
    assert "internal error in PAO" in finding.message
    assert told["tools/x.yaml"]


def test_the_log_says_where_an_internal_error_arose(caplog: pytest.LogCaptureFixture) -> None:
    found({"tools/tools-a.yaml": item("a", action="broken")})
    assert "tools/tools-a.yaml" in caplog.text
    assert "Traceback" in caplog.text


def test_a_schema_with_a_deeply_nested_pattern_is_judged() -> None:
    nested = "(" * 600 + "a" + ")" * 600
    kind = f'json, validation: {{schema: {{type: string, pattern: "{nested}"}}}}'

    told = found({"tools/tools-a.yaml": item("a", type_=kind)})

    assert "internal-error" not in {one.rule for one in told["tools/tools-a.yaml"]}


@pytest.mark.parametrize("number", ["0x" + "f" * 4000, "0o" + "7" * 4000, "7" * 4000])
def test_a_number_of_thousands_of_digits_is_refused_where_it_stands(number: str) -> None:
    text = item("a").replace("  category:", f"  limit: {number}\n  category:")
    with pytest.raises(DocumentError, match="digits; quote it"):
        load_document(text, file="x.yaml")


def test_a_file_that_is_no_yaml_is_a_finding() -> None:
    result = validate("a: [", file="x.yaml", known_actions=KNOWN)
    assert [one.rule for one in result.findings] == ["yaml"]
    assert result.item is None
