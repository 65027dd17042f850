"""What each operator of a condition becomes in the form's JSON Schema, written out."""

from typing import Any

import pytest
import re2

from catalog.forms import Form

NUMBER, TEXT = {"type": "integer"}, {"type": "string"}
Schema = dict[str, Any] | bool


def shown(about: dict[str, Any], condition: dict[str, Any]) -> Any:
    """Return when a field is shown whose condition is about another one."""
    form = {
        "groups": [
            {
                "id": "g",
                "fields": [
                    {"id": "a", **about},
                    {"id": "b", "type": "string", "conditional": condition},
                ],
            }
        ]
    }
    return Form.from_mapping(form).json_schema().get("$defs", {}).get("shown.b")


def about_a(operator: str, value: Any) -> dict[str, Any]:
    return {"dependsOn": "a", "condition": operator, "value": value}


def sent(schema: Schema) -> dict[str, Any]:
    return {"required": ["a"], "properties": {"a": schema}}


ABSENT = {"not": {"required": ["a"]}}
ANY, NEVER = True, False


@pytest.mark.parametrize(
    ("about", "operator", "value", "expected"),
    [
        (TEXT, "equals", "x", sent({"const": "x"})),
        (TEXT, "notEquals", "x", {"anyOf": [sent({"not": {"const": "x"}}), ABSENT]}),
        (TEXT, "in", ["x", "y"], sent({"enum": ["x", "y"]})),
        (TEXT, "notIn", ["x"], {"anyOf": [sent({"not": {"enum": ["x"]}}), ABSENT]}),
        (TEXT, "exists", True, sent(ANY)),
        (TEXT, "exists", False, {"anyOf": [sent(NEVER), ABSENT]}),
        (NUMBER, "greaterThan", 5, sent({"type": "number", "exclusiveMinimum": 5})),
        (NUMBER, "lessThan", 5, sent({"type": "number", "exclusiveMaximum": 5})),
        (
            TEXT,
            "contains",
            "a.b",
            sent(
                {
                    "anyOf": [
                        {"type": "array", "contains": {"const": "a.b"}},
                        {"type": "string", "pattern": re2.escape("a.b")},
                    ]
                }
            ),
        ),
        (NUMBER, "contains", 5, sent({"type": "array", "contains": {"const": 5}})),
        # A number is never compared with a date, and what needs today's date is left to PAO.
        (NUMBER, "greaterThan", "2026-01-01", sent(NEVER)),
        ({"type": "date"}, "greaterThan", "2026-01-01", None),
    ],
    ids=str,
)
def test_an_operator_about_what_was_sent(
    about: dict[str, Any], operator: str, value: Any, expected: Any
) -> None:
    assert shown(about, about_a(operator, value)) == expected


@pytest.mark.parametrize(
    ("default", "operator", "value", "expected"),
    [
        ("x", "equals", "x", {"anyOf": [sent({"const": "x"}), ABSENT]}),
        ("y", "equals", "x", sent({"const": "x"})),
        (
            "x",
            "notEquals",
            "x",
            # Absent counts as x while the field is shown, which it always is.
            {
                "anyOf": [
                    sent({"not": {"const": "x"}}),
                    {"allOf": [ABSENT, {"not": True}]},
                ]
            },
        ),
    ],
)
def test_a_field_that_was_not_sent_has_its_default(
    default: str, operator: str, value: str, expected: Any
) -> None:
    assert shown({**TEXT, "default": default}, about_a(operator, value)) == expected


@pytest.mark.parametrize(("default", "expressible"), [("2026-01-01", True), ("today+1d", False)])
def test_a_default_that_moves_with_the_day_is_left_to_pao(
    default: str, *, expressible: bool
) -> None:
    condition = about_a("equals", "2026-01-01")
    assert (shown({"type": "date", "default": default}, condition) is not None) is expressible
    form = {"groups": [{"id": "g", "fields": [{"id": "a", "type": "date", "default": default}]}]}
    schema = Form.from_mapping(form).json_schema()["properties"]["a"]
    assert ("default" in schema) is expressible


def test_other_defaults_are_told_as_they_are() -> None:
    form = {"groups": [{"id": "g", "fields": [{"id": "a", "type": "string", "default": "x"}]}]}
    assert Form.from_mapping(form).json_schema()["properties"]["a"]["default"] == "x"


def test_conditions_are_joined_no_more_than_needed() -> None:
    one, two = about_a("equals", "x"), about_a("equals", "y")
    is_one, is_two = sent({"const": "x"}), sent({"const": "y"})
    never = about_a("in", "not a list")
    assert shown(TEXT, {"all": [one]}) == shown(TEXT, {"any": [one]}) == is_one
    assert shown(TEXT, {"all": [one, two]}) == {"allOf": [is_one, is_two]}
    assert shown(TEXT, {"any": [one, two]}) == {"anyOf": [is_one, is_two]}
    assert shown(TEXT, {"any": [one, never]}) == {"anyOf": [is_one, sent(NEVER)]}
    assert shown(TEXT, {"not": one}) == {"not": is_one}


def test_what_json_schema_has_no_words_for_is_named() -> None:
    condition = about_a("greaterThan", "2026-03-01")
    bounds = {"min": "today", "max": "today+30d"}
    fields = [
        {"id": "a", "type": "date", "validation": bounds},
        {"id": "b", "type": "string", "conditional": condition},
        {"id": "c", "type": "duration", "validation": {"max": "2d"}},
        {"id": "d", "type": "file", "validation": {"maxSize": "5MB"}},
    ]
    group = {"id": "g", "conditional": about_a("exists", value=True), "fields": fields[1:2]}
    form = {"groups": [{"id": "f", "fields": [fields[0], *fields[2:]]}, group]}
    told = Form.from_mapping(form).json_schema()["properties"]
    assert {
        name: {key: one for key, one in schema.items() if key.startswith("x-pao-")}
        for name, schema in told.items()
    } == {
        "a": {"x-pao-min": "today", "x-pao-max": "today+30d"},
        "b": {"x-pao-conditional": {"all": [group["conditional"], condition]}},
        "c": {"x-pao-max": "2d"},
        "d": {"x-pao-max-size": "5MB"},
    }


@pytest.mark.parametrize(
    "default", ["v", {"template": "{{fields.last}}"}], ids=["plain", "computed"]
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_of_hundreds_of_conditions_has_a_schema(default: Any, *, backwards: bool) -> None:
    fields: list[dict[str, Any]] = [{"id": "last", "type": "string"}]
    for number in range(400):
        before = fields[-1]["id"]
        fields.append(
            {
                "id": f"f{number}",
                "type": "string",
                "default": default,
                "conditional": {"dependsOn": before, "condition": "exists", "value": True},
            }
        )
    form = {"groups": [{"id": "g", "fields": fields[::-1] if backwards else fields}]}
    schema = Form.from_mapping(form).json_schema()
    named = [one for one in schema["properties"].values() if "x-pao-conditional" in one]
    assert len(schema.get("allOf", ())) + len(named) == 400
