"""What a person types or a browser posts becomes the value that the field means."""

import base64
from datetime import date
from typing import Any

import pytest

from catalog.forms import FieldDefinition, FieldError, Form, FormContext
from catalog.forms.files import file_value
from catalog.forms.posted import read_posted
from catalog.forms.reading import ReadingError, read
from catalog.forms.values import parse_data_url
from catalog.forms.writing import as_text, input_texts

TODAY = date(2026, 3, 5)


def field(kind: str, **more: Any) -> FieldDefinition:
    return FieldDefinition.model_validate({"id": "a", "type": kind, **more})


def form(*fields: dict[str, Any]) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields)}]})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20),
        (" 20 ", 20),
        ("+20", 20),
        ("-20", -20),
        ("\u221220", -20),
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("0,125", 0.125),
        ("1e3", 1000.0),
        ("1_000", 1000),
        ("1 000", 1000),
        ("1\u202f000\u202f000", 1_000_000),
        ("1'000.5", 1000.5),
        ("1,000,000", 1_000_000),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1.234.567", 1_234_567),
        ("1.234", 1.234),
        (".5", 0.5),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, value: float) -> None:
    found = read(field("number"), text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text", ["", "big", "1 00", "1,2,3", "1.2.3", "nan", "inf", "1e999", "0x10", "5 GB"]
)
def test_what_is_no_number_is_quoted(text: str) -> None:
    with pytest.raises(ReadingError, match="is not a number"):
        read(field("number"), text)


def test_a_number_that_means_two_things_is_refused() -> None:
    with pytest.raises(ReadingError, match=r"'1,500' is ambiguous; write 1500 or 1\.500"):
        read(field("number"), "1,500")
    assert read(field("integer"), "1,500") == 1500


@pytest.mark.parametrize(
    ("text", "value"), [("3.0", 3), ("3,0", 3), ("1e3", 1000), ("20.000.000", 20_000_000)]
)
def test_a_whole_number_may_be_written_with_a_fraction_of_zero(text: str, value: int) -> None:
    found = read(field("integer"), text)
    assert (found, type(found)) == (value, int)


@pytest.mark.parametrize("text", ["1.5", "big", "1e999", "9" * 5000])
def test_what_is_no_whole_number_is_quoted_in_short(text: str) -> None:
    with pytest.raises(ReadingError, match="is not a whole number") as caught:
        read(field("integer"), text)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("1.0", 1), ("1e0", 1), ("true", True), ("2", "2"), ("3", "3")]
)
def test_a_choice_that_is_a_number_is_taken_in_each_spelling(text: str, value: Any) -> None:
    found = read(field("select", enum=[1, "2", True]), text)
    assert (found, type(found)) == (value, type(value))


def test_the_value_of_a_choice_goes_before_the_label_of_another() -> None:
    choices = [{"value": "a", "label": "b"}, {"value": "b", "label": "c"}, 1, "1"]
    size = field("select", enum=choices)
    assert [read(size, text) for text in ("b", "c", "x")] == ["b", "b", "x"]
    assert [read(size, text) for text in ("1", "1.0")] == ["1", 1]


def test_several_choices_are_typed_with_commas_or_as_json() -> None:
    zones = field("multiselect", enum=["a", "b", "c,d", 2])
    assert read(zones, "a, b,,2") == ["a", "b", 2]
    assert read(zones, "c,d") == ["c,d"]
    assert read(zones, '["a", 2]') == ["a", 2]
    with pytest.raises(ReadingError, match=r"write a,b or \["):
        read(zones, "[a,b]")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1,\n "b" 2}', "Expecting ':' delimiter at line 2, column 6"),
        ("", "Expecting value at line 1, column 1"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
        ('"\\ud800"', "unpaired surrogate"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "4300 digits"),
    ],
)
def test_json_that_cannot_be_read_says_where(text: str, problem: str) -> None:
    with pytest.raises(ReadingError, match="not JSON") as caught:
        read(field("json"), text)
    assert problem in str(caught.value)


def test_texts_keep_what_belongs_to_them() -> None:
    assert read(field("textarea"), "a\r\nb\r\n") == "a\nb\n"
    assert read(field("email"), " a@b.co ") == "a@b.co"
    assert read(field("date"), "2026-03-01 ") == "2026-03-01"
    assert read(field("password"), " a ") == " a "
    assert read(field("string"), " a ") == " a "


EVERYTHING = form(
    {"id": "name", "type": "string", "default": "orders"},
    {"id": "size", "type": "integer", "default": 20},
    {"id": "backups", "type": "boolean", "default": True},
    {"id": "zones", "type": "multiselect", "enum": ["a", "b", "c,d"], "default": ["a"]},
    {"id": "tags", "type": "multiselect"},
    {"id": "extra", "type": "json"},
    {
        "id": "days",
        "type": "integer",
        "conditional": {"dependsOn": "backups", "condition": "equals", "value": True},
    },
)


def test_an_unticked_checkbox_and_an_emptied_multiselect_are_values() -> None:
    shown = read_posted(EVERYTHING, {"backups": [], "zones": [], "tags": [""]}, TODAY)
    assert shown.values == {"backups": False, "zones": [], "tags": []}
    assert read_posted(EVERYTHING, {}, TODAY).values == {}


def test_an_emptied_field_takes_its_default_again() -> None:
    reading = read_posted(EVERYTHING, {"name": [""], "size": [""], "extra": [""]}, TODAY)
    assert reading.values == {}
    assert reading.validate(EVERYTHING, TODAY).values["size"] == 20


def test_posted_texts_become_values() -> None:
    posted = {
        "size": ["1 000"],
        "backups": ["false", "on"],
        "zones": ["b", "c,d"],
        "tags": ["x, y\r\nz"],
        "extra": ['{"a": 1}'],
        "days": ["3"],
        "unknown": ["x"],
    }
    assert read_posted(EVERYTHING, posted, TODAY).values == {
        "size": 1000,
        "backups": True,
        "zones": ["b", "c,d"],
        "tags": ["x", "y", "z"],
        "extra": {"a": 1},
        "days": 3,
    }


def test_what_is_hidden_is_dropped_whatever_was_posted() -> None:
    reading = read_posted(EVERYTHING, {"backups": [], "days": ["many"]}, TODAY)
    assert reading.values == {"backups": False}
    assert reading.validate(EVERYTHING, TODAY).valid


def test_a_text_that_cannot_be_read_is_reported_once_in_the_order_of_the_form() -> None:
    posted = {"days": ["-"], "extra": ["{"], "zones": ["x"], "size": ["big"]}
    result = read_posted(EVERYTHING, posted, TODAY).validate(EVERYTHING, TODAY)

    assert not result.valid
    assert [(error.field, error.constraint) for error in result.errors] == [
        ("size", "type"),
        ("zones", "enum"),
        ("extra", "type"),
        ("days", "type"),
    ]
    assert result.errors[0] == FieldError(
        "size", "type", "Size: 'big' is not a whole number", "big"
    )
    assert "at line 1, column 2" in result.errors[2].message


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "a"),
        ("integer", 3),
        ("number", 0.5),
        ("boolean", True),
        ("boolean", False),
        ("multiselect", ["x", "y"]),
        ("json", {"a": [1, "ä"]}),
        ("date", "2026-03-01"),
    ],
)
def test_what_is_written_reads_as_the_same_value(kind: str, value: Any) -> None:
    one = form({"id": "a", "type": kind})
    texts = input_texts(one.fields["a"], value)
    assert read_posted(one, {"a": texts}, TODAY).values == {"a": value}
    assert input_texts(one.fields["a"], None) == []


@pytest.mark.parametrize(
    ("kind", "value", "texts"),
    [
        ("multiselect", ["x", "y"], ["x", "y"]),
        ("string", ["x", "y"], ["x, y"]),
        ("json", ["x", "ä"], ['[\n  "x",\n  "ä"\n]']),
        ("list", [{"x": "ä"}], ['[\n  {\n    "x": "ä"\n  }\n]']),
    ],
)
def test_a_value_has_a_text_for_each_input(kind: str, value: Any, texts: list[str]) -> None:
    assert input_texts(field(kind), value) == texts


def test_values_are_written_as_people_write_them() -> None:
    assert [as_text(value) for value in (True, 3, "a", ["x", 1], {"k": "ä"})] == [
        "true",
        "3",
        "a",
        "x, 1",
        '{"k": "ä"}',
    ]


def test_an_unreadable_text_is_an_error_even_if_the_validator_would_take_it() -> None:
    rules = [{"id": "closed", "check": "1 > 2", "message": "Closed."}]
    fields = [{"id": "name", "type": "string"}, {"id": "extra", "type": "json"}]
    both = Form.from_mapping({"groups": [{"id": "g", "fields": fields}], "rules": rules})
    for judge, errors in ((both, ["extra", ""]), (form(*fields), ["extra"])):
        result = read_posted(judge, {"extra": ["{"]}, TODAY).validate(judge, TODAY)
        assert result.valid is False
        assert [one.field for one in result.errors] == errors


def test_what_is_shown_may_depend_on_the_day_and_on_who_asks() -> None:
    def shown_if(name: str, template: str, value: str) -> list[dict[str, Any]]:
        condition = {"dependsOn": name, "condition": "equals", "value": value}
        asked = {"id": name, "type": "string", "default": {"template": template}}
        return [asked, {"id": f"{name}-more", "type": "integer", "conditional": condition}]

    judge = form(
        {"id": "day", "type": "date", "default": "today+1d"},
        *shown_if("next", "{{fields.day}}", "2026-03-06"),
        *shown_if("user", "{{request.user.id}}", "dana"),
    )
    dana = FormContext(scopes={"request": {"user": {"id": "dana"}}})
    posted = {"next-more": ["1"], "user-more": ["many"]}
    reading = read_posted(judge, posted, TODAY, dana)
    assert reading.values == {"next-more": 1, "user-more": "many"}
    result = reading.validate(judge, TODAY, dana)
    assert (result.values["day"], result.values["user"]) == ("2026-03-06", "dana")
    assert [one.field for one in result.errors] == ["user-more"]


def media_type(name: str, content: bytes, *types: str, declared: str | None = None) -> str:
    limits = {"validation": {"types": list(types)}} if types else {}
    url = parse_data_url(file_value(field("file", **limits), content, name=name, declared=declared))
    assert url is not None
    assert url.size == len(content)
    return url.media_type


def test_a_file_keeps_its_name() -> None:
    value = file_value(field("file"), b"hello", name="C:\\notes\\my; n\u00f6te.txt")
    assert (
        value
        == "data:text/plain;name=my%3B%20n%C3%B6te.txt;base64,"
        + base64.b64encode(b"hello").decode()
    )
    url = parse_data_url(value)
    assert url is not None
    assert url.name == "my; n\u00f6te.txt"
    assert form({"id": "a", "type": "file"}).validate({"a": value}, TODAY).valid


def test_a_data_url_may_come_without_a_name() -> None:
    for text in ("data:text/plain;base64,", "data:text/plain;charset=utf-8;base64,"):
        url = parse_data_url(text)
        assert url is not None
        assert url.name is None


def test_the_media_type_comes_from_the_name_then_from_the_content() -> None:
    assert media_type("a.json", b"{}", declared="text/plain") == "application/json"
    assert media_type("a.csr", b"-----BEGIN", declared="application/pkcs10") == "text/plain"
    assert (
        media_type("a.csr", b"-----BEGIN", "application/pkcs10", declared="application/pkcs10")
        == "application/pkcs10"
    )
    assert (
        media_type("a.blob", b"\xff\x00", declared="application/x-blob; v=1")
        == "application/x-blob"
    )
    assert media_type("a.blob", b"\xff\x00", declared="nonsense") == "application/octet-stream"
    assert media_type("a.blob", b"a\x00") == "application/octet-stream"
    assert media_type("a.tar.gz", b"\x1f") == "application/gzip"
