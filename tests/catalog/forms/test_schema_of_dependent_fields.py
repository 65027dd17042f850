"""The JSON Schema of a form refuses nothing that the validator accepts, computed or not."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from catalog.forms import Form

TODAY = date(2026, 3, 5)
VALUES = st.sampled_from(["", "a", "b", 1, 2.5, True, False, ["a"], [{"p": "a"}, {"p": 1, "q": 2}]])
REQUIRED = st.sampled_from([True, False, {"when": "fields.f0"}, {"when": "fields.f0 == 'a'"}])
DEFAULTS = st.sampled_from([None, "a", {"template": "{{fields.f0}}"}, {"template": "{{1 + 1}}"}])
KINDS = st.sampled_from(["string", "integer", "boolean", "select", "multiselect", "list"])
INNER = [
    {"id": "p", "type": "string", "required": {"when": "fields.f0 == 'a'"}},
    {
        "id": "q",
        "type": "integer",
        "default": {"template": "{{len(fields.p)}}"},
        "conditional": {"dependsOn": "f0", "condition": "exists"},
    },
]


@st.composite
def fields(draw: st.DrawFn, index: int) -> dict[str, Any]:
    kind = draw(KINDS)
    field: dict[str, Any] = {"id": f"f{index}", "type": kind, "required": draw(REQUIRED)}
    default = draw(DEFAULTS)
    if default is not None:
        field["default"] = default
        field["readOnly"] = draw(st.booleans())
    if kind in ("select", "multiselect"):
        field["options"] = {"from": "teams"}
    if kind == "list":
        field["fields"] = INNER
        field["uniqueBy"] = ["p"]
    if kind == "boolean":
        field["mustBe"] = draw(st.sampled_from([None, True, False]))
    operator = draw(st.sampled_from([None, "equals", "exists", "notEquals"]))
    if operator:
        depends_on = f"f{draw(st.integers(0, index - 1))}"
        field["conditional"] = {"dependsOn": depends_on, "condition": operator, "value": "a"}
        if operator == "exists":
            field["conditional"]["value"] = draw(st.booleans())
    return field


@st.composite
def forms(draw: st.DrawFn) -> Form:
    first = {"id": "f0", "type": "string", "default": draw(st.sampled_from([None, "a"]))}
    rest = [draw(fields(index)) for index in range(1, draw(st.integers(2, 4)))]
    rule = {"id": "r", "check": "fields.f0 == fields.f1", "message": "Not the same."}
    rules = [rule] if draw(st.booleans()) else []
    return Form.from_mapping({"groups": [{"id": "g", "fields": [first, *rest]}], "rules": rules})


@settings(max_examples=300)
@given(form=forms(), data=st.data())
def test_what_the_validator_accepts_the_schema_accepts(form: Form, data: st.DataObject) -> None:
    schema = form.json_schema()
    Draft202012Validator.check_schema(schema)
    values = data.draw(st.dictionaries(st.sampled_from([*form.fields]), VALUES))
    result = form.validate(values, TODAY)
    if result.valid:
        assert Draft202012Validator(schema).is_valid(values), values
        # What is kept is good as well: corrections judge it again.
        assert form.validate(result.values, TODAY).valid
        assert Draft202012Validator(schema).is_valid(result.values), result.values
