"""What a form answers whole: each error with what was expected, and each key that a page draws."""

from datetime import date
from typing import Any

import pytest

from catalog.forms import FieldError, Form, FormError
from catalog.forms.checks import constraint_problems
from catalog.forms.conditions import holds_for, leaves
from catalog.forms.definition import Condition, FieldDefinition

TODAY = date(2026, 3, 5)
FILE = "data:<media type>;base64,<content>"
HELLO = "data:text/plain;base64,aGVsbG8="
STRONG = "must have at least 12 characters and 3 of: lower case, upper case, digit, other"

Document = dict[str, Any]


def form(*fields: Document) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields)}]})


@pytest.mark.parametrize(
    ("field", "value", "constraint", "message", "expected"),
    [
        ({"type": "string"}, 1, "type", "must be a text", "text"),
        ({"type": "number"}, "1", "type", "must be a number", "number"),
        ({"type": "integer"}, 1.5, "type", "must be a whole number", "integer"),
        ({"type": "boolean"}, 1, "type", "must be true or false", "boolean"),
        ({"type": "multiselect"}, "a", "type", "must be a list", "list"),
        ({"type": "multiselect"}, [1], "type", "must be a list of texts", "list of texts"),
        ({"type": "date"}, "1.3.26", "format", "must be a date such as 2026-03-01", "YYYY-MM-DD"),
        ({"type": "file"}, "x", "format", f"must be a file written as {FILE}", FILE),
        (
            {"type": "email"},
            "x",
            "format",
            "must be an email address such as name@example.com",
            "email",
        ),
        ({"minLength": 2}, "a", "minLength", "must have at least 2 characters", 2),
        ({"maxLength": 2}, "abc", "maxLength", "must have at most 2 characters", 2),
        ({"pattern": "^a"}, "b", "pattern", "must match ^a", "^a"),
        ({"type": "number", "min": 2}, 1, "min", "must be at least 2", 2),
        ({"type": "number", "max": 2}, 3, "max", "must be at most 2", 2),
        ({"type": "number", "step": 2}, 3, "step", "must be a multiple of 2", 2),
        (
            {"type": "date", "min": "today"},
            "2026-03-04",
            "min",
            "must be on or after 2026-03-05",
            "2026-03-05",
        ),
        (
            {"type": "date", "max": "today"},
            "2026-03-06",
            "max",
            "must be on or before 2026-03-05",
            "2026-03-05",
        ),
        ({"type": "select", "enum": ["a", "b"]}, "c", "enum", "must be one of: a, b", ["a", "b"]),
        (
            {"type": "multiselect", "enum": ["a", "b"]},
            ["c"],
            "enum",
            "must be some of: a, b",
            ["a", "b"],
        ),
        (
            {"type": "multiselect"},
            ["a", "a"],
            "unique",
            "must not contain duplicates",
            None,
        ),
        (
            {"type": "multiselect", "minItems": 2},
            ["a"],
            "minItems",
            "must have at least 2 values",
            2,
        ),
        (
            {"type": "multiselect", "maxItems": 1},
            ["a", "b"],
            "maxItems",
            "must have at most 1 values",
            1,
        ),
        ({"type": "file", "maxSize": "4"}, HELLO, "maxSize", "must be at most 4 in size", 4),
        (
            {"type": "file", "types": ["image/*", "text/csv"]},
            HELLO,
            "types",
            "must be of type image/*, text/csv",
            ["image/*", "text/csv"],
        ),
        ({"type": "password", "strength": "strong"}, "a", "strength", STRONG, "strong"),
    ],
)
def test_an_error_says_what_was_expected(
    field: Document, value: Any, constraint: str, message: str, expected: Any
) -> None:
    kind, own = field.get("type", "string"), {"type", "enum"}
    validation = {key: part for key, part in field.items() if key not in own}
    written = {"id": "f", "name": "F", "type": kind, "validation": validation}
    judge = form(written | ({"enum": field["enum"]} if "enum" in field else {}))
    received = None if kind == "password" else value
    assert judge.validate({"f": value}, TODAY).errors == (
        FieldError("f", constraint, f"F {message}", received=received, expected=expected),
    )


def test_a_ui_schema_has_all_that_a_page_draws() -> None:
    condition = {"dependsOn": "env", "condition": "equals", "value": "prod"}
    document = {
        "layout": "tabbed",
        "groups": [
            {
                "id": "main",
                "description": "What it is",
                "collapsible": True,
                "conditional": condition,
                "fields": [
                    {
                        "id": "size",
                        "type": "integer",
                        "required": True,
                        "default": 3,
                        "placeholder": "5",
                        "description": "In GB",
                        "validation": {"min": 1, "max": 9, "message": "one digit"},
                    }
                ],
            },
            {"id": "other", "fields": [{"id": "env", "type": "string"}]},
        ],
    }
    drawn = Form.from_mapping(document).ui_schema()
    assert drawn["layout"] == "tabbed"
    assert drawn["groups"][0] == {
        "id": "main",
        "name": "Main",
        "description": "What it is",
        "collapsible": True,
        "conditional": condition,
        "fields": [
            {
                "id": "size",
                "name": "Size",
                "type": "integer",
                "component": "number-input",
                "required": True,
                "default": 3,
                "placeholder": "5",
                "description": "In GB",
                "validation": {"min": 1, "max": 9, "message": "one digit"},
                "conditional": None,
            }
        ],
    }


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "holds"),
    [
        ("contains", "b", "abc", True),
        ("contains", "x", "abc", False),
        ("contains", 1, "abc", False),
        ("contains", "b", ["b"], True),
        ("contains", "x", ["b"], False),
        ("contains", "b", 7, False),
        ("in", ["a", "b"], "a", True),
        ("in", ["a", "b"], "c", False),
        ("in", "abc", "a", False),
        ("notIn", ["a"], "b", True),
        ("notIn", ["a"], "a", False),
        ("notIn", "abc", "x", False),
        ("lessThan", 2, 1, True),
        ("lessThan", 2, 2, False),
        ("greaterThan", 2, 3, True),
        ("greaterThan", 2, 2, False),
        ("lessThan", "2026-03-02", "2026-03-01", True),
        ("lessThan", "2026-03-01", "2026-03-01", False),
        ("lessThan", "2026-03-01", 1, False),
        ("lessThan", 1, "2026-03-01", False),
        ("lessThan", True, False, False),
        ("equals", 1, True, False),
        ("notEquals", 1, True, True),
    ],
)
def test_a_condition_holds_for_what_it_says_and_never_for_what_cannot_be_compared(
    operator: str, wanted: Any, value: Any, *, holds: bool
) -> None:
    condition = Condition.model_validate({"dependsOn": "f", "condition": operator, "value": wanted})
    assert holds_for(condition, value) is holds


def test_every_condition_on_a_field_is_found_with_its_path() -> None:
    def on(name: str) -> Document:
        return {"dependsOn": name, "condition": "exists"}

    condition = Condition.model_validate({"all": [on("a"), {"any": [on("b"), {"not": on("c")}]}]})
    found = [(path, leaf.depends_on) for path, leaf in leaves(("conditional",), condition)]
    assert found == [
        (("conditional", "all", 0), "a"),
        (("conditional", "all", 1, "any", 0), "b"),
        (("conditional", "all", 1, "any", 1, "not"), "c"),
    ]


@pytest.mark.parametrize(
    ("kind", "validation", "keys"),
    [
        ("string", {"pattern": "("}, ["pattern"]),
        ("string", {"pattern": "a", "minLength": 1}, []),
        ("number", {"min": "1", "max": "x", "step": 0}, ["min", "max", "step"]),
        ("date", {"min": "tomorrow", "max": 3}, ["min", "max"]),
        ("file", {"maxSize": "5GB"}, ["maxSize"]),
        ("json", {"schema": {"type": 1}}, ["schema"]),
        ("select", {}, ["enum"]),
        ("select", {"enum": ["a"]}, []),
        ("multiselect", {}, []),
    ],
)
def test_a_constraint_that_cannot_be_read_is_named_by_its_key(
    kind: str, validation: Document, keys: list[str]
) -> None:
    field = FieldDefinition.model_validate({"id": "f", "type": kind, "validation": validation})
    assert [key for key, _ in constraint_problems(field)] == keys


def test_the_fields_of_a_circle_are_named_in_their_order() -> None:
    def field(name: str, other: str) -> Document:
        condition = {"dependsOn": other, "condition": "exists"}
        return {"id": name, "type": "string", "conditional": condition}

    with pytest.raises(FormError) as caught:
        form(field("a", "b"), field("b", "c"), field("c", "a"))
    names = str(caught.value).removeprefix("the conditions form a cycle: ").split(" -> ")
    assert names[0] == names[-1]
    follows = {"a": "b", "b": "c", "c": "a"}
    assert [follows[name] for name in names[:-1]] == names[1:]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"pattern": "^a"}, ["ab", 7], ["ba"]),
        ({"patternProperties": {"^x": {"type": "string"}}}, [{"x": "a", "y": 1}, 7], [{"x": 1}]),
        ({"properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}, 7], [{"b": 1}]),
        (
            {"patternProperties": {"^x": {}}, "additionalProperties": {"type": "string"}},
            [{"x1": 1, "b": "c"}],
            [{"x1": 1, "b": 2}],
        ),
        ({"uniqueItems": True}, [[1, 2], 7, [1, True]], [[1, 1]]),
        ({"uniqueItems": False}, [[1, 1]], []),
        ({"not": {}}, [], [1]),
        (True, [1, {}], []),
        (False, [], [1]),
    ],
)
def test_an_embedded_schema_judges_as_json_schema_does(
    schema: Any, good: list[Any], bad: list[Any]
) -> None:
    judge = form({"id": "f", "type": "json", "validation": {"schema": schema}})
    assert all(judge.validate({"f": value}, TODAY).valid for value in good)
    for value in bad:
        [error] = judge.validate({"f": value}, TODAY).errors
        assert error.constraint == "schema"
