"""Every limit of a form from both sides: the last value that passes, the first that does not."""

from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.forms import Form, FormError
from catalog.forms.definition import MOST_CHOICES, MOST_FIELDS, MOST_GROUPS
from catalog.forms.values import MAX_DEPTH, excerpt

TODAY = date(2026, 3, 5)
TEXTS = ("string", "textarea", "password")
NUMBERS = ("number", "integer")

Document = dict[str, Any]


def file_of(size: int, media_type: str = "text/plain") -> str:
    whole, rest = divmod(size, 3)
    return f"data:{media_type};base64,{'eHh4' * whole}{('', 'eA==', 'eHg=')[rest]}"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def failed(field: Document, value: Any) -> list[str]:
    judge = Form.from_mapping({"groups": [{"id": "g", "fields": [{"id": "f", **field}]}]})
    return [error.constraint for error in judge.validate({"f": value}, TODAY).errors]


def limited(type_: str, **validation: Any) -> Document:
    return {"type": type_, "enum": ["a", "b", "c", "d"], "validation": validation}


EMAIL = f"{'a' * 64}@{'b' * 187}.c"
LIMITS: list[tuple[Document, str, Any, Any]] = [
    *((limited(kind, minLength=3), "minLength", "abc", "ab") for kind in TEXTS),
    *((limited(kind, maxLength=3), "maxLength", "abc", "abcd") for kind in TEXTS),
    *((limited(kind, minLength=1), "minLength", "\u00e9", None) for kind in TEXTS),
    *((limited(kind, maxLength=0), "maxLength", "", "a") for kind in TEXTS),
    # Characters are counted, not bytes.
    *((limited(kind, maxLength=2), "maxLength", "\u00e9\U0001f600", "abc") for kind in TEXTS),
    (limited("multiselect", minItems=2), "minItems", ["a", "b"], ["a"]),
    (limited("multiselect", maxItems=2), "maxItems", ["a", "b"], ["a", "b", "c"]),
    (limited("multiselect", maxItems=0), "maxItems", [], ["a"]),
    *((limited(kind, min=5), "min", 5, 4) for kind in NUMBERS),
    *((limited(kind, max=5), "max", 5, 6) for kind in NUMBERS),
    *((limited(kind, min=0), "min", 0, -1) for kind in NUMBERS),
    *((limited(kind, max=-1), "max", -1, 0) for kind in NUMBERS),
    (limited("number", min=0.5), "min", 0.5, 0.49),
    (limited("number", max=0.5), "max", 0.5, 0.51),
    *((limited(kind, step=4), "step", 8, 9) for kind in NUMBERS),
    (limited("number", step=0.1), "step", 0.3, 0.35),
    *((limited(kind, step=4), "step", 0, 2) for kind in NUMBERS),
    (limited("date", min="2026-03-01"), "min", "2026-03-01", "2026-02-28"),
    (limited("date", max="2026-03-01"), "max", "2026-03-01", "2026-03-02"),
    (limited("date", min="today"), "min", "2026-03-05", "2026-03-04"),
    (limited("date", max="today"), "max", "2026-03-05", "2026-03-06"),
    (limited("date", min="today+1d"), "min", "2026-03-06", "2026-03-05"),
    (limited("date", max="today-1d"), "max", "2026-03-04", "2026-03-05"),
    *(
        (limited("file", maxSize=size), "maxSize", file_of(most), file_of(most + 1))
        for size, most in ((1, 1), (2, 2), (3, 3), ("4", 4), ("1KB", 1024), ("1MB", 1024 * 1024))
    ),
    (limited("file", maxSize=0), "maxSize", file_of(0), file_of(1)),
    (limited("file", types=["text/*"]), "types", file_of(1), file_of(1, "textual/plain")),
    (limited("password", strength="medium"), "strength", "abcdefg1", "abcdef1"),
    (limited("password", strength="medium"), "strength", "abcdefgH", "abcdefgh"),
    (limited("password", strength="strong"), "strength", "abcdefghij1-", "abcdefghi1-"),
    (limited("password", strength="strong"), "strength", "abcdefghiJ1k", "abcdefghij1k"),
    (limited("password", strength="weak"), "strength", "a", None),
    ({"type": "email"}, "format", EMAIL, f"a{EMAIL}"),
    ({"type": "json"}, "type", nested(MAX_DEPTH), nested(MAX_DEPTH + 1)),
    ({"type": "integer"}, "type", 2**1024 - 1, 2**1024),
    ({"type": "integer"}, "type", -(2**1024) + 1, -(2**1024)),
]


@pytest.mark.parametrize(
    ("field", "constraint", "passes", "fails"),
    [
        pytest.param(*limit, id=f"{n}-{limit[0]['type']}-{limit[1]}")
        for n, limit in enumerate(LIMITS)
    ],
)
def test_the_limit_itself_passes_and_the_next_value_does_not(
    field: Document, constraint: str, passes: Any, fails: Any
) -> None:
    assert failed(field, passes) == []
    if fails is not None:
        assert failed(field, fails) == [constraint]


# The others have no counterpart in JSON Schema, or are computed in binary there.
IN_JSON_SCHEMA = {"minLength", "maxLength", "minItems", "maxItems", "strength", "types"}
SCHEMA_LIMITS = [
    limit
    for limit in LIMITS
    if limit[1] in IN_JSON_SCHEMA or limit[0]["type"] in {"email", "integer"}
    if limit[1] != "type"
]


@pytest.mark.parametrize(("field", "constraint", "passes", "fails"), SCHEMA_LIMITS)
def test_the_json_schema_has_the_same_limits(
    field: Document, constraint: str, passes: Any, fails: Any
) -> None:
    del constraint
    form = Form.from_mapping({"groups": [{"id": "g", "fields": [{"id": "f", **field}]}]})
    schema = Draft202012Validator(form.json_schema())
    assert schema.is_valid({"f": passes})
    assert fails is None or not schema.is_valid({"f": fails})


@pytest.mark.parametrize(
    ("size", "reads"),
    [("0", True), ("9" * 12, True), ("9" * 13, False), ("1KB", True), ("1GB", False), (-1, False)],
)
def test_a_size_is_a_number_of_at_most_twelve_digits(size: Any, *, reads: bool) -> None:
    document = {"type": "file", "validation": {"maxSize": size}}
    if reads:
        assert failed(document, file_of(0)) == []
        return
    with pytest.raises(FormError):
        failed(document, file_of(0))


@pytest.mark.parametrize("days", ["99999", "100000"])
def test_a_relative_date_has_at_most_five_digits(days: str) -> None:
    document = {"type": "date", "validation": {"max": f"today+{days}d"}}
    if len(days) <= 5:
        assert failed(document, "2299-12-18") == []
        assert failed(document, "2299-12-19") == ["max"]
        return
    with pytest.raises(FormError, match="not a date"):
        failed(document, "2026-03-05")


def choices(number: int) -> Document:
    fields = [{"id": "f", "type": "select", "enum": list(range(number))}]
    return {"groups": [{"id": "g", "fields": fields}]}


def fields_in_one_group(number: int) -> Document:
    fields = [{"id": f"f{n}", "type": "string"} for n in range(number)]
    return {"groups": [{"id": "g", "fields": fields}]}


def fields_in_two_groups(number: int) -> Document:
    [group] = fields_in_one_group(number)["groups"]
    first, *rest = group["fields"]
    return {"groups": [{"id": "a", "fields": [first]}, {"id": "b", "fields": rest}]}


def groups(number: int) -> Document:
    return {"groups": [{"id": f"g{n}"} for n in range(number)]}


@pytest.mark.parametrize(
    ("document", "most"),
    [
        (choices, MOST_CHOICES),
        (fields_in_one_group, MOST_FIELDS),
        (fields_in_two_groups, MOST_FIELDS),
        (groups, MOST_GROUPS),
    ],
)
def test_a_form_has_at_most_so_many_parts(document: Any, most: int) -> None:
    assert Form.from_mapping(document(most))
    with pytest.raises(FormError):
        Form.from_mapping(document(most + 1))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "\u2026"),
        (list(range(20)), list(range(20))),
        (list(range(21)), "a list of 21"),
        ([[1]], "a list of 1"),
        ({"a": 1}, "an object with 1 keys"),
        (2**1024 - 1, 2**1024 - 1),
        (2**1024, "a number out of range"),
    ],
)
def test_an_error_shows_a_small_value_whole_and_a_large_one_by_its_beginning_or_size(
    value: Any, shown: Any
) -> None:
    assert excerpt(value) == shown


REQUIRED = [
    ("string", {"minLength": 0}, "", "a"),
    ("multiselect", {"minItems": 0}, [], ["a"]),
]


@pytest.mark.parametrize(("kind", "validation", "blank", "given"), REQUIRED)
def test_a_required_field_needs_one_character_or_value_whatever_its_least_number_is(
    kind: str, validation: Document, blank: Any, given: Any
) -> None:
    field = {**limited(kind, **validation), "required": True}
    assert failed(field, blank) == ["required"]
    assert failed(field, given) == []
