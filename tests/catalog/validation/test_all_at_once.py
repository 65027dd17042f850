"""A wrong part hides nothing else of its document, and what only follows from it is not told."""

import pytest

from activities.registry import action_schemas
from catalog.validation import validate, validate_files
from tests.catalog.validation.test_document_rules import GOOD, findings

TYPE = ("            type: integer\n", "            type: int\n")


def told(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.rule) for one in findings(text)]


def with_changes(*changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_wrong_type_hides_neither_a_version_nor_a_template() -> None:
    text = with_changes(
        TYPE, ("version: 1.10.0", "version: one"), ("{{fields.instanceName}}", "{{fields.name}}")
    )

    rules = [rule for _, rule in told(text)]

    assert rules == ["version", "value-type", "template"]


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        (*TYPE, ["value-type"]),
        ("required: true", "required: yes", ["value-type"]),
        ("category: databases", "category: [databases]", ["value-type"]),
        ("schemaVersion: catalog/v1\n", "", ["schema-version"]),
        ("kind: CatalogItem", "kind: CatalogItme", ["kind"]),
        ("fulfillment:\n", "fulfilment:\n", ["unknown-key"]),
        ("  manual:\n", "  strategy: {mode: by hand}\n  manual:\n", ["value-type"]),
    ],
)
def test_of_one_mistake_only_itself_is_told_beside_another(
    old: str, new: str, rules: list[str]
) -> None:
    other = ("id: database-postgresql-standard", "id: database-postgresql-large")

    found = {rule for _, rule in told(with_changes((old, new), other))}

    assert found == {*rules, "file-name"}


@pytest.mark.parametrize("kind", ["Deployment", "[]", "{}", "7"])
def test_a_file_of_another_kind_is_told_to_be_one_and_nothing_more(kind: str) -> None:
    found = told(f"apiVersion: v1\nschemaVersion: catalog/v1\nkind: {kind}\nspec: {{}}\n")

    assert [rule for _, rule in found] == ["kind"]


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("required: true", "required: yes", "write true, without quotes"),
        ("min: 1", 'min: "1"', "write 1, without quotes"),
        ("default: 5", 'default: "5"', "write 5, without quotes"),
        ("            default: 5\n", "            label: Size\n", "write name"),
        ("{{fields.instanceName}}", "{{instanceName}}", "write fields.instanceName"),
        ("{{fields.instanceName}}", "{{.instanceName}}", "write fields.instanceName"),
        ("            default: 5\n", "            min: 1\n", "it belongs under validation"),
    ],
)
def test_a_finding_says_what_to_write_instead(old: str, new: str, hint: str) -> None:
    found = findings(with_changes((old, new)))

    assert [one.hint for one in found if one.severity == "error"] == [hint]


def test_a_color_that_is_a_comment_is_told_to_be_one() -> None:
    found = findings(with_changes(("  form:\n", "  display:\n    color: #336791\n  form:\n")))

    assert [(one.rule, one.line) for one in found] == [("display", 12)]
    assert "in quotes" in found[0].hint


def test_what_another_tool_calls_a_type_is_understood() -> None:
    (found,) = (one for one in findings(with_changes(TYPE)) if one.severity == "error")

    assert found.message.endswith("not 'int'; did you mean 'integer'?")


def test_who_names_a_refused_item_is_not_told_that_there_is_none() -> None:
    old = with_changes(("version: 1.10.0", "version: one"))
    new = with_changes(("id: database-postgresql-standard", "id: database-postgresql-large"))
    new += "lifecycle: {deprecation: {replacement: database-postgresql-standard}}\n"
    files = {"databases/a.yaml": old, "databases/b.yaml": new}

    found = validate_files(files, lambda file: files[file].encode(), action_schemas())

    assert [one.file for one in found if one.severity == "error"] == ["databases/a.yaml"]


STYLES = {
    "plain": "Database {{fields.sizee}}",
    "single": "'it''s {{fields.sizee}}'",
    "double": r'"a \t tab, \u0041 {{fields.sizee}}"',
    "literal": "|\n    one\n\n      {{fields.sizee}}",
    "folded": ">-\n    one\n    two\n\n    and {{fields.sizee}} here",
    "indented": "|2\n      {{fields.sizee}}",
    "lines": '"one\n    two \\\n    {{fields.sizee}}"',
    "anchored": "&a |\n    {{fields.sizee}}",
}


@pytest.mark.parametrize("style", STYLES)
def test_a_mistake_in_a_template_is_told_by_its_place_in_the_file(style: str) -> None:
    old = "Database {{fields.instanceName}} of {{fields.size}}"
    assert old in GOOD
    text = GOOD.replace(old, STYLES[style].replace("\n    ", "\n" + " " * 14), 1)

    (found,) = (one for one in findings(text) if one.rule == "template")

    assert text.split("\n")[found.line - 1][found.column - 1 :].startswith("{{fields.sizee}}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('a: "one\nb: "two"\n', "the text that starts in line 1 ends only here"),
        ("a:\n  one\n  two\n  b\n  # heading\n  three\n", "write | before it"),
        ("a:b\nc: d\n", "is a space missing after the colon in line 1?"),
        ("a:\u00a0b\nc: d\n", "line 1 contains a no-break space"),
        ('a: "\\d"\n', "use single quotes"),
    ],
)
def test_where_yaml_cannot_go_on_the_cause_above_is_told(text: str, told: str) -> None:
    (found,) = validate(text, file="a.yaml", known_actions=action_schemas()).findings

    assert told in found.message
