"""What a json field's own schema accepts, and what is said of one that cannot be used."""

from datetime import date
from typing import Any

import pytest

from catalog.forms import FieldDefinition, Form
from catalog.forms.checks import constraint_problems
from catalog.forms.embedded_schema import EmbeddedSchema, check_schema
from catalog.forms.values import ValueFormatError, media_type_fits

LONG = "k" * 90
CHAIN = {
    "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}},
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"pattern": "^a"}, "b", "at $: does not match '^a'"),
        ({"uniqueItems": True}, [1, 1.0], "at $: contains duplicate items"),
        ({"uniqueItems": False}, [1, 1], None),
        ({"additionalProperties": False}, {LONG: 1}, f"at $: the key {'k' * 80!r} is not allowed"),
        (
            {"additionalProperties": {"type": "string"}},
            {"a": {}},
            "at $.a: {} is not of type 'string'",
        ),
        ({"additionalProperties": {"type": "string"}}, {"a": "x"}, None),
        ({"additionalProperties": True}, {"a": 1}, None),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, None),
        ({"patternProperties": {"^a": {}}, "additionalProperties": False}, {"ab": 1}, None),
        (
            {"patternProperties": {"^a": {"type": "string"}}},
            {"b": 1, "a1": 2},
            "at $.a1: 2 is not of type 'string'",
        ),
        ({"const": "y" * 300}, "x", "at $: the value does not match 'const'"),
        ({"$ref": f"#/$defs/{LONG}"}, 1, f"the schema has no {f'#/$defs/{LONG}'[:80]!r}"),
        (CHAIN, {"next": {"next": {}}}, None),
    ],
    ids=str,
)
def test_a_value_is_judged_in_these_words(schema: Any, value: Any, problem: str | None) -> None:
    told = EmbeddedSchema(schema).problem(value)
    assert (told or "").removeprefix("cannot be checked: ") == (problem or "")


@pytest.mark.parametrize(("times", "refused"), [(1_999, False), (2_000, True)])
def test_references_are_followed_so_often(times: int, *, refused: bool) -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}
    told = EmbeddedSchema(schema).problem([1] * (times + 1))
    assert (told == "cannot be checked: the schema of this field refers to itself too often") is (
        refused
    )
    # Each value has its own count.
    assert EmbeddedSchema(schema).problem([1] * 10) is None


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (
            {"$ref": "https://example.com/" + LONG},
            f"refers to {('https://example.com/' + LONG)[:80]!r};",
        ),
        ({"allOf": [{"items": {"pattern": "(a"}}]}, "missing )"),
        ({"anyOf": [{"patternProperties": {"(a": {}}}]}, "missing )"),
        ({"unevaluatedItems": False}, "uses unevaluatedItems, which is not supported; use"),
        ({"default": float("nan")}, "is not a JSON Schema: it is out of range"),
        ({"type": 5}, "is not a JSON Schema: 5 is not valid"),
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_used_says_why(schema: Any, problem: str) -> None:
    with pytest.raises(ValueFormatError) as caught:
        check_schema(schema)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "schema", [{"properties": {"pattern": {}, "(": {}}}, {"enum": ["(", {"a": "("}]}]
)
def test_what_only_looks_like_a_pattern_is_none(schema: Any) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("text", "strong"),
    [("abcdefgh1", True), ("abcdefghi", False), ("abcdefghé", True), ("abcdefgh-", True)],
)
def test_kinds_of_characters_make_a_password_strong(text: str, *, strong: bool) -> None:
    field = {"id": "p", "type": "password", "validation": {"strength": "medium"}}
    form = Form.from_mapping({"groups": [{"id": "g", "fields": [field]}]})
    assert (not form.validate({"p": text}, date(2026, 3, 5)).errors) is strong


def test_a_constraint_that_cannot_be_used_is_named_with_the_reason() -> None:
    field = FieldDefinition(id="f", type="string", validation={"pattern": "("})
    [(key, problem)] = constraint_problems(field)
    assert key == "pattern"
    assert "missing )" in problem


@pytest.mark.parametrize(
    ("media_type", "wanted", "fits"),
    [
        ("image/png", "*/*", True),
        ("image/png", "IMAGE/*", True),
        ("image/png", "Image/Png", True),
        ("image/png", "image/gif", False),
        ("imagery/png", "image/*", False),
    ],
)
def test_media_types(media_type: str, wanted: str, *, fits: bool) -> None:
    assert media_type_fits(media_type, wanted) is fits
