"""The validator beyond the vectors: messages, secrets, hostile values, bad forms."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.forms import FieldError, FieldType, Form, FormError

TODAY = date(2026, 3, 5)


def form(*fields: dict[str, Any], **group: Any) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields), **group}]})


def errors(judge: Form, values: dict[str, Any]) -> tuple[FieldError, ...]:
    return judge.validate(values, TODAY).errors


def typed(name: str, kind: FieldType) -> dict[str, Any]:
    inner = {"id": f"{name}-inner", "type": "string", "default": {"template": "{{fields.a}}"}}
    rows = {"fields": [inner, {"id": "a", "type": "json"}]} if kind is FieldType.LIST else {}
    return {"id": name, "type": kind.value, "enum": [1, "a"], **rows}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_an_error_names_the_field_what_came_and_what_was_expected() -> None:
    judge = form({"id": "size", "name": "Size", "type": "integer", "validation": {"min": 5}})

    assert errors(judge, {"size": 3}) == (
        FieldError("size", "min", "Size must be at least 5", received=3, expected=5),
    )


def test_a_field_without_a_name_is_called_by_its_id() -> None:
    judge = form({"id": "instanceName", "type": "string", "required": True})

    assert errors(judge, {})[0].message == "Instance name is required"


def test_the_fields_own_message_explains_its_constraints_but_not_its_absence() -> None:
    field = {"id": "s", "name": "S", "type": "string", "required": True}
    judge = form(field | {"validation": {"pattern": "^a", "message": "starts with a"}})

    assert errors(judge, {"s": "b"})[0].message == "starts with a"
    assert errors(judge, {}) == (FieldError("s", "required", "S is required"),)
    assert errors(judge, {"s": ""}) == (FieldError("s", "required", "S is required", ""),)


def test_a_default_that_is_no_date_is_judged_like_a_value() -> None:
    judge = form({"id": "day", "type": "date", "default": "soon"})

    assert [(one.received, one.constraint) for one in errors(judge, {})] == [("soon", "format")]


def test_a_value_of_a_hidden_field_is_shown_and_not_judged() -> None:
    condition = {"dependsOn": "on", "condition": "equals", "value": True}
    judge = form(
        {"id": "on", "type": "boolean"}, {"id": "n", "type": "integer", "conditional": condition}
    )

    message = "N does not apply with these values; leave it out"
    assert errors(judge, {"n": "x"}) == (FieldError("n", "hidden", message, received="x"),)


def test_an_unknown_field_gets_a_suggestion() -> None:
    judge = form({"id": "storageSize", "type": "integer"})

    message = errors(judge, {"storagesize": 1})[0].message
    assert message == "there is no field 'storagesize'; did you mean 'storageSize'?"


def test_only_the_first_twenty_unknown_fields_get_a_suggestion() -> None:
    judge = form({"id": "storageSize", "type": "integer"})

    told = [error.message for error in errors(judge, {f"storageSize{n}": 1 for n in range(10, 31)})]
    assert told[19] == "there is no field 'storageSize29'; did you mean 'storageSize'?"
    assert told[20] == "there is no field 'storageSize30'; leave it out"


@pytest.mark.parametrize("value", ["hunter2", 12345, ["hunter2"], {"hunter2": 1}])
def test_a_password_is_never_in_an_error(value: Any) -> None:
    shown = {"id": "on", "type": "boolean"}
    hidden = {"dependsOn": "on", "condition": "equals", "value": True}
    password = {"id": "p", "type": "password", "validation": {"minLength": 20, "pattern": "^x"}}
    judge = form(shown, password, {**password, "id": "q", "conditional": hidden})

    told = repr(errors(judge, {"p": value, "q": value, "passwort": value}))

    assert "hunter2" not in told
    assert "12345" not in told


def test_a_long_value_is_shown_shortened() -> None:
    judge = form({"id": "s", "type": "string", "validation": {"maxLength": 10}})

    assert len(errors(judge, {"s": "x" * 100_000})[0].received) == 200


@pytest.mark.parametrize("field_type", list(FieldType))
@pytest.mark.parametrize(
    "value",
    [
        nested(900),
        {"a": nested(900)},
        float("nan"),
        float("inf"),
        10**5000,
        "\ud800",
        (1, 2),
        b"bytes",
        {"\ud800": 1},
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_json_cannot_keep_is_an_error_of_every_type(
    field_type: FieldType, value: Any
) -> None:
    field = typed("f", field_type)
    other = {"dependsOn": "f", "condition": "equals", "value": [1]}
    judge = form(field, {"id": "o", "type": "string", "conditional": other})

    assert [error.constraint for error in errors(judge, {"f": value})] == ["type"]


def test_a_huge_list_and_many_unknown_keys_are_judged_in_bounded_steps() -> None:
    judge = form({"id": "tags", "type": "multiselect", "enum": ["a", 1]})
    values = {"tags": [*range(100_000)], **{f"key{n}": n for n in range(20_000)}}

    found = errors(judge, values)

    assert [error.constraint for error in found[:2]] == ["enum", "unknown"]
    assert found[0].received == "a list of 100000"
    assert len(found) == 20_001


def test_a_pattern_that_would_backtrack_is_judged_at_once() -> None:
    judge = form({"id": "s", "type": "string", "validation": {"pattern": "^(a+)+$"}})

    assert errors(judge, {"s": "a" * 100_000 + "!"})[0].constraint == "pattern"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^(a+)+$"},
        {"type": "object", "patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"type": "array", "uniqueItems": True, "maxItems": 1},
    ],
)
def test_a_json_schema_is_bounded(schema: dict[str, Any]) -> None:
    judge = form({"id": "j", "type": "json", "validation": {"schema": schema}})

    for value in ("a" * 50_000 + "!", {"a" * 50_000 + "!": 1}, [{"n": n} for n in range(20_000)]):
        found = judge.validate({"j": value}, TODAY)
        assert {error.constraint for error in found.errors} <= {"schema"}


def test_a_json_schema_keeps_its_meaning() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/port"}},
        "patternProperties": {"^x-": {"type": "string"}},
        "additionalProperties": {"type": "array", "uniqueItems": True},
        "$defs": {"port": {"type": "integer", "maximum": 65535}},
    }
    judge = form({"id": "j", "type": "json", "validation": {"schema": schema}})

    assert judge.validate({"j": {"a": 80, "x-b": "c", "d": [1, 2]}}, TODAY).valid
    for wrong in ({"a": 70_000}, {"x-b": 1}, {"d": [1, 1.0]}, {"d": 1}):
        assert not judge.validate({"j": wrong}, TODAY).valid


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ([{"id": "a", "type": "strin"}], "type"),
        ([{"id": "a", "type": "string"}, {"id": "a", "type": "string"}], "is used twice"),
        ([{"id": "a", "type": "string", "validation": {"pattern": "(?=x)"}}], "RE2"),
        ([{"id": "a", "type": "date", "validation": {"min": "tomorrow"}}], "not a date"),
        ([{"id": "a", "type": "number", "validation": {"min": "1"}}], "a number"),
        ([{"id": "a", "type": "number", "validation": {"step": 0}}], "greater than 0"),
        ([{"id": "a", "type": "file", "validation": {"maxSize": "5GB"}}], "not a size"),
        ([{"id": "a", "type": "json", "validation": {"schema": {"type": 1}}}], "JSON Schema"),
        (
            [{"id": "a", "type": "json", "validation": {"schema": {"$ref": "http://x/y"}}}],
            "refers to",
        ),
        (
            [{"id": "a", "type": "json", "validation": {"schema": {"$ref": "file:///x"}}}],
            "refers to",
        ),
    ],
)
def test_a_form_that_cannot_work_is_refused(fields: list[dict[str, Any]], part: str) -> None:
    with pytest.raises(FormError, match=part):
        form(*fields)


def test_a_condition_on_an_unknown_field_is_refused_with_a_suggestion() -> None:
    condition = {"dependsOn": "enviroment", "condition": "exists"}

    environment = {"id": "environment", "type": "string"}
    field = {"id": "b", "type": "string", "conditional": condition}
    rows = {"id": "rows", "type": "list", "fields": [field]}

    for one in (field, rows):
        with pytest.raises(FormError) as caught:
            form(environment, one)
        assert str(caught.value) == (
            "the condition of 'b' refers to 'enviroment', which is not a field; "
            "did you mean 'environment'?"
        )


def test_conditions_that_form_a_cycle_are_refused() -> None:
    def field(name: str, other: str) -> dict[str, Any]:
        condition = {"dependsOn": other, "condition": "exists"}
        return {"id": name, "type": "string", "conditional": condition}

    with pytest.raises(FormError, match="cycle"):
        form(field("a", "b"), field("b", "c"), field("c", "a"))


def test_a_long_chain_of_conditions_is_resolved_in_any_order() -> None:
    chain = [
        {
            "id": f"f{n}",
            "type": "boolean",
            "default": True,
            "conditional": {"dependsOn": f"f{n - 1}", "condition": "equals", "value": True},
        }
        for n in range(1, 500)
    ]
    judge = form(*reversed(chain), {"id": "f0", "type": "boolean", "default": True})

    assert len(judge.validate({}, TODAY).values) == 500
    assert judge.validate({"f0": False}, TODAY).values == {"f0": False}


def test_the_ui_schema_has_labels_components_and_conditions_but_no_secret() -> None:
    condition = {"dependsOn": "sizeClass", "condition": "equals", "value": "l"}
    judge = form(
        {"id": "sizeClass", "type": "select", "enum": ["s", {"value": "l", "label": "Large"}]},
        {"id": "p", "type": "password", "default": "hunter2", "conditional": condition},
        name="Group",
    )

    group = judge.ui_schema()["groups"][0]
    size, password = group["fields"]

    assert group["name"] == "Group"
    assert (size["name"], size["component"]) == ("Size class", "dropdown")
    assert size["enum"] == [{"value": "s", "label": "s"}, {"value": "l", "label": "Large"}]
    assert password["conditional"] == condition
    assert "hunter2" not in repr((judge.ui_schema(), judge.json_schema()))


def test_a_result_tells_which_fields_are_shown() -> None:
    condition = {"dependsOn": "a", "condition": "equals", "value": "x"}
    judge = form(
        {"id": "a", "type": "string"}, {"id": "b", "type": "string", "conditional": condition}
    )

    assert judge.validate({"a": "x"}, TODAY).visible == ("a", "b")
    assert judge.validate({"a": "y"}, TODAY).visible == ("a",)


@given(
    st.dictionaries(
        st.text(), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists)
    )
)
def test_no_values_make_the_validator_raise(values: dict[str, Any]) -> None:
    judge = form(*(typed(kind.value, kind) for kind in FieldType))

    judge.validate({**values, **dict.fromkeys(FieldType, next(iter(values.values()), None))}, TODAY)
