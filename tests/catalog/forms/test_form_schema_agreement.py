"""The JSON Schema of a form and the validator accept the same values."""

import json
from datetime import date
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from catalog.forms import FieldDefinition, FieldType, Form, FormDefinition
from catalog.forms.reading import read
from catalog.forms.writing import as_text
from pao.app.cli.fields import read_form
from pao.app.cli.prompts.answers import Answers

TODAY = date(2026, 3, 5)
TEXTS = st.sampled_from(["", "a", "ab", "abc", "Abc1", "a@b.co", "2026-03-04", "Abcdefgh1234"])
TEXTS |= st.sampled_from(["08:30", "2h", "2026-03-04T10:00:00Z", "https://a.example.com/x"])
SCALARS = TEXTS | st.sampled_from([True, False, 0, 1, 2, 1.0, 2.5, -3])
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), SCALARS, max_size=3), max_size=3)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.just({"a": 1}) | ROWS
FILES = ["data:text/plain;base64,aGVsbG8=", "data:image/png;base64,", "data:x"]

FIELDS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "string": st.fixed_dictionaries(
        {},
        optional={
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 4),
            "pattern": st.sampled_from(["^a", "b", "[0-9]$"]),
        },
    ),
    "number": st.fixed_dictionaries(
        {},
        optional={
            "min": st.integers(-2, 2),
            "max": st.integers(0, 3),
            "step": st.sampled_from([1, 2, 0.5]),
        },
    ),
    "boolean": st.just({}),
    "select": st.just({"enum": ["a", "", 1, False]}),
    "multiselect": st.fixed_dictionaries(
        {},
        optional={
            "enum": st.just(["a", 1, True, {"value": "ab", "label": "AB"}]),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
        },
    ),
    "date": st.just({}),
    "password": st.fixed_dictionaries(
        {}, optional={"strength": st.sampled_from(["weak", "medium", "strong"])}
    ),
    "email": st.just({}),
    "file": st.fixed_dictionaries(
        {}, optional={"types": st.sampled_from([["image/*"], ["text/plain"], ["*/*"]])}
    ),
    "json": st.sampled_from(
        [
            {},
            {"schema": {"type": "array"}},
            {"schema": {"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer"}}}},
        ]
    ),
}
FIELDS |= {
    "datetime": st.just({}),
    "time": st.just({}),
    "duration": st.just({}),
    "url": st.fixed_dictionaries(
        {}, optional={"hosts": st.sampled_from([["a.example.com"], ["*.example.com", "b.co"]])}
    ),
    "user": st.just({}),
    "team": st.just({}),
    "list": st.fixed_dictionaries(
        {}, optional={"minItems": st.integers(0, 2), "maxItems": st.integers(0, 2)}
    ),
}
INNER = [
    {"id": "a", "type": "integer", "required": True},
    {
        "id": "b",
        "type": "string",
        "conditional": {"dependsOn": "a", "condition": "greaterThan", "value": 0},
    },
]
FIELDS |= {"textarea": FIELDS["string"], "integer": FIELDS["number"]}


@st.composite
def conditions(draw: st.DrawFn, names: list[str], depth: int = 2) -> dict[str, Any]:
    kind = draw(st.sampled_from(["leaf", "leaf", "all", "any", "not"])) if depth else "leaf"
    if kind == "not":
        return {"not": draw(conditions(names, depth - 1))}
    if kind != "leaf":
        return {kind: draw(st.lists(conditions(names, depth - 1), max_size=2))}
    operator = draw(
        st.sampled_from(["equals", "notEquals", "in", "notIn", "greaterThan", "contains", "exists"])
    )
    value: Any = draw(SCALARS)
    if operator in {"in", "notIn"}:
        value = draw(st.lists(SCALARS, max_size=2))
    if operator == "greaterThan":
        value = draw(st.integers(-1, 2))
    if operator == "exists":
        value = draw(st.booleans())
    return {"dependsOn": draw(st.sampled_from(names)), "condition": operator, "value": value}


@st.composite
def forms(draw: st.DrawFn) -> Form:
    fields: list[dict[str, Any]] = []
    for index in range(draw(st.integers(1, 4))):
        field_type = draw(st.sampled_from(sorted(FIELDS)))
        field: dict[str, Any] = {
            "id": f"f{index}",
            "type": field_type,
            "required": draw(st.booleans()),
            "validation": draw(FIELDS[field_type]),
        }
        if field_type == "list":
            field["fields"] = INNER
        if field_type == "boolean" and draw(st.booleans()):
            field["mustBe"] = True
        names = [other["id"] for other in fields]
        conditional = draw(st.booleans())
        if names and conditional:
            field["conditional"] = draw(conditions(names))
        if draw(st.booleans()):
            field["default"] = draw(VALUES)
        fields.append(field)
    groups: list[dict[str, Any]] = [{"id": "g", "fields": list(fields)}]
    if draw(st.booleans()):
        last = {"id": "last", "type": "string", "required": draw(st.booleans())}
        condition = draw(conditions([field["id"] for field in fields]))
        groups.append({"id": "h", "conditional": condition, "fields": [last]})
    return Form.from_mapping({"groups": groups})


def defaults_pass(form: Form, values: dict[str, Any]) -> bool:
    """A default that fails its own validation is refused with the document."""
    for error in form.validate(values, TODAY).errors:
        field, row, _ = error.field.partition("[")
        if field not in values and (row or error.constraint != "required"):
            return False
    return True


@settings(max_examples=250)
@given(form=forms(), data=st.data())
def test_what_one_accepts_the_other_accepts(form: Form, data: st.DataObject) -> None:
    names = [*form.fields, "unknown"] if data.draw(st.booleans()) else [*form.fields]
    values = data.draw(
        st.dictionaries(
            st.sampled_from(names), VALUES | st.sampled_from(FILES), max_size=len(names)
        )
    )
    schema = form.json_schema()
    Draft202012Validator.check_schema(schema)

    accepted = Draft202012Validator(schema, format_checker=FormatChecker(["date"])).is_valid(values)

    if defaults_pass(form, values):
        assert form.validate(values, TODAY).valid is accepted


def typed_by_a_person(field: FieldDefinition, value: Any) -> Any:
    """Write a value as somebody would on a terminal, and read it back as the command does."""
    if field.type in {"json", "multiselect", "list"}:
        return read(field, json.dumps(value))
    return read(field, as_text(value))


def fits_its_type(form: Form, name: str, value: Any) -> bool:
    """Return whether a value has the kind of its field; others cannot be typed as they are."""
    alone = form.fields[name].model_copy(update={"conditional": None, "required": False})
    group = {"id": "g", "fields": (alone,)}
    told = Form(FormDefinition.model_validate({"groups": (group,)})).validate({name: value}, TODAY)
    return not any(error.constraint in {"type", "format", "enum"} for error in told.errors)


@settings(max_examples=150)
@given(form=forms(), data=st.data())
def test_what_is_asked_for_on_a_terminal_is_what_the_validator_shows(
    form: Form, data: st.DataObject
) -> None:
    # What a password is by default is shown to nobody, so a prompt cannot know what follows of it.
    fields = form.fields.values()
    assume(not any(one.type == "password" and one.default is not None for one in fields))
    names = list(form.fields)
    drawn = data.draw(st.dictionaries(st.sampled_from(names), VALUES | st.sampled_from(FILES)))
    answers = {key: value for key, value in drawn.items() if fits_its_type(form, key, value)}
    drawing = read_form(json.loads(json.dumps(form.ui_schema())))
    questions = Answers(drawing, {}, lambda values: drawing.validate(values, TODAY))
    asked: list[str] = []

    # A field that comes twice was answered wrongly, and would come for ever.
    while (one := questions.next()) is not None and one.id not in asked:
        asked.append(one.id)
        value = answers.get(one.id)
        left_empty = value is None or value == ""
        questions.set_answer(one.id, None if left_empty else typed_by_a_person(one, value))

    values = questions.fields
    told = form.validate(values, TODAY)
    # A default that its own rows refuse is a finding of the catalog, and nothing that was sent.
    sent = [error for error in told.errors if error.field.partition("[")[0] in values]
    assert not any(error.constraint in {"hidden", "unknown"} for error in sent)
    assert set(asked) <= set(told.visible)
    if one is None:
        assert told.valid
        assert sorted(asked) == sorted(told.visible)
        given = {key: value for key, value in answers.items() if key in asked and value != ""}
        assert values == given


def test_all_types_are_drawn_for_these_tests() -> None:
    assert FIELDS.keys() == {str(kind) for kind in FieldType}


def test_a_default_counts_only_where_its_field_is_shown() -> None:
    def field(name: str, depends_on: str, *, value: Any) -> dict[str, Any]:
        condition = {"dependsOn": depends_on, "condition": "equals", "value": value}
        return {"id": name, "type": "string", "default": "B", "conditional": condition}

    first = {"id": "a", "type": "boolean", "default": False}
    form = Form.from_mapping(
        {
            "groups": [
                {
                    "id": "g",
                    "fields": [first, field("b", "a", value=True), field("c", "b", value="B")],
                }
            ]
        }
    )
    validator = Draft202012Validator(form.json_schema())

    for values, valid in (({"c": "x"}, False), ({"a": True, "c": "x"}, True), ({}, True)):
        assert form.validate(values, TODAY).valid is valid
        assert validator.is_valid(values) is valid
