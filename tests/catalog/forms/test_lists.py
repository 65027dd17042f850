"""Lists: rows of fields, judged one by one and together."""

from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.forms import FieldError, Form, FormError

TODAY = date(2026, 3, 5)
Document = dict[str, Any]
PREFIX = {"id": "prefix", "name": "Prefix", "type": "string", "required": True}
DAYS = {"id": "days", "name": "Days", "type": "integer", "default": 30, "validation": {"min": 1}}
RULES = {
    "id": "rules",
    "name": "Rules",
    "type": "list",
    "fields": [PREFIX, DAYS],
    "minItems": 1,
    "maxItems": 3,
    "uniqueBy": ["prefix"],
}


def form(*fields: Document) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields)}]})


def told(judge: Form, values: Document) -> list[tuple[str, str]]:
    return [(e.field, e.constraint) for e in judge.validate(values, TODAY).errors]


def test_the_rows_of_a_list_take_defaults_and_keep_the_order_of_their_fields() -> None:
    rows = [{"days": 3.0, "prefix": "logs/"}, {"prefix": "tmp/", "days": None}]
    result = form(RULES).validate({"rules": rows}, TODAY)
    assert result.valid
    assert result.values["rules"] == [
        {"prefix": "logs/", "days": 3},
        {"prefix": "tmp/", "days": 30},
    ]


def test_an_error_in_a_row_names_the_row_and_the_field() -> None:
    rows = [{"prefix": "a"}, {"days": 0, "color": "red"}, "logs/"]
    assert told(form(RULES), {"rules": rows}) == [
        ("rules[1].prefix", "required"),
        ("rules[1].days", "min"),
        ("rules[1].color", "unknown"),
        ("rules[2]", "type"),
    ]


def test_a_row_that_is_no_mapping_is_shown_and_says_what_it_has_to_be() -> None:
    (error,) = form(RULES).validate({"rules": [{"prefix": "a"}, "logs/"]}, TODAY).errors
    message = "each row must be a mapping of field ids to values"
    assert error == FieldError("rules[1]", "type", message, "logs/", "mapping")


@pytest.mark.parametrize(
    ("value", "constraint"),
    [
        ("x", "type"),
        ([{"prefix": str(n)} for n in range(4)], "maxItems"),
        ([{"prefix": str(n)} for n in range(501)], "maxItems"),
        ([{"prefix": "a"}, {"prefix": "b"}, {"prefix": "a"}], "uniqueBy"),
    ],
)
def test_a_list_as_a_whole_is_judged(value: Any, constraint: str) -> None:
    assert told(form(RULES), {"rules": value}) == [("rules", constraint)]


def test_too_few_rows_are_refused() -> None:
    assert told(form(RULES | {"minItems": 2}), {"rules": [{"prefix": "a"}]}) == [
        ("rules", "minItems")
    ]


def test_rows_that_are_the_same_are_named_by_their_number() -> None:
    rows = [{"prefix": "a"}, {"prefix": "b"}, {"prefix": "a"}]
    (error,) = form(RULES).validate({"rules": rows}, TODAY).errors
    assert told(form(RULES), {"rules": ["no row", *rows[:1], *rows[:1]]}) == [
        ("rules[0]", "type"),
        ("rules", "uniqueBy"),
    ]
    assert error == FieldError(
        "rules", "uniqueBy", "Rules has the same Prefix in the rows 1 and 3", None, ["prefix"]
    )


def test_an_empty_list_is_no_value() -> None:
    assert told(form(RULES), {"rules": []}) == []
    assert told(form(RULES | {"required": True}), {"rules": []}) == [("rules", "required")]


def test_a_row_sees_its_own_fields_and_those_of_the_form() -> None:
    own = {"id": "kind", "type": "string"}
    shown = {
        "id": "target",
        "type": "string",
        "required": True,
        "conditional": {"dependsOn": "kind", "condition": "equals", "value": "move"},
    }
    outer = {
        "id": "key",
        "type": "string",
        "conditional": {"dependsOn": "encrypted", "condition": "equals", "value": True},
    }
    label = {
        "id": "label",
        "type": "string",
        "default": {"template": "{{fields.bucket}}-{{fields.kind}}"},
    }
    judge = form(
        {"id": "rows", "type": "list", "fields": [own, shown, outer, label]},
        {"id": "encrypted", "type": "boolean"},
        {"id": "bucket", "type": "string"},
    )
    rows = [{"kind": "move"}, {"kind": "drop", "key": "k", "target": "x"}]
    assert told(judge, {"bucket": "b", "rows": rows}) == [
        ("rows[0].target", "required"),
        ("rows[1].target", "hidden"),
        ("rows[1].key", "hidden"),
    ]
    good = {"bucket": "b", "encrypted": True, "rows": [{"kind": "drop", "key": "k"}]}
    assert judge.validate(good, TODAY).values["rows"] == [
        {"kind": "drop", "key": "k", "label": "b-drop"}
    ]


def test_a_rule_of_the_form_reads_the_rows() -> None:
    rule = {
        "id": "total",
        "check": "len(fields.rules) * fields.weight <= 10",
        "message": "Too many.",
    }
    raw = {"groups": [{"id": "g", "fields": [RULES, {"id": "weight", "type": "integer"}]}]}
    judge = Form.from_mapping(raw | {"rules": [rule]})
    rows = [{"prefix": "a"}, {"prefix": "b"}]
    assert told(judge, {"rules": rows, "weight": 5}) == []
    assert told(judge, {"rules": rows, "weight": 6}) == [
        ("rules", "rule:total"),
        ("weight", "rule:total"),
    ]


def test_a_computed_default_reads_the_rows_as_they_are_completed() -> None:
    total = {
        "id": "days",
        "type": "string",
        "default": {"template": "{{#each fields.rules}}{{this.keep}},{{/each}}"},
    }
    keep = {"id": "keep", "type": "integer", "default": 7}
    judge = form(total, {"id": "rules", "type": "list", "fields": [PREFIX, keep]})
    rows = [{"prefix": "a"}, {"prefix": "b", "keep": 1}]
    assert judge.validate({"rules": rows}, TODAY).values["days"] == "7,1,"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fields": []}, "has no fields"),
        ({"fields": [RULES | {"id": "x"}]}, "cannot have a field of type list"),
        ({"uniqueBy": ["nothing"]}, "not in its rows"),
        ({"fields": [{"id": "other", "type": "string"}]}, "has the id of another field"),
    ],
)
def test_a_list_that_cannot_work_is_refused(changes: Document, says: str) -> None:
    with pytest.raises(FormError, match=says):
        form(RULES | {"uniqueBy": []} | changes, {"id": "other", "type": "string"})


def test_many_wrong_rows_do_not_make_many_errors() -> None:
    judge = form(RULES | {"maxItems": 500, "uniqueBy": []})
    assert len(told(judge, {"rules": [{"days": 0}] * 500})) == 100


def test_the_json_schema_describes_the_rows() -> None:
    schema = form(RULES).json_schema()
    validator = Draft202012Validator(schema)
    Draft202012Validator.check_schema(schema)
    assert validator.is_valid({"rules": [{"prefix": "a"}]})
    assert not validator.is_valid({"rules": [{"days": 3}]})
    assert not validator.is_valid({"rules": [{"prefix": "a", "color": 1}]})
    assert schema["properties"]["rules"]["x-pao-unique-by"] == ["prefix"]


def test_the_drawn_form_has_the_fields_of_the_rows() -> None:
    (drawn,) = form(RULES).ui_schema()["groups"][0]["fields"]
    assert drawn["component"] == "table"
    assert drawn["validation"] == {"minItems": 1, "maxItems": 3}
    assert [inner["id"] for inner in drawn["fields"]] == ["prefix", "days"]
    assert drawn["uniqueBy"] == ["prefix"]
